//! Roles: permissions that others take on for a while.

use std::time::Duration;

use serde_json::{Value, json};

use super::DEFAULT_ACCOUNT;

/// One role that STS gives sessions of.
#[derive(Clone, Debug)]
pub struct RoleConfig {
    /// The ARN is `arn:aws:iam::<account>:role/<name>`.
    pub name: String,
    /// Its account.
    pub account: String,
    /// The trust policy in AWS JSON: whom `sts:AssumeRole` is allowed.
    pub trust: Value,
    /// Identity policies in AWS JSON.
    pub policies: Vec<Value>,
    /// The permissions boundary in AWS JSON.
    pub boundary: Option<Value>,
    /// The longest session; AWS takes 1 to 12 hours.
    pub longest_session: Duration,
}

impl RoleConfig {
    /// A role of the default account that principals with these ARNs, or accounts, may assume.
    pub fn new(name: &str, trusted: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            account: DEFAULT_ACCOUNT.to_owned(),
            trust: json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": { "AWS": trusted },
                    "Action": "sts:AssumeRole",
                }],
            }),
            policies: Vec::new(),
            boundary: None,
            longest_session: Duration::from_secs(3600),
        }
    }

    /// Sessions may do `actions` on `resources` (both with `*` and `?`).
    pub fn allow(mut self, actions: &[&str], resources: &[&str]) -> Self {
        self.policies.push(json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resources }],
        }));
        self
    }
}
