//! Temporary credentials without a table: everything about a session is in its token.
//!
//! A token is a small JSON document and a MAC over it, in base64url. The access key and the secret are derived
//! from the token, so nothing is kept, nothing runs full, and a restarted mock with the same seed still knows
//! its sessions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::caller::{Caller, Session};
use super::credentials::letters;
use super::{Credentials, sigv4::same};
use crate::errors::S3Error;
use crate::policy::{Kind, Policy};
use crate::settings::Settings;

/// Bytes of the MAC behind a token's document.
const MAC: usize = 16;
/// Tokens longer than this are not looked at.
const LONGEST: usize = 16 << 10;

/// Issues and opens session tokens.
pub(crate) struct Sessions {
    key: Hmac<Sha256>,
    issued: AtomicU64,
}

/// What a session is issued for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant<'a> {
    /// The user who asked for it, by name.
    pub(crate) user: Option<&'a str>,
    /// The role assumed, by account and name; none for GetSessionToken.
    pub(crate) role: Option<(&'a str, &'a str)>,
    pub(crate) session: &'a str,
    /// Seconds since the Unix epoch.
    pub(crate) issued: i64,
    pub(crate) expires: i64,
    /// Session policies in AWS JSON.
    pub(crate) policies: &'a [Value],
}

/// New temporary credentials.
pub(crate) struct Issued {
    pub(crate) credentials: Credentials,
    pub(crate) token: String,
}

impl Sessions {
    pub(crate) fn new(seed: u64) -> Self {
        let key = Hmac::new_from_slice(&seed.to_be_bytes()).expect("HMAC takes keys of any length");
        Self { key, issued: AtomicU64::new(0) }
    }

    /// Begins again: the same sessions get the same credentials.
    pub(crate) fn reset(&self) {
        self.issued.store(0, Ordering::Relaxed);
    }

    /// New credentials.
    pub(crate) fn issue(&self, grant: Grant<'_>) -> Issued {
        let document = json!({
            "n": self.issued.fetch_add(1, Ordering::Relaxed),
            "user": grant.user,
            "account": grant.role.map(|role| role.0),
            "role": grant.role.map(|role| role.1),
            "session": grant.session,
            "issued": grant.issued,
            "expires": grant.expires,
            "policies": grant.policies,
        });
        let mut bytes = document.to_string().into_bytes();
        let mac = self.mac("token", &bytes);
        bytes.extend_from_slice(&mac[..MAC]);
        Issued { credentials: self.credentials(&bytes), token: URL_SAFE_NO_PAD.encode(&bytes) }
    }

    /// Who uses a token, and the credentials that belong to it. `access_key` is what the request signed with.
    pub(crate) fn open(
        &self,
        token: &str,
        access_key: &str,
        wall: i64,
        settings: &Settings,
    ) -> Result<(Arc<Caller>, Credentials), S3Error> {
        let invalid = || S3Error::of("InvalidToken").extra("Token-0", token.get(..LONGEST).unwrap_or(token));
        if token.len() > LONGEST {
            return Err(invalid());
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        let (document, mac) = bytes.split_at_checked(bytes.len().saturating_sub(MAC)).ok_or_else(invalid)?;
        if !same(&self.mac("token", document)[..MAC], mac) {
            return Err(invalid());
        }
        let credentials = self.credentials(&bytes);
        if credentials.access_key != access_key {
            return Err(invalid());
        }
        let document: Value = serde_json::from_slice(document).map_err(|_| invalid())?;
        let caller = caller(&document, settings).ok_or_else(invalid)?;
        let ends = caller.session.as_ref().is_none_or(|session| {
            wall >= session.expires || settings.sessions_end.is_some_and(|end| session.issued <= end)
        });
        if ends {
            return Err(S3Error::of("ExpiredToken").extra("Token-0", token));
        }
        Ok((Arc::new(caller), credentials))
    }

    fn credentials(&self, token: &[u8]) -> Credentials {
        let access_key = format!("ASIA{}", letters(&self.mac("access key", token)[..16]));
        let secret_key = letters(&[self.mac("secret 1", token), self.mac("secret 2", token)].concat()[..40]);
        Credentials { access_key, secret_key }
    }

    fn mac(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        self.key.clone().chain_update(purpose).chain_update(bytes).finalize().into_bytes().into()
    }
}

/// The caller a token's document describes, if user and role are still there.
fn caller(document: &Value, settings: &Settings) -> Option<Caller> {
    let text = |name: &str| document[name].as_str();
    let policies = document["policies"].as_array()?;
    let policies = policies.iter().map(|policy| Policy::parse(policy, Kind::Identity).ok());
    let session = Session {
        name: text("session")?.to_owned(),
        issued: document["issued"].as_i64()?,
        expires: document["expires"].as_i64()?,
        policies: policies.collect::<Option<_>>()?,
    };
    let user = match text("user") {
        Some(name) => Some(settings.identity_named(name)?),
        None => None,
    };
    match (text("account"), text("role"), user) {
        (Some(account), Some(name), user) => {
            let index =
                settings.roles.iter().position(|role| role.account == account && role.name == name)?;
            Some(Caller::assumed_role(user, index, &settings.roles[index], session))
        }
        (None, None, Some(user)) => Some(settings.identities[user].caller.with_session(session)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        crate::compile::settings_for_tests()
    }

    fn grant() -> Grant<'static> {
        Grant { user: Some("app"), role: None, session: "app", issued: 100, expires: 200, policies: &[] }
    }

    fn code(result: Result<(Arc<Caller>, Credentials), S3Error>) -> String {
        result.map_or_else(|error| error.code.into_owned(), |_| "opened".to_owned())
    }

    #[test]
    fn a_token_opens_with_its_own_key_until_it_expires() {
        let (sessions, settings) = (Sessions::new(7), settings());
        let Issued { credentials, token } = sessions.issue(grant());
        let key = credentials.access_key.as_str();
        assert!(key.starts_with("ASIA") && key.len() == 20 && credentials.secret_key.len() == 40);
        let (caller, found) = sessions.open(&token, key, 199, &settings).unwrap();
        assert_eq!(found, credentials);
        assert_eq!((caller.identity, caller.principal.arn.ends_with(":user/app")), (Some(0), true));
        assert_eq!(caller.session.as_ref().unwrap().issued, 100);
        assert_eq!(code(sessions.open(&token, key, 200, &settings)), "ExpiredToken");
        assert_eq!(code(sessions.open(&token, "ASIAOTHER", 150, &settings)), "InvalidToken");
        assert_eq!(code(Sessions::new(8).open(&token, key, 150, &settings)), "InvalidToken");
        // The same seed knows it again; another session of the same user has other keys.
        assert_eq!(code(Sessions::new(7).open(&token, key, 150, &settings)), "opened");
        assert_ne!(sessions.issue(grant()).credentials.access_key, credentials.access_key);
        let mut ended = settings.clone();
        ended.sessions_end = Some(100);
        assert_eq!(code(sessions.open(&token, key, 150, &ended)), "ExpiredToken");
    }

    #[test]
    fn garbage_is_no_token() {
        let (sessions, settings) = (Sessions::new(7), settings());
        let Issued { credentials, token } = sessions.issue(grant());
        let mut changed = token.clone().into_bytes();
        changed[3] ^= 1;
        let changed = String::from_utf8_lossy(&changed).into_owned();
        for bad in ["", "AAAA", "not base64!", &changed, &token[1..], &"A".repeat(20_000)] {
            let got = code(sessions.open(bad, &credentials.access_key, 150, &settings));
            assert_eq!(got, "InvalidToken", "{bad:.20}");
        }
        let gone = sessions.issue(Grant { user: Some("nobody"), ..grant() });
        let key = gone.credentials.access_key.as_str();
        assert_eq!(code(sessions.open(&gone.token, key, 150, &settings)), "InvalidToken");
    }

    #[test]
    fn a_role_session_is_the_role() {
        let (sessions, settings) = (Sessions::new(7), settings());
        let role = Some(("000000000001", "reader"));
        let Issued { credentials, token } = sessions.issue(Grant { role, session: "s", ..grant() });
        let (caller, _) = sessions.open(&token, &credentials.access_key, 150, &settings).unwrap();
        assert_eq!(caller.principal.arn, "arn:aws:sts::000000000001:assumed-role/reader/s");
        assert_eq!((caller.identity, caller.role), (Some(0), Some(0)));
    }
}
