//! Keyed draws: every random-looking choice is a hash of what it is about, never of when it was made.

/// A number in [0, 1) that depends on `key` and `purpose` alone.
pub(crate) fn unit(key: &str, purpose: &str) -> f64 {
    (bits(key, purpose) >> 11) as f64 / (1_u64 << 53) as f64
}

/// An identifier in the form of a UUID that depends on `key` alone.
pub(crate) fn uuid(key: &str) -> String {
    let (high, low) = (bits(key, "uuid, first half"), bits(key, "uuid, second half"));
    let (version, variant) = (high & 0xfff | 0x4000, low >> 48 & 0x3fff | 0x8000);
    format!(
        "{:08x}-{:04x}-{version:04x}-{variant:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        low & 0xffff_ffff_ffff
    )
}

fn bits(key: &str, purpose: &str) -> u64 {
    // FNV-1a over both strings with a separator, then the SplitMix64 finaliser to spread close keys.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key.bytes().chain([0xff]).chain(purpose.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_its_key_and_purpose_only() {
        assert_eq!(unit("9f2c41aa-0-1", "a"), unit("9f2c41aa-0-1", "a"));
        assert_ne!(unit("9f2c41aa-0-1", "a"), unit("9f2c41aa-0-2", "a"));
        assert_ne!(unit("9f2c41aa-0-1", "a"), unit("9f2c41aa-0-1", "b"));
    }

    #[test]
    fn an_identifier_is_a_uuid_of_version_4() {
        let id = uuid("9f2c41aa-0-1");
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert!(id[14..].starts_with('4') && "89ab".contains(&id[19..20]), "{id}");
        assert_eq!((uuid("9f2c41aa-0-1") == id, uuid("9f2c41aa-0-2") == id), (true, false));
    }

    #[test]
    fn draws_are_spread_evenly() {
        let below = (0..10_000).filter(|k| unit(&format!("9f2c41aa-0-{k}"), "x") < 0.1).count();
        assert!((900..1100).contains(&below), "{below}");
    }
}
