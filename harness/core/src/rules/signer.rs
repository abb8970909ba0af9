//! Whose request it is, as far as a relay can see: the access key that a request names, unverified.

use percent_encoding::percent_decode_str;

/// The access key of a request: Signature Version 4 or 2, in the `Authorization` header or in a presigned query.
pub(super) fn access_key(headers: &[(&str, &str)], query: &str) -> Option<String> {
    let header = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let signed = header.and_then(|(_, value)| of_header(value));
    signed.map(str::to_owned).or_else(|| of_query(query)).filter(|key| !key.is_empty())
}

fn of_header(value: &str) -> Option<&str> {
    let (scheme, rest) = value.trim_start().split_once(' ')?;
    match scheme {
        "AWS" => rest.trim_start().split_once(':').map(|(key, _)| key),
        _ if scheme.starts_with("AWS4-") => {
            let scope = rest.split(',').find_map(|part| part.trim_start().strip_prefix("Credential="))?;
            scope.split('/').next()
        }
        _ => None,
    }
}

fn of_query(query: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value).decode_utf8_lossy();
        match name {
            "X-Amz-Credential" => value.split('/').next().map(str::to_owned),
            "AWSAccessKeyId" => Some(value.into_owned()),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_every_kind_of_signature() {
        let v4 = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/s3/aws4_request, SignedHeaders=host";
        let table = [
            (Some(v4), "", Some("AKID")),
            (Some("AWS4-HMAC-SHA256 SignedHeaders=host, Credential=AKID/x"), "", Some("AKID")),
            (Some("AWS AKID:c2ln"), "", Some("AKID")),
            (Some("Bearer AKID:x"), "", None),
            (Some("AWS4-HMAC-SHA256"), "", None),
            (None, "x=1&X-Amz-Credential=AKID%2F20260101%2Fus-east-1", Some("AKID")),
            (None, "AWSAccessKeyId=AKID&Signature=x", Some("AKID")),
            (None, "X-Amz-Credential=", None),
            (None, "", None),
        ];
        for (header, query, wanted) in table {
            let headers: Vec<_> = header.map(|value| ("authorization", value)).into_iter().collect();
            assert_eq!(access_key(&headers, query).as_deref(), wanted, "{header:?} {query}");
        }
    }
}
