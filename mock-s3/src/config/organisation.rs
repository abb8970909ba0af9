//! What an account's organisation says beyond the account's own policies.

use serde_json::Value;

/// The controls over one account, by level: the organisation's root, each organisational unit on the way, the
/// account itself. Without levels nothing is limited.
#[derive(Clone, Debug, Default)]
pub struct AccountControls {
    /// Its number.
    pub account: String,
    /// Service control policies in AWS JSON, by level: what the account's users and roles may do at most.
    /// Each level must allow.
    pub service_control: Vec<Vec<Value>>,
    /// Resource control policies in AWS JSON, by level: what may not be done to the account's buckets. AWS
    /// has `RCPFullAWSAccess`, which allows everyone everything, on every level; it need not be written.
    pub resource_control: Vec<Vec<Value>>,
}
