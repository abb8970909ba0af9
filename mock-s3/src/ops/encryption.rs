//! Server-side encryption as headers show it. Nothing is encrypted: what is asked for is kept, told again, and for
//! keys of the customer demanded again (by the MD5 that came with them).
//!
//! Rules: S3 user guide, "Protecting data with encryption"; since January 2023 what asks for nothing has AES256.
//! Unlike S3, the mock takes customer keys over plain HTTP too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatecrash_model::hash;
use http::{HeaderMap, HeaderName, HeaderValue};
use md5::{Digest, Md5};

use super::Answer;
use crate::auth::sigv4::hex;
use crate::errors::S3Error;
use crate::xml_tree::Node;

const METHOD: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
const KMS_KEY: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-aws-kms-key-id");
const BUCKET_KEY: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-bucket-key-enabled");
const AES256: HeaderValue = HeaderValue::from_static("AES256");

/// The three headers of a customer's key.
pub(super) struct KeyHeaders {
    algorithm: HeaderName,
    key: HeaderName,
    md5: HeaderName,
}

/// Of the object that is read or written.
pub(super) const OF_OBJECT: KeyHeaders = KeyHeaders {
    algorithm: HeaderName::from_static("x-amz-server-side-encryption-customer-algorithm"),
    key: HeaderName::from_static("x-amz-server-side-encryption-customer-key"),
    md5: HeaderName::from_static("x-amz-server-side-encryption-customer-key-md5"),
};

/// Of the object that is copied from.
pub(super) const OF_SOURCE: KeyHeaders = KeyHeaders {
    algorithm: HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-algorithm"),
    key: HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-key"),
    md5: HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-key-md5"),
};

/// Headers kept with an object; none: AES256 with keys of S3.
pub(super) type Encryption = Vec<(HeaderName, HeaderValue)>;

/// What a write asks for. KMS keys are told as ARNs of `region` and `account`.
pub(super) fn of_write(headers: &HeaderMap, region: &str, account: &str) -> Result<Encryption, S3Error> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let customer = OF_OBJECT.md5_of(headers)?;
    let (method, key) = (text(&METHOD), text(&KMS_KEY));
    if let Some(md5) = customer {
        return match method {
            Some(method) => Err(refused(
                "Server Side Encryption with Customer provided key is incompatible with the encryption method \
                 specified",
                method,
            )),
            None => Ok(vec![(OF_OBJECT.algorithm, AES256), (OF_OBJECT.md5, md5)]),
        };
    }
    match (method, key) {
        (None | Some("AES256"), None) => Ok(Encryption::new()),
        (None | Some("AES256"), Some(_)) => Err(refused(
            "Server Side Encryption with AWS KMS managed key requires HTTP header \
             x-amz-server-side-encryption : aws:kms",
            method.unwrap_or_default(),
        )),
        (Some("aws:kms" | "aws:kms:dsse"), key) => {
            let mut kept: Encryption =
                headers.get(&METHOD).map(|v| (METHOD, v.clone())).into_iter().collect();
            let arn = key_arn(key.unwrap_or_default(), region, account);
            kept.extend(HeaderValue::from_str(&arn).ok().map(|arn| (KMS_KEY, arn)));
            if text(&BUCKET_KEY).is_some_and(|text| text.eq_ignore_ascii_case("true")) {
                kept.push((BUCKET_KEY, HeaderValue::from_static("true")));
            }
            Ok(kept)
        }
        (Some(method), _) => Err(refused("The encryption method specified is not supported", method)),
    }
}

/// The headers that a bucket's default encryption stands for (API reference, PutBucketEncryption).
pub(super) fn headers_of(document: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let root = Node::parse(document.as_bytes());
    let Some(rule) = root.as_ref().and_then(|root| root.child("Rule")) else { return headers };
    let default = rule.child("ApplyServerSideEncryptionByDefault");
    let value = |name| default.and_then(|default| default.value(name));
    let pairs = [
        (METHOD, value("SSEAlgorithm")),
        (KMS_KEY, value("KMSMasterKeyID")),
        (BUCKET_KEY, rule.value("BucketKeyEnabled")),
    ];
    for (name, value) in pairs {
        headers.extend(value.and_then(|value| HeaderValue::from_str(value).ok()).map(|value| (name, value)));
    }
    headers
}

/// Whether a write names any encryption at all.
pub(super) fn is_named(headers: &HeaderMap) -> bool {
    headers.contains_key(METHOD) || headers.contains_key(&OF_OBJECT.algorithm)
}

/// Whether ETags tell the MD5 of the content: not with keys of KMS or of the customer.
pub(super) fn is_plain(kept: &Encryption) -> bool {
    kept.is_empty()
}

/// Checks that a read may see an object: with the key it was written with, and only that.
pub(super) fn unlock(headers: &HeaderMap, names: &KeyHeaders, kept: &Encryption) -> Result<(), S3Error> {
    let locked = kept.iter().find(|(name, _)| *name == OF_OBJECT.md5).map(|(_, md5)| md5);
    let invalid = |message: &'static str| S3Error::of("InvalidRequest").message(message);
    match (names.md5_of(headers)?, locked) {
        (None, None) => Ok(()),
        (Some(given), Some(wanted)) if given == *wanted => Ok(()),
        (Some(_), Some(_)) => Err(S3Error::of("AccessDenied")),
        (Some(_), None) => Err(invalid("The encryption parameters are not applicable to this object.")),
        (None, Some(_)) => Err(invalid(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided \
             to retrieve the object.",
        )),
    }
}

/// A read may not ask for a method (API reference, GetObject).
pub(super) fn check_read(headers: &HeaderMap) -> Result<(), S3Error> {
    match headers.get(METHOD) {
        None => Ok(()),
        Some(method) => Err(refused(
            "x-amz-server-side-encryption header is not supported for this operation.",
            method.to_str().unwrap_or_default(),
        )),
    }
}

/// The ETag of bytes with this MD5: another one where the MD5 would tell of the encrypted content (API reference,
/// Object: ETags of objects with SSE-C or SSE-KMS are no MD5).
pub(super) fn etag(md5: &[u8], kept: &Encryption) -> String {
    let mut state = Md5::new();
    match kept.iter().find(|(name, _)| *name == OF_OBJECT.md5 || *name == KMS_KEY) {
        None => return hex(md5),
        Some((_, key)) => {
            state.update(md5);
            state.update(key.as_bytes());
        }
    }
    hex(&state.finalize())
}

impl Answer {
    pub(super) fn encrypted(mut self, kept: &Encryption) -> Self {
        if kept.is_empty() {
            self.headers.insert(METHOD, AES256);
        }
        for (name, value) in kept {
            self.headers.insert(name.clone(), value.clone());
        }
        self
    }
}

impl KeyHeaders {
    /// The MD5 of the key that a request gives, if it gives one as it must.
    fn md5_of(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, S3Error> {
        const ASKING: &str =
            "Requests specifying Server Side Encryption with Customer provided keys must provide ";
        let given = [&self.algorithm, &self.key, &self.md5].map(|name| headers.get(name));
        let [None, None, None] = given else {
            let [algorithm, key, md5] = given;
            let missing = |what| refused(format!("{ASKING}{what}"), "");
            let algorithm = algorithm.ok_or_else(|| missing("a valid encryption algorithm."))?;
            if *algorithm != AES256 {
                return Err(S3Error::of("InvalidEncryptionAlgorithmError")
                    .extra("ArgumentName", self.algorithm.as_str())
                    .extra("ArgumentValue", algorithm.to_str().unwrap_or_default()));
            }
            let key = key.ok_or_else(|| missing("an appropriate secret key."))?;
            let md5 = md5.ok_or_else(|| missing("the client calculated MD5 of the secret key."))?;
            let key = STANDARD.decode(key.as_bytes()).ok().filter(|key| key.len() == 32);
            let key =
                key.ok_or_else(|| refused("The secret key was invalid for the specified algorithm.", ""))?;
            return match STANDARD.encode(Md5::digest(&key)).as_bytes() == md5.as_bytes() {
                true => Ok(Some(md5.clone())),
                false => Err(refused(
                    "The calculated MD5 hash of the key did not match the hash that was provided.",
                    "",
                )),
            };
        };
        Ok(None)
    }
}

/// The ARN of a key named by id or ARN; the account's own for S3 when it has no name.
fn key_arn(key: &str, region: &str, account: &str) -> String {
    let id = match key {
        arn if arn.starts_with("arn:") => return arn.to_owned(),
        "" => {
            let draw = hash::combine(&[hash::bytes(region.as_bytes()), hash::bytes(account.as_bytes())]);
            let (high, low) = (format!("{draw:016x}"), format!("{:016x}", hash::mix(draw)));
            format!("{}-{}-{}-{}-{}", &high[..8], &high[8..12], &high[12..], &low[..4], &low[4..])
        }
        id => id.to_owned(),
    };
    match id.starts_with("alias/") {
        true => format!("arn:aws:kms:{region}:{account}:{id}"),
        false => format!("arn:aws:kms:{region}:{account}:key/{id}"),
    }
}

fn refused(message: impl Into<std::borrow::Cow<'static, str>>, method: &str) -> S3Error {
    S3Error::of("InvalidArgument")
        .message(message)
        .extra("ArgumentName", METHOD.as_str())
        .extra("ArgumentValue", method)
}

#[cfg(test)]
#[path = "encryption/tests.rs"]
mod tests;
