//! What a bucket may be called (S3 user guide, "General purpose bucket naming rules").

use std::net::Ipv4Addr;

/// Beginnings that AWS keeps for itself.
const PREFIXES: [&str; 4] = ["xn--", "sthree-", "amzn-s3-demo-", "sthree-configurator"];
/// Ends that AWS keeps for itself.
const SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// 3 to 63 of lower-case letters, digits, hyphens and dots, a letter or digit at both ends; no two dots together,
/// no IPv4 address, and nothing that is reserved.
pub(super) fn is_bucket_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| plain(*b) || matches!(b, b'-' | b'.'))
        && [bytes[0], bytes[bytes.len() - 1]].into_iter().all(plain)
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
        && !PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        for good in ["abc", "a.b-c", "0ab", "a.-b", "1.2.3.4.5", "192.168.5", &longest] {
            assert!(is_bucket_name(good), "{good}");
        }
        let bad =
            ["ab", "Abc", "a_c", "-ab", "ab-", ".ab", "a..b", "192.168.5.4", "xn--a", "sthree-a", &longer];
        for bad in bad.into_iter().chain(["a-s3alias", "a--ol-s3", "a.mrap", "é-bucket", "a b"]) {
            assert!(!is_bucket_name(bad), "{bad}");
        }
    }
}
