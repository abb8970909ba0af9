//! Access keys and their secrets.

use std::fmt;

use gatecrash_model::hash;

/// A key pair. The secret is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Public half, as in `Authorization`.
    pub access_key: String,
    /// Secret half.
    pub secret_key: String,
}

impl Credentials {
    /// A pair.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into() }
    }

    /// The pair number `generation` of an identity under a seed: always the same one.
    pub fn generate(seed: u64, identity: &str, generation: u64) -> Self {
        let name = hash::bytes(identity.as_bytes());
        let letters = |salt: u64, count: u64| -> String {
            (0..count)
                .map(|at| {
                    let draw = hash::combine(&[seed, name, generation, salt, at]);
                    LETTERS[(draw % LETTERS.len() as u64) as usize] as char
                })
                .collect()
        };
        Self { access_key: format!("AKIA{}", letters(1, 16)), secret_key: letters(2, 40) }
    }
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// One letter of AWS's key alphabet for each byte.
pub(super) fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &mask(&self.access_key)).finish_non_exhaustive()
    }
}

/// An access key as it may be shown: the first four and the last two characters.
pub fn mask(access_key: &str) -> String {
    match (access_key.get(..4), access_key.len().checked_sub(2).and_then(|at| access_key.get(at..))) {
        (Some(first), Some(last)) if access_key.len() > 6 => format!("{first}…{last}"),
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_pairs_are_replayable_and_distinct() {
        let first = Credentials::generate(7, "app", 0);
        assert_eq!(first, Credentials::generate(7, "app", 0));
        assert_ne!(first, Credentials::generate(7, "app", 1));
        assert_ne!(first, Credentials::generate(7, "bob", 0));
        assert_eq!((first.access_key.len(), first.secret_key.len()), (20, 40));
    }

    #[test]
    fn secrets_are_never_shown() {
        let pair = Credentials::new("AKIAIOSFODNN7EXAMPLE", "hidden");
        assert_eq!(format!("{pair:?}"), "Credentials { access_key: \"AKIA…LE\", .. }");
        assert_eq!(mask("short"), "…");
    }
}
