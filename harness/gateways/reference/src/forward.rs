//! The request as the upstream gets it: bucket, Host, framing, Via, and the gateway's own signature.

use std::borrow::Cow;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, EXPECT, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use time::OffsetDateTime;

use crate::config::{Config, Misconfigure, Signing, Upstream};
use crate::defects::Active;
use crate::downstream::{ClientRequest, RequestBody, mark};
use crate::headers::keep_end_to_end;
use crate::sign::{ToSign, sha256_hex, timestamp};
use crate::upstream::Failure;

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const AMZ_PAYLOAD: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const AMZ_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Bytes of the request head for `address` in `region`, made at `now`.
pub(crate) fn head(
    request: &ClientRequest,
    region: &Upstream,
    address: SocketAddr,
    config: &Config,
    active: Active,
    now: OffsetDateTime,
) -> Result<Bytes, Failure> {
    let region = mistaken_region(region, config);
    let path = mapped_path(&request.path, &region, config);
    let mut query = request.query.clone().unwrap_or_default();
    let mut headers = request.headers.clone();
    keep_end_to_end(&mut headers);
    headers.remove(EXPECT);
    frame(&mut headers, request);
    let host = host(&headers, address, config, active);
    headers.insert(HOST, host);
    mark(&mut headers);
    if let Some(signing) = &config.signing {
        query = without_signature(&query);
        sign(&mut headers, signing, &region.region, request, &path, &query, now)?;
    }
    Ok(write(&request.method, &path, &query, &headers))
}

/// The region whose name and buckets are used: `region`, unless the configuration is wrong about it.
fn mistaken_region<'a>(region: &'a Upstream, config: &'a Config) -> Cow<'a, Upstream> {
    let Some(Misconfigure::Region(name)) = &config.misconfigure else {
        return Cow::Borrowed(region);
    };
    let known = config.upstreams.iter().find(|upstream| upstream.region == *name);
    known.map_or_else(|| Cow::Owned(Upstream { region: name.clone(), ..region.clone() }), Cow::Borrowed)
}

/// The path with the bucket's name in that region.
fn mapped_path(path: &str, region: &Upstream, config: &Config) -> String {
    let rest = path.strip_prefix('/').unwrap_or(path);
    let bucket = rest.split('/').next().unwrap_or_default();
    let name = match &config.misconfigure {
        Some(Misconfigure::Bucket(name)) if !bucket.is_empty() => name,
        _ => match region.buckets.get(bucket) {
            Some(name) => name,
            None => return path.to_owned(),
        },
    };
    format!("/{name}{}", &rest[bucket.len()..])
}

/// States the body's length the way it will be sent.
fn frame(headers: &mut HeaderMap, request: &ClientRequest) {
    let stated = headers.remove(CONTENT_LENGTH).is_some();
    match request.body.length() {
        Some(0) if !stated && !matches!(request.method, Method::PUT | Method::POST) => {}
        Some(length) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        None => {
            headers.insert(http::header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
}

fn host(headers: &HeaderMap, address: SocketAddr, config: &Config, active: Active) -> HeaderValue {
    let own = || HeaderValue::try_from(address.to_string()).expect("an address is visible ASCII");
    if let Some(Misconfigure::Host(host)) = &config.misconfigure
        && let Ok(host) = HeaderValue::try_from(host)
    {
        return host;
    }
    let preserves = config.preserve_host && config.signing.is_none() && !active.rewrites_host();
    let preserved = headers.get(HOST).filter(|_| preserves);
    preserved.cloned().unwrap_or_else(own)
}

/// Puts the gateway's signature in the place of the client's.
fn sign(
    headers: &mut HeaderMap,
    signing: &Signing,
    region: &str,
    request: &ClientRequest,
    path: &str,
    query: &str,
    now: OffsetDateTime,
) -> Result<(), Failure> {
    let payload = payload(headers, &request.body)?;
    for name in [AUTHORIZATION, AMZ_DATE, AMZ_PAYLOAD, AMZ_TOKEN] {
        headers.remove(name);
    }
    let value = |text: &str| HeaderValue::try_from(text).expect("signatures are visible ASCII");
    headers.insert(AMZ_DATE, value(&timestamp(now)));
    headers.insert(AMZ_PAYLOAD, value(&payload));
    let mut signed: Vec<(&str, &str)> = headers
        .iter()
        .filter(|(name, _)| is_signed(name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    signed.sort_unstable_by_key(|(name, _)| *name);
    let to_sign = ToSign {
        method: request.method.as_str(),
        path,
        query,
        headers: &signed,
        payload: &payload,
        region,
        at: now,
    };
    let authorization = value(&to_sign.authorization(&signing.access_key, &signing.secret_key.0));
    headers.insert(AUTHORIZATION, authorization);
    Ok(())
}

fn is_signed(name: &str) -> bool {
    matches!(name, "host" | "content-md5" | "content-type") || name.starts_with("x-amz-")
}

/// Value of x-amz-content-sha256 for the body.
fn payload(headers: &HeaderMap, body: &RequestBody) -> Result<String, Failure> {
    let stated = headers.get(AMZ_PAYLOAD).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if stated.starts_with("STREAMING-AWS4") {
        return Err(Failure::NotImplemented("a body signed chunk by chunk cannot be signed anew"));
    }
    if stated.starts_with("STREAMING-UNSIGNED") {
        return Ok(stated.to_owned());
    }
    if let RequestBody::Buffered(bytes) = body {
        return Ok(sha256_hex(bytes));
    }
    let digest = stated.len() == 64 && stated.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(if digest { stated.to_owned() } else { "UNSIGNED-PAYLOAD".to_owned() })
}

/// The query without a presigned URL's parameters.
fn without_signature(query: &str) -> String {
    const PRESIGNED: [&str; 7] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
    ];
    let kept = query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !PRESIGNED.iter().any(|presigned| presigned.eq_ignore_ascii_case(name))
    });
    kept.collect::<Vec<_>>().join("&")
}

fn write(method: &Method, path: &str, query: &str, headers: &HeaderMap) -> Bytes {
    let mut head = Vec::with_capacity(512);
    head.extend_from_slice(method.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(path.as_bytes());
    if !query.is_empty() {
        head.push(b'?');
        head.extend_from_slice(query.as_bytes());
    }
    head.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head.into()
}
