//! S3 errors: code, status, default message, and the XML document.

use std::borrow::Cow;

use gatecrash_model::Decision;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::xml::Xml;

/// The codes the mock knows, with their status and default message (S3 API reference, "Error responses").
const CODES: &[(&str, u16, &str)] = &[
    ("AccessControlListNotSupported", 400, "The bucket does not allow ACLs"),
    ("AccessDenied", 403, "Access Denied"),
    ("AccessForbidden", 403, "CORSResponse: This CORS request is not allowed."),
    (
        "AccountProblem",
        403,
        "There is a problem with your AWS account that prevents the operation from completing.",
    ),
    ("AllAccessDisabled", 403, "All access to this object has been disabled."),
    ("AuthorizationHeaderMalformed", 400, "The authorization header is malformed."),
    (
        "AuthorizationQueryParametersError",
        400,
        "The authorization query parameters that you provided are not valid.",
    ),
    ("BadDigest", 400, "The Content-MD5 you specified did not match what we received."),
    ("BadRequest", 400, "Bad Request"),
    ("BucketAlreadyExists", 409, "The requested bucket name is not available."),
    (
        "BucketAlreadyOwnedByYou",
        409,
        "Your previous request to create the named bucket succeeded and you already own it.",
    ),
    ("BucketNotEmpty", 409, "The bucket you tried to delete is not empty"),
    ("ConditionalRequestConflict", 409, "A conflicting operation occurred during the conditional request."),
    ("CrossLocationLoggingProhibited", 403, "Cross S3 location logging not allowed."),
    ("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size"),
    ("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size"),
    ("ExpiredToken", 400, "The provided token has expired."),
    (
        "IllegalLocationConstraintException",
        400,
        "The location constraint is incompatible for the region specific endpoint this request was sent to.",
    ),
    ("IllegalVersioningConfigurationException", 400, "The Versioning element must be specified"),
    (
        "IncompleteBody",
        400,
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    ),
    ("InternalError", 500, "We encountered an internal error. Please try again."),
    ("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
    ("InvalidArgument", 400, "Invalid Argument"),
    (
        "InvalidBucketAclWithObjectOwnership",
        400,
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    ),
    ("InvalidBucketName", 400, "The specified bucket is not valid."),
    (
        "InvalidBucketOwnerAWSAccountID",
        400,
        "The value of the expected bucket owner parameter must be an AWS account ID.",
    ),
    ("InvalidBucketState", 409, "The request is not valid with the current state of the bucket."),
    // 403 by the service itself, whatever one would expect.
    ("InvalidChunkSizeError", 403, "Only the last chunk is allowed to have a size less than 8192 bytes"),
    ("InvalidDigest", 400, "The Content-MD5 you specified was invalid."),
    (
        "InvalidEncryptionAlgorithmError",
        400,
        "The encryption request you specified is not valid. Supported value: AES256.",
    ),
    ("InvalidLocationConstraint", 400, "The specified location-constraint is not valid"),
    ("InvalidObjectState", 403, "The operation is not valid for the object's storage class"),
    (
        "InvalidPart",
        400,
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
         specified entity tag may not match the part's entity tag.",
    ),
    ("InvalidPartNumber", 416, "The requested partnumber is not satisfiable"),
    (
        "InvalidPartOrder",
        400,
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
    ),
    (
        "InvalidPolicyDocument",
        400,
        "The content of the form does not meet the conditions specified in the policy document.",
    ),
    ("InvalidRange", 416, "The requested range is not satisfiable"),
    (
        "InvalidRedirectLocation",
        400,
        "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    ),
    ("InvalidRequest", 400, "Invalid Request"),
    ("InvalidRetentionPeriod", 400, "Default retention period must be a positive integer value."),
    ("InvalidStorageClass", 400, "The storage class you specified is not valid"),
    ("InvalidTag", 400, "The tag provided was not a valid tag."),
    (
        "InvalidTargetBucketForLogging",
        400,
        "The target bucket for logging does not exist, is not owned by you, or does not have the appropriate \
         grants for the log-delivery group.",
    ),
    ("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
    ("InvalidURI", 400, "Couldn't parse the specified URI."),
    ("KeyTooLongError", 400, "Your key is too long"),
    (
        "MalformedACLError",
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    ("MalformedPOSTRequest", 400, "The body of your POST request is not well-formed multipart/form-data."),
    ("MalformedPolicy", 400, "Policy has invalid resource"),
    (
        "MalformedTrailerError",
        400,
        "The request contained trailing data that was not well-formed or did not conform to our published \
         schema.",
    ),
    (
        "MalformedXML",
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    (
        "MaxPostPreDataLengthExceededError",
        400,
        "Your POST request fields preceding the upload file were too large.",
    ),
    ("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size"),
    ("MethodNotAllowed", 405, "The specified method is not allowed against this resource."),
    ("MissingContentLength", 411, "You must provide the Content-Length HTTP header."),
    ("MissingRequestBodyError", 400, "Request Body is empty"),
    ("MissingSecurityHeader", 400, "Your request was missing a required header"),
    // Ours, not S3's: the bound on uploads kept in memory was reached.
    ("MockStoreFull", 507, "The mock's upload store is full; raise upload_capacity."),
    ("NoSuchBucket", 404, "The specified bucket does not exist"),
    ("NoSuchBucketPolicy", 404, "The bucket policy does not exist"),
    ("NoSuchCORSConfiguration", 404, "The CORS configuration does not exist"),
    ("NoSuchKey", 404, "The specified key does not exist."),
    ("NoSuchLifecycleConfiguration", 404, "The lifecycle configuration does not exist"),
    ("NoSuchObjectLockConfiguration", 404, "The specified object does not have a ObjectLock configuration"),
    ("NoSuchPublicAccessBlockConfiguration", 404, "The public access block configuration was not found"),
    ("NoSuchTagSet", 404, "The TagSet does not exist"),
    (
        "NoSuchUpload",
        404,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
         completed.",
    ),
    ("NoSuchVersion", 404, "The specified version does not exist."),
    ("NoSuchWebsiteConfiguration", 404, "The specified bucket does not have a website configuration"),
    ("NotImplemented", 501, "A header you provided implies functionality that is not implemented"),
    ("ObjectLockConfigurationNotFoundError", 404, "Object Lock configuration does not exist for this bucket"),
    (
        "OperationAborted",
        409,
        "A conflicting conditional operation is currently in progress against this resource. Try again.",
    ),
    ("OwnershipControlsNotFoundError", 404, "The bucket ownership controls were not found"),
    (
        "PermanentRedirect",
        301,
        "The bucket you are attempting to access must be addressed using the specified endpoint. \
         Please send all future requests to this endpoint.",
    ),
    ("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold"),
    ("ReplicationConfigurationNotFoundError", 404, "The replication configuration was not found"),
    (
        "RequestTimeTooSkewed",
        403,
        "The difference between the request time and the current time is too large.",
    ),
    (
        "RequestTimeout",
        400,
        "Your socket connection to the server was not read from or written to within the timeout period.",
    ),
    ("ServiceUnavailable", 503, "Service is unable to handle request."),
    (
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided. \
         Check your key and signing method.",
    ),
    ("SlowDown", 503, "Please reduce your request rate."),
    (
        "TemporaryRedirect",
        307,
        "Please re-send this request to the specified temporary endpoint. \
         Continue to use the original request endpoint for future requests.",
    ),
    ("UnexpectedContent", 400, "This request does not support content"),
    (
        "UnresolvableGrantByEmailAddress",
        400,
        "The e-mail address you provided does not match any account on record.",
    ),
    (
        "XAmzContentSHA256Mismatch",
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
];

/// An answer with an S3 error document.
#[derive(Clone, Debug)]
pub(crate) struct S3Error {
    pub(crate) code: Cow<'static, str>,
    pub(crate) status: StatusCode,
    pub(crate) message: Cow<'static, str>,
    /// Further elements of the document, in order.
    pub(crate) extras: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The evaluation that refused, when one did.
    pub(crate) decision: Option<Decision>,
    /// What was asked for when an evaluation refused.
    pub(crate) refused: Option<Box<Refused>>,
    /// An S3-shaped fault made it.
    pub(crate) faulted: bool,
}

/// What a caller may not do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refused {
    pub(crate) action: String,
    /// By the scenario's bucket name.
    pub(crate) resource: String,
}

/// The status and default message of an S3 error code; `None` for a code the mock does not know.
pub fn known_code(code: &str) -> Option<(u16, &'static str)> {
    find(code).map(|(_, status, message)| (*status, *message))
}

/// Every S3 error code the mock knows, in order.
pub fn known_codes() -> impl Iterator<Item = &'static str> {
    CODES.iter().map(|(code, ..)| *code)
}

fn find(code: &str) -> Option<&'static (&'static str, u16, &'static str)> {
    CODES.binary_search_by(|(known, ..)| (*known).cmp(code)).ok().map(|at| &CODES[at])
}

// === impl S3Error ===

impl S3Error {
    /// The error of a known code; an unknown one is an InternalError that names it.
    pub(crate) fn of(code: &'static str) -> Self {
        match known_code(code) {
            Some((status, message)) => Self::new(code.into(), status, message.into()),
            None => Self::new("InternalError".into(), 500, code.into()),
        }
    }

    /// Any code with any status; a status that is no HTTP status becomes 500.
    pub(crate) fn new(code: Cow<'static, str>, status: u16, message: Cow<'static, str>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (extras, headers) = (Vec::new(), Vec::new());
        Self { code, status, message, extras, headers, decision: None, refused: None, faulted: false }
    }

    pub(crate) fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    pub(crate) fn extra(mut self, element: &'static str, text: impl Into<String>) -> Self {
        self.extras.push((element, text.into()));
        self
    }

    /// Adds a response header; a value that cannot be one is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(crate) fn by_fault(mut self) -> Self {
        self.faulted = true;
        self
    }

    /// The error document.
    pub(crate) fn document(&self, resource: &str, request_id: &str, host_id: &str) -> String {
        let mut xml = Xml::new();
        xml.open("Error");
        xml.text("Code", &self.code);
        xml.text("Message", &self.message);
        for (element, text) in &self.extras {
            xml.text(element, text);
        }
        xml.text("Resource", resource);
        xml.text("RequestId", request_id);
        xml.text("HostId", host_id);
        xml.close("Error");
        xml.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_status_is_valid() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (code, status, message) in CODES {
            assert!(StatusCode::from_u16(*status).is_ok(), "{code}");
            assert!(!message.is_empty(), "{code}");
            assert_eq!(known_code(code), Some((*status, *message)));
        }
        assert_eq!(known_code("NoSuchCode"), None);
    }

    #[test]
    fn the_document_is_what_s3_sends() {
        let error = S3Error::of("NoSuchKey").extra("Key", "a<b&c");
        assert_eq!(
            error.document("/b/a", "REQ", "HOST"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>\
             <Message>The specified key does not exist.</Message><Key>a&lt;b&amp;c</Key>\
             <Resource>/b/a</Resource><RequestId>REQ</RequestId><HostId>HOST</HostId></Error>"
        );
    }
}
