//! Keyed draws: every random-looking choice is a hash of what it is about, never of when it was made.

/// A number in [0, 1) that depends on `key` and `purpose` alone.
pub(crate) fn unit(key: &str, purpose: &str) -> f64 {
    // FNV-1a over both strings with a separator, then the SplitMix64 finaliser to spread close keys.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key.bytes().chain([0xff]).chain(purpose.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    (hash >> 11) as f64 / (1_u64 << 53) as f64
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
    fn draws_are_spread_evenly() {
        let below = (0..10_000).filter(|k| unit(&format!("9f2c41aa-0-{k}"), "x") < 0.1).count();
        assert!((900..1100).contains(&below), "{below}");
    }
}
