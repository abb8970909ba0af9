//! What a request's head says about the checksums of its body, or of the object it completes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

use super::{Algorithm, Checksum, Digest, Kind};
use crate::errors::S3Error;

/// The checksums a body has to have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Declared {
    /// What is to be computed; none when nothing was asked for.
    pub(crate) algorithm: Option<Algorithm>,
    /// The value of the header.
    pub(crate) expected: Option<Digest>,
    /// The value comes behind the body.
    pub(crate) trailing: bool,
    /// `Content-MD5`.
    pub(crate) md5: Option<[u8; 16]>,
}

impl Declared {
    /// Reads `x-amz-checksum-*`, `x-amz-trailer`, `x-amz-sdk-checksum-algorithm` and `Content-MD5`.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, S3Error> {
        let md5 = content_md5(headers)?;
        let header = value_header(headers)?;
        let trailer = trailer(headers)?;
        let requested = text(headers, "x-amz-sdk-checksum-algorithm")
            .map(|name| Algorithm::named(name).ok_or_else(|| invalid("x-amz-sdk-checksum-algorithm")));
        let requested = requested.transpose()?;
        let (algorithm, expected) = match (header, trailer) {
            (Some(_), Some(_)) => {
                return Err(
                    S3Error::of("InvalidRequest").message("Expecting a single x-amz-checksum- header")
                );
            }
            (Some((algorithm, value)), None) => {
                let digest = Digest::parse(value, algorithm.length());
                (Some(algorithm), Some(digest.ok_or_else(|| invalid(algorithm.header()))?))
            }
            (None, trailer) => (trailer, None),
        };
        match (requested, algorithm) {
            // SDKs of before 2025 name the algorithm and send Content-MD5 alone.
            (Some(_), None) if md5.is_none() => Err(S3Error::of("InvalidRequest").message(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or \
                 x-amz-trailer headers were found.",
            )),
            (Some(requested), Some(algorithm)) if requested != algorithm => {
                Err(invalid("x-amz-sdk-checksum-algorithm"))
            }
            _ => Ok(Self { algorithm, expected, trailing: trailer.is_some(), md5 }),
        }
    }
}

/// The checksum a request says its whole object has (CompleteMultipartUpload): full or composite (`-N`).
pub(crate) fn of_object(headers: &HeaderMap) -> Result<Option<Checksum>, S3Error> {
    let Some((algorithm, value)) = value_header(headers)? else { return Ok(None) };
    let (digest, kind) = match value.split_once('-') {
        None => (value, Kind::FullObject),
        Some((digest, parts)) if parts.parse::<u32>().is_ok() => (digest, Kind::Composite),
        Some(_) => return Err(invalid(algorithm.header())),
    };
    Digest::parse(digest, algorithm.length()).ok_or_else(|| invalid(algorithm.header()))?;
    Ok(Some(Checksum { algorithm, value: value.to_owned(), kind }))
}

/// The one `x-amz-checksum-*` header that carries a value.
fn value_header(headers: &HeaderMap) -> Result<Option<(Algorithm, &str)>, S3Error> {
    let mut found = None;
    for (name, value) in headers {
        let Some(kind) = name.as_str().strip_prefix("x-amz-checksum-") else { continue };
        if matches!(kind, "algorithm" | "type" | "mode") {
            continue;
        }
        let algorithm = Algorithm::of_header(name.as_str()).ok_or_else(unknown)?;
        if found.is_some() {
            return Err(S3Error::of("InvalidRequest").message(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        found = Some((algorithm, value.to_str().map_err(|_| invalid(algorithm.header()))?));
    }
    Ok(found)
}

/// The checksum that `x-amz-trailer` announces.
fn trailer(headers: &HeaderMap) -> Result<Option<Algorithm>, S3Error> {
    let names = text(headers, "x-amz-trailer").unwrap_or_default();
    let mut sums = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let Some(name) = sums.next() else { return Ok(None) };
    let algorithm = Algorithm::of_header(name).ok_or_else(|| {
        S3Error::of("InvalidRequest")
            .message("The value specified in the x-amz-trailer header is not supported")
    })?;
    match sums.next() {
        None => Ok(Some(algorithm)),
        Some(_) => Err(S3Error::of("InvalidRequest")
            .message("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")),
    }
}

fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, S3Error> {
    let Some(declared) = headers.get("content-md5") else { return Ok(None) };
    let declared = String::from_utf8_lossy(declared.as_bytes());
    let digest = STANDARD.decode(declared.trim()).ok().and_then(|digest| digest.try_into().ok());
    match digest {
        Some(digest) => Ok(Some(digest)),
        None => Err(S3Error::of("InvalidDigest").extra("Content-MD5", declared)),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn invalid(header: &str) -> S3Error {
    S3Error::of("InvalidRequest").message(format!("Value for {header} header is invalid."))
}

fn unknown() -> S3Error {
    S3Error::of("InvalidRequest")
        .message("The algorithm type you specified in x-amz-checksum- header is invalid.")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn declared(headers: &[(&'static str, &str)]) -> Result<Declared, (String, String)> {
        Declared::of(&map(headers)).map_err(|e| (e.code.into_owned(), e.message.into_owned()))
    }

    #[test]
    fn what_a_body_must_have() {
        assert_eq!(declared(&[]), Ok(Declared::default()));
        let header = declared(&[("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-checksum-type", "COMPOSITE")]);
        let expected = Some(Digest::new(&[0x36, 0x10, 0xa6, 0x86]));
        let crc32 = Declared { algorithm: Some(Algorithm::Crc32), expected, ..Declared::default() };
        assert_eq!(header, Ok(crc32));
        let trailer = declared(&[
            ("x-amz-trailer", "X-Amz-Checksum-Crc64nvme"),
            ("x-amz-sdk-checksum-algorithm", "CRC64NVME"),
        ]);
        let crc64 = Declared { algorithm: Some(Algorithm::Crc64Nvme), trailing: true, ..Declared::default() };
        assert_eq!(trailer, Ok(crc64));
        let md5 =
            declared(&[("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="), ("x-amz-sdk-checksum-algorithm", "MD5")]);
        assert!(md5.is_err(), "MD5 is no algorithm here");
        let md5 = declared(&[("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")]).unwrap();
        assert_eq!(md5.md5.unwrap()[..2], [0x5d, 0x41]);
    }

    #[test]
    fn what_is_wrong_is_told_as_s3_tells_it() {
        let single = "Expecting a single x-amz-checksum- header";
        let table: &[(Headers, &str, &str)] = &[
            (&[("content-md5", "")], "InvalidDigest", "The Content-MD5 you specified was invalid."),
            (&[("content-md5", "YWJyYWNhZGFicmE=")], "InvalidDigest", "The Content-MD5"),
            (
                &[("x-amz-checksum-crc32", "")],
                "InvalidRequest",
                "Value for x-amz-checksum-crc32 header is invalid.",
            ),
            (&[("x-amz-checksum-sha1", "NhCmhg==")], "InvalidRequest", "Value for x-amz-checksum-sha1"),
            (
                &[("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-checksum-crc32c", "NhCmhg==")],
                "InvalidRequest",
                "Expecting a single x-amz-checksum- header. Multiple",
            ),
            (
                &[("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-trailer", "x-amz-checksum-crc32")],
                "InvalidRequest",
                single,
            ),
            (&[("x-amz-trailer", "x-other")], "InvalidRequest", "The value specified in the x-amz-trailer"),
            (&[("x-amz-checksum-md4", "NhCmhg==")], "InvalidRequest", "The algorithm type you specified"),
            (
                &[("x-amz-sdk-checksum-algorithm", "CRC32")],
                "InvalidRequest",
                "x-amz-sdk-checksum-algorithm specified",
            ),
            (
                &[("x-amz-sdk-checksum-algorithm", "SHA1"), ("x-amz-checksum-crc32", "NhCmhg==")],
                "InvalidRequest",
                "Value for x-amz-sdk-checksum-algorithm header is invalid.",
            ),
        ];
        for (headers, code, message) in table {
            let (got, text) = declared(headers).unwrap_err();
            assert_eq!(got, *code, "{headers:?}");
            assert!(text.starts_with(message), "{headers:?}: {text}");
        }
    }

    #[test]
    fn the_checksum_of_an_object_may_be_composite() {
        let got = of_object(&map(&[("x-amz-checksum-crc32", "NhCmhg==-3")])).unwrap().unwrap();
        assert_eq!((got.kind, got.value.as_str()), (Kind::Composite, "NhCmhg==-3"));
        assert_eq!(got.digest(), Some(Algorithm::Crc32.of(b"hello")));
        assert!(of_object(&map(&[("x-amz-checksum-crc32", "NhCmhg==-x")])).is_err());
        assert_eq!(of_object(&map(&[])).unwrap(), None);
    }
}
