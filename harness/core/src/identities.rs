//! Identities files: who may sign at a mock that is served alone.
//!
//! YAML or JSON, read with the care of scenario files: every mistake at its place, unknown keys by name. What
//! policies mean is not known here; a refused one is reported at its place with [`Identities::refuse`].

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::diagnostics::{Diagnostic, Diagnostics, Place, SourceText};
use crate::scenario::decode::Spanned;
use crate::scenario::from_yaml;
use crate::units::Span;

/// The account of an identity that names none.
pub const DEFAULT_ACCOUNT: &str = "000000000001";

/// A file's identities and roles, in its order.
#[derive(Clone)]
pub struct Identities {
    source: SourceText,
    /// One or more.
    pub list: Vec<Identity>,
    /// What some of them may turn into.
    pub roles: Vec<Role>,
}

/// One user, or the root user of an account.
#[derive(Clone)]
pub struct Identity {
    /// Unique, 1 to 64 letters, digits or `+=,.@_-` (IAM's rule for user names).
    pub name: String,
    /// Twelve digits.
    pub account: String,
    /// Shown in owners and grants.
    pub display_name: Option<String>,
    /// The account's address, for grants by e-mail.
    pub email: Option<String>,
    /// The account's canonical id, 64 hex digits; derived from the account when absent.
    pub canonical_id: Option<String>,
    /// Access key and secret key; generated when absent.
    pub keys: Option<(String, String)>,
    /// Whether it is the account's root user: no identity policy limits it.
    pub root: bool,
    /// Identity policies, AWS JSON.
    pub policies: Vec<PlacedPolicy>,
    /// The permissions boundary.
    pub boundary: Option<PlacedPolicy>,
}

/// A role that STS gives sessions of.
#[derive(Clone, Debug)]
pub struct Role {
    /// Unique, as an identity's.
    pub name: String,
    /// Twelve digits.
    pub account: String,
    /// Who may assume it.
    pub trust: PlacedPolicy,
    /// Identity policies, AWS JSON.
    pub policies: Vec<PlacedPolicy>,
    /// The permissions boundary.
    pub boundary: Option<PlacedPolicy>,
    /// The longest session, 1 to 12 hours.
    pub longest_session: Span,
}

/// A policy and where it stands.
#[derive(Clone, Debug)]
pub struct PlacedPolicy {
    /// The document.
    pub document: Value,
    place: Place,
}

/// The file as written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    identities: Vec<Entry>,
    #[serde(default)]
    roles: Vec<RoleEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    #[serde(default)]
    account: Option<Spanned<String>>,
    #[serde(default)]
    display_name: Option<Spanned<String>>,
    #[serde(default)]
    email: Option<Spanned<String>>,
    #[serde(default)]
    canonical_id: Option<Spanned<String>>,
    #[serde(default)]
    access_key: Option<Spanned<String>>,
    #[serde(default)]
    secret_key: Option<Spanned<String>>,
    #[serde(default)]
    root: bool,
    #[serde(default)]
    policies: Vec<PlacedPolicy>,
    #[serde(default)]
    boundary: Option<PlacedPolicy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RoleEntry {
    name: Spanned<String>,
    #[serde(default)]
    account: Option<Spanned<String>>,
    trust: PlacedPolicy,
    #[serde(default)]
    policies: Vec<PlacedPolicy>,
    #[serde(default)]
    boundary: Option<PlacedPolicy>,
    #[serde(default)]
    longest_session: Option<Spanned<Span>>,
}

/// A key of the file whose value has a form.
struct Form {
    key: &'static str,
    expected: &'static str,
    holds: fn(&str) -> bool,
}

const NAME: Form = Form {
    key: "name",
    expected: "1 to 64 letters, digits or +=,.@_-",
    holds: |text| {
        let legal = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
        (1..=64).contains(&text.len()) && text.chars().all(legal)
    },
};
const ACCOUNT: Form = Form {
    key: "account",
    expected: "twelve digits, in quotes",
    holds: |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()),
};
const DISPLAY_NAME: Form = Form {
    key: "display-name",
    expected: "1 to 256 characters",
    holds: |text| (1..=256).contains(&text.len()),
};
const EMAIL: Form = Form {
    key: "email",
    expected: "an address such as app@example.com",
    holds: |text| {
        let graphic = text.bytes().all(|b| b.is_ascii_graphic());
        graphic && text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
    },
};
const CANONICAL_ID: Form = Form {
    key: "canonical-id",
    expected: "64 hexadecimal digits in lower case",
    holds: |text| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
};
/// A slash would end the key in a credential scope, other signs would need escapes in a URL.
const ACCESS_KEY: Form = Form {
    key: "access-key",
    expected: "1 to 128 letters, digits or _",
    holds: |text| {
        (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    },
};
const SECRET_KEY: Form = Form {
    key: "secret-key",
    expected: "1 to 256 visible characters",
    holds: |text| (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()),
};

// === impl Identities ===

impl Identities {
    /// Reads a file, or says everything that is wrong with it.
    pub fn read(source: &SourceText) -> Result<Self, Diagnostics> {
        let file: File = from_yaml(source)?;
        let mut problems = Vec::new();
        if file.identities.is_empty() {
            let place = Place::new(0, 0, source.text.find('\n').unwrap_or(source.text.len()));
            problems.push(Diagnostic::error("no identity", place, "expected one or more below `identities`"));
        }
        file.identities.iter().for_each(|entry| entry.check(&mut problems));
        file.roles.iter().for_each(|role| role.check(&mut problems));
        once("name", file.identities.iter().map(|e| &e.name), &mut problems);
        once("name", file.roles.iter().map(|e| &e.name), &mut problems);
        once("access key", file.identities.iter().filter_map(|e| e.access_key.as_ref()), &mut problems);
        agree(&file.identities, &mut problems);
        if problems.is_empty() {
            let list = file.identities.into_iter().map(Identity::from).collect();
            let roles = file.roles.into_iter().map(Role::from).collect();
            return Ok(Self { source: source.clone(), list, roles });
        }
        Err(Diagnostics::new(vec![source.clone()], problems))
    }

    /// The mistake that a policy is for whoever understands policies.
    pub fn refuse(&self, policy: &PlacedPolicy, why: &str) -> Diagnostics {
        let problem = Diagnostic::error(format!("invalid policy: {why}"), policy.place, "this policy");
        Diagnostics::new(vec![self.source.clone()], vec![problem])
    }
}

/// What must not stand twice.
fn once<'e>(what: &str, values: impl Iterator<Item = &'e Spanned<String>>, problems: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for value in values {
        if let Some(first) = seen.get(value.value.as_str()) {
            // An access key is half a secret: it is pointed at, not repeated.
            let problem = Diagnostic::error(format!("the same {what} twice"), value.place, "used before");
            problems.push(problem.also(*first, "first here"));
        } else {
            seen.insert(&value.value, value.place);
        }
    }
}

/// An account has one canonical id and an address belongs to one account.
fn agree(entries: &[Entry], problems: &mut Vec<Diagnostic>) {
    let mut ids: Vec<(&str, &Spanned<String>)> = Vec::new();
    let mut emails: Vec<(&str, &Spanned<String>)> = Vec::new();
    for entry in entries {
        if let Some(id) = &entry.canonical_id {
            let other = ids.iter().find(|(a, known)| (*a == entry.account()) != (known.value == id.value));
            if let Some((_, other)) = other {
                let problem = Diagnostic::error(
                    "an account has one canonical id, and no other account has it",
                    id.place,
                    "does not fit",
                );
                problems.push(problem.also(other.place, "with this"));
            }
            ids.push((entry.account(), id));
        }
        if let Some(email) = &entry.email {
            let other = emails.iter().find(|(a, known)| *a != entry.account() && known.value == email.value);
            if let Some((_, other)) = other {
                let problem = Diagnostic::error("an e-mail of two accounts", email.place, "used before");
                problems.push(problem.also(other.place, "first here"));
            }
            emails.push((entry.account(), email));
        }
    }
}

// === impl Entry ===

impl Entry {
    fn account(&self) -> &str {
        self.account.as_ref().map_or(DEFAULT_ACCOUNT, |account| &account.value)
    }

    fn check(&self, problems: &mut Vec<Diagnostic>) {
        let optional = [
            (&self.account, &ACCOUNT),
            (&self.display_name, &DISPLAY_NAME),
            (&self.email, &EMAIL),
            (&self.canonical_id, &CANONICAL_ID),
            (&self.access_key, &ACCESS_KEY),
            (&self.secret_key, &SECRET_KEY),
        ];
        NAME.check(&self.name, problems);
        for (value, form) in optional {
            if let Some(value) = value {
                form.check(value, problems);
            }
        }
        let lonely = |given: &Spanned<String>, missing: &str| {
            Diagnostic::error(format!("a key pair without its {missing}"), given.place, "half of a pair")
                .help("give both halves, or neither: then a pair is generated and printed")
        };
        match (&self.access_key, &self.secret_key) {
            (Some(access), None) => problems.push(lonely(access, "secret-key")),
            (None, Some(secret)) => problems.push(lonely(secret, "access-key")),
            _ => {}
        }
    }
}

impl From<Entry> for Identity {
    fn from(entry: Entry) -> Self {
        let account = entry.account().to_owned();
        let text = |value: Option<Spanned<String>>| value.map(|value| value.value);
        Self {
            name: entry.name.value,
            account,
            display_name: text(entry.display_name),
            email: text(entry.email),
            canonical_id: text(entry.canonical_id),
            keys: text(entry.access_key).zip(text(entry.secret_key)),
            root: entry.root,
            policies: entry.policies,
            boundary: entry.boundary,
        }
    }
}

// === impl RoleEntry ===

impl RoleEntry {
    fn check(&self, problems: &mut Vec<Diagnostic>) {
        NAME.check(&self.name, problems);
        if let Some(account) = &self.account {
            ACCOUNT.check(account, problems);
        }
        if let Some(longest) = &self.longest_session
            && !(Span::seconds(3600)..=Span::seconds(12 * 3600)).contains(&longest.value)
        {
            let label = "expected 1h to 12h";
            problems.push(Diagnostic::error("invalid `longest-session`", longest.place, label));
        }
    }
}

impl From<RoleEntry> for Role {
    fn from(entry: RoleEntry) -> Self {
        Self {
            name: entry.name.value,
            account: entry.account.map_or_else(|| DEFAULT_ACCOUNT.to_owned(), |account| account.value),
            trust: entry.trust,
            policies: entry.policies,
            boundary: entry.boundary,
            longest_session: entry.longest_session.map_or(Span::seconds(3600), |span| span.value),
        }
    }
}

// === impl PlacedPolicy ===

impl<'de> Deserialize<'de> for PlacedPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, place } = Spanned::deserialize(deserializer)?;
        Ok(Self { document: value, place })
    }
}

impl Form {
    fn check(&self, value: &Spanned<String>, problems: &mut Vec<Diagnostic>) {
        if !(self.holds)(&value.value) {
            let label = format!("expected {}", self.expected);
            problems.push(Diagnostic::error(format!("invalid `{}`", self.key), value.place, label));
        }
    }
}

// The text of the file holds secrets.
impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identities").field("list", &self.list).finish_non_exhaustive()
    }
}

// The keys of an identity are a secret: neither half is shown.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.name)
            .field("account", &self.account)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
