//! Signature Version 2: `Authorization: AWS KEY:SIGNATURE`, and its query form.
//!
//! Rules: S3 User Guide of before 2020, "Signing and authenticating REST requests".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::header::DATE;
use sha1::Sha1;

use super::text;
use crate::encoding::decode_form;
use crate::errors::S3Error;
use crate::request::Head;
use crate::time::document_date;

/// Query parameters that are part of the signed resource.
const RESOURCES: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// A signature, wherever it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Signature {
    pub(super) access_key: String,
    /// Base64 of an HMAC-SHA1.
    pub(super) signature: String,
    /// The time a URL ends, seconds since the Unix epoch; none in a header.
    pub(super) expires: Option<i64>,
}

impl Signature {
    /// Reads what stands behind `AWS `.
    pub(super) fn of_header(fields: &str) -> Result<Self, S3Error> {
        let parts = fields.trim().rsplit_once(':').filter(|(key, sign)| !key.is_empty() && !sign.is_empty());
        let (access_key, signature) = parts.ok_or_else(|| {
            S3Error::of("InvalidArgument")
                .message("AWS authorization header is invalid.  Expected AwsAccessKeyId:signature")
                .extra("ArgumentName", "Authorization")
                .extra("ArgumentValue", format!("AWS {fields}"))
        })?;
        Ok(Self { access_key: access_key.to_owned(), signature: signature.to_owned(), expires: None })
    }

    /// Reads `AWSAccessKeyId`, `Signature` and `Expires`.
    pub(super) fn of_query(head: &Head) -> Result<Self, S3Error> {
        let parameter = |name: &str| {
            head.query_value(name).filter(|value| !value.is_empty()).ok_or_else(|| {
                S3Error::of("AccessDenied").message(
                    "Query-string authentication requires the Signature, Expires and AWSAccessKeyId \
                     parameters",
                )
            })
        };
        let (access_key, signature) = (parameter("AWSAccessKeyId")?, parameter("Signature")?);
        let expires = parameter("Expires")?;
        let expires = expires.parse().map_err(|_| {
            S3Error::of("AccessDenied")
                .message("Invalid date (should be seconds since epoch): ".to_owned() + &expires)
        })?;
        Ok(Self { access_key, signature, expires: Some(expires) })
    }

    /// Refuses a URL whose time is over.
    pub(super) fn check_time(&self, wall: i64) -> Result<(), S3Error> {
        match self.expires {
            Some(expires) if wall > expires => Err(S3Error::of("AccessDenied")
                .message("Request has expired")
                .extra("Expires", document_date(expires))
                .extra("ServerTime", document_date(wall))),
            _ => Ok(()),
        }
    }
}

/// The signature of a string to sign, in base64.
pub(super) fn sign(secret: &str, to_sign: &str) -> String {
    let key = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    STANDARD.encode(key.chain_update(to_sign).finalize().into_bytes())
}

/// The resources a request may be signed for. The path of a bucket without the last slash is signed with it by
/// clients that think in host names.
pub(super) fn resources(head: &Head) -> impl Iterator<Item = String> {
    let sent = match head.hosted {
        true => format!("/{}{}", head.bucket, head.path()),
        false => head.path().to_owned(),
    };
    let slashed = (head.key.is_empty() && !sent.ends_with('/')).then(|| format!("{sent}/"));
    [Some(sent), slashed].into_iter().flatten()
}

/// The string to sign. In a URL the end stands for the date, and `x-amz-` parameters for headers.
pub(super) fn string_to_sign(head: &Head, resource: &str, expires: Option<i64>) -> String {
    let parameters: Vec<(&str, &str)> = head
        .query()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    let in_url = |name: &str| {
        let found =
            parameters.iter().find(|(known, _)| expires.is_some() && known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| decode_form(value))
    };
    let value = |name: &str| {
        let header = text(&head.headers, name).map(str::trim).filter(|value| !value.is_empty());
        header.map(str::to_owned).or_else(|| in_url(name)).unwrap_or_default()
    };
    let date = match expires {
        Some(expires) => expires.to_string(),
        None if head.headers.contains_key("x-amz-date") => String::new(),
        None => value(DATE.as_str()),
    };
    let (md5, kind) = (value("content-md5"), value("content-type"));
    let mut out = format!("{}\n{md5}\n{kind}\n{date}\n", head.method);
    for (name, value) in amazon_headers(head, if expires.is_some() { &parameters } else { &[] }) {
        out.push_str(&format!("{name}:{value}\n"));
    }
    push_resource(&mut out, resource, parameters);
    out
}

/// `x-amz-` headers sorted by name, values of one name joined by commas.
fn amazon_headers(head: &Head, parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    let is_ours = |name: &str| name.starts_with("x-amz-");
    let mut names: Vec<&str> =
        head.headers.keys().map(http::HeaderName::as_str).filter(|n| is_ours(n)).collect();
    names.sort_unstable();
    let mut found: Vec<(String, String)> = names
        .into_iter()
        .map(|name| {
            let values = head.headers.get_all(name).iter();
            let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
            (name.to_owned(), values.collect::<Vec<_>>().join(","))
        })
        .collect();
    for (name, value) in parameters {
        let name = name.to_ascii_lowercase();
        if is_ours(&name) && found.iter().all(|(known, _)| *known != name) {
            found.push((name, decode_form(value)));
        }
    }
    found.sort();
    found
}

/// The resource, and the subresources in order.
fn push_resource(out: &mut String, path: &str, mut parameters: Vec<(&str, &str)>) {
    out.push_str(path);
    parameters.retain(|(name, _)| RESOURCES.contains(name));
    parameters.sort_unstable();
    for (at, (name, value)) in parameters.into_iter().enumerate() {
        out.push(if at == 0 { '?' } else { '&' });
        out.push_str(name);
        if !value.is_empty() {
            out.push('=');
            out.push_str(&decode_form(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    /// The pair of the examples in the S3 User Guide.
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn to_sign(head: &Head, expires: Option<i64>) -> String {
        string_to_sign(head, head.path(), expires)
    }

    fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Head {
        let map: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        Head::new(method.parse().unwrap(), target.parse().unwrap(), map)
    }

    #[test]
    fn the_published_examples() {
        // The guide addresses the bucket by host name; its resource is the same in path style.
        let get = head(
            "GET",
            "/awsexamplebucket1/photos/puppy.jpg",
            &[("date", "Tue, 27 Mar 2007 19:36:42 +0000")],
        );
        assert_eq!(sign(SECRET, &to_sign(&get, None)), "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=");
        let put = head(
            "PUT",
            "/awsexamplebucket1/photos/puppy.jpg",
            &[("content-type", "image/jpeg"), ("date", "Tue, 27 Mar 2007 21:15:45 +0000")],
        );
        assert_eq!(sign(SECRET, &to_sign(&put, None)), "iqRzw+ileNPu1fhspnRs8nOjjIA=");
        let list = head(
            "GET",
            "/awsexamplebucket1/?prefix=photos&max-keys=50&marker=puppy",
            &[("date", "Tue, 27 Mar 2007 19:42:41 +0000")],
        );
        assert_eq!(sign(SECRET, &to_sign(&list, None)), "m0WP8eCtspQl5Ahe6L1SozdX9YA=");
        let acl = head("GET", "/awsexamplebucket1/?acl", &[("date", "Tue, 27 Mar 2007 19:44:46 +0000")]);
        assert_eq!(sign(SECRET, &to_sign(&acl, None)), "82ZHiFIjc+WbcwFKGUVEQspPn+0=");
        let delete = head(
            "DELETE",
            "/awsexamplebucket1/photos/puppy.jpg",
            &[("x-amz-date", "Tue, 27 Mar 2007 21:20:26 +0000")],
        );
        let signed = to_sign(&delete, None);
        let date = "x-amz-date:Tue, 27 Mar 2007 21:20:26 +0000";
        assert_eq!(signed, format!("DELETE\n\n\n\n{date}\n/awsexamplebucket1/photos/puppy.jpg"));
        let url = head("GET", "/johnsmith/photos/puppy.jpg?AWSAccessKeyId=x&Expires=1175139620", &[]);
        assert_eq!(sign(SECRET, &to_sign(&url, Some(1_175_139_620))), "NpgCjnDzrM+WFzoENXmpNDUsSn8=");
    }

    #[test]
    fn subresources_and_amazon_headers_are_signed_in_order() {
        let get = head(
            "GET",
            "/b/k%20k?versionId=3&x=1&response-content-type=text%2Fplain&X-Amz-Meta-B=1",
            &[("x-amz-meta-a", "one"), ("x-amz-meta-a", " two ")],
        );
        let resource = "/b/k%20k?response-content-type=text/plain&versionId=3";
        assert_eq!(to_sign(&get, None), format!("GET\n\n\n\nx-amz-meta-a:one,two\n{resource}"));
        let url = to_sign(&get, Some(5));
        assert_eq!(url, format!("GET\n\n\n5\nx-amz-meta-a:one,two\nx-amz-meta-b:1\n{resource}"));
        assert!(RESOURCES.is_sorted());
    }

    #[test]
    fn resources_are_in_path_style() {
        let all = |head: &Head| resources(head).collect::<Vec<_>>();
        assert_eq!(all(&head("GET", "/b/k%20k?acl", &[])), ["/b/k%20k"]);
        assert_eq!(all(&head("GET", "/b?acl", &[])), ["/b", "/b/"]);
        assert_eq!(all(&head("GET", "/k", &[("host", "b.s3.amazonaws.com")])), ["/b/k"]);
        assert_eq!(all(&head("GET", "/", &[("host", "b.s3.amazonaws.com")])), ["/b/"]);
        assert_eq!(all(&head("GET", "/", &[])), ["/"]);
    }

    #[test]
    fn broken_signatures_have_s3_codes() {
        for bad in ["HAHAHA", ":x", "x:", ""] {
            assert_eq!(Signature::of_header(bad).unwrap_err().code, "InvalidArgument", "{bad}");
        }
        let good = Signature::of_header("AK:sig=").unwrap();
        assert_eq!((good.access_key.as_str(), good.signature.as_str()), ("AK", "sig="));
        for bad in [
            "Signature=a&Expires=1",
            "Signature=a&AWSAccessKeyId=b",
            "Signature=a&AWSAccessKeyId=b&Expires=x",
        ] {
            let got = Signature::of_query(&head("GET", &format!("/b/k?{bad}"), &[]));
            assert_eq!(got.unwrap_err().code, "AccessDenied", "{bad}");
        }
        let url =
            Signature::of_query(&head("GET", "/b/k?Signature=a%2B&AWSAccessKeyId=b&Expires=7", &[])).unwrap();
        assert_eq!((url.signature.as_str(), url.expires), ("a+", Some(7)));
        assert!(url.check_time(7).is_ok());
        assert_eq!(url.check_time(8).unwrap_err().message, "Request has expired");
    }
}
