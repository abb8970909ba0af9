//! Signing keys of Signature Version 4, and a cache of them for each thread.

use std::cell::RefCell;

use gatecrash_model::hash;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Credentials;

type HmacSha256 = Hmac<Sha256>;

/// A derived key, ready to sign.
#[derive(Clone)]
pub(crate) struct SigningKey(HmacSha256);

/// What a signing key is derived for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scope<'a> {
    /// `YYYYMMDD`.
    pub(crate) date: &'a str,
    pub(crate) region: &'a str,
    /// `s3`, `sts` or `iam`.
    pub(crate) service: &'a str,
}

/// One remembered key with everything it was derived from.
struct Remembered {
    secret: String,
    date: String,
    region: String,
    service: String,
    key: SigningKey,
}

/// Places of a thread's cache: keys of this many (secret, date, region, service) are at hand.
const PLACES: usize = 128;

thread_local! {
    /// Deriving a key costs four HMACs. Each thread has its own cache, so nobody waits for anybody; an entry is
    /// taken only when all it was derived from is the same, so mocks in one process do not meet here.
    static REMEMBERED: RefCell<Vec<Option<Remembered>>> = const { RefCell::new(Vec::new()) };
}

impl SigningKey {
    /// Four HMACs: date, region, service, terminator.
    pub(super) fn derive(secret: &str, scope: Scope<'_>) -> Self {
        let seed = format!("AWS4{secret}");
        let parts = [scope.date, scope.region, scope.service, "aws4_request"];
        let key = parts
            .into_iter()
            .fold(keyed(seed.as_bytes()), |key, part| keyed(&key.chain_update(part).finalize().into_bytes()));
        Self(key)
    }

    /// The derived key, from the cache if it is there.
    pub(crate) fn of(pair: &Credentials, scope: Scope<'_>) -> Self {
        let secret = pair.secret_key.as_str();
        let words =
            [secret, scope.date, scope.region, scope.service].map(|part| hash::bytes(part.as_bytes()));
        let place = (hash::combine(&words) % PLACES as u64) as usize;
        REMEMBERED.with_borrow_mut(|places| {
            if places.is_empty() {
                places.resize_with(PLACES, || None);
            }
            match &places[place] {
                Some(known) if known.is_for(secret, scope) => known.key.clone(),
                _ => {
                    let key = Self::derive(secret, scope);
                    places[place] = Some(Remembered::new(secret, scope, key.clone()));
                    key
                }
            }
        })
    }

    /// HMAC-SHA256 with this key.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(message).finalize().into_bytes().into()
    }
}

impl Remembered {
    fn new(secret: &str, scope: Scope<'_>, key: SigningKey) -> Self {
        Self {
            secret: secret.to_owned(),
            date: scope.date.to_owned(),
            region: scope.region.to_owned(),
            service: scope.service.to_owned(),
            key,
        }
    }

    fn is_for(&self, secret: &str, scope: Scope<'_>) -> bool {
        self.secret == secret
            && self.date == scope.date
            && self.region == scope.region
            && self.service == scope.service
    }
}

fn keyed(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC takes keys of any length")
}
