//! Who signs. Secrets never show in Debug output.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// An access key with its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret: String,
    /// Token of temporary credentials.
    pub session_token: Option<String>,
}

/// The credentials a client holds now; a rotation swaps them while requests are under way.
#[derive(Debug)]
pub struct CredentialSource {
    current: Mutex<Arc<Credentials>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.access_key;
        let masked = match (key.get(..4), key.len().checked_sub(2).and_then(|at| key.get(at..))) {
            (Some(first), Some(last)) if key.len() > 8 => format!("{first}…{last}"),
            _ => "…".to_owned(),
        };
        f.debug_struct("Credentials").field("access_key", &masked).finish_non_exhaustive()
    }
}

impl CredentialSource {
    /// Starts with these.
    pub fn new(credentials: Credentials) -> Self {
        Self { current: Mutex::new(Arc::new(credentials)) }
    }

    /// Requests signed from now on use these.
    pub fn swap(&self, credentials: Credentials) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(credentials);
    }

    /// What is in use now.
    pub fn current(&self) -> Arc<Credentials> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_keeps_secrets() {
        let credentials = Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI".into(),
            session_token: Some("token-of-mine".into()),
        };
        let shown = format!("{:?}", CredentialSource::new(credentials));
        assert!(shown.contains("AKIA…LE"), "{shown}");
        assert!(
            !shown.contains("wJal") && !shown.contains("token-of-mine") && !shown.contains("IOSF"),
            "{shown}"
        );
    }
}
