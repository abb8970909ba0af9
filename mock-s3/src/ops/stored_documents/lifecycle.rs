//! Lifecycle rules are kept; nothing expires by them.

use super::super::{Call, document};
use super::{Change, enabled, nothing_else};
use crate::errors::S3Error;
use crate::xml_tree::Node;

/// S3 takes this many rules.
const MOST: usize = 1000;
/// And ids of this length.
const ID: usize = 255;
/// What a rule must have at least one of.
const ACTIONS: [&str; 6] = [
    "AbortIncompleteMultipartUpload",
    "Expiration",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransition",
    "Transition",
    "ExpiredObjectDeleteMarker",
];

/// Every rule has a status and an action; ids differ, and are made up where there is none.
pub(super) fn check(call: &Call<'_>, given: &mut Node) -> Result<Change, S3Error> {
    if given.children.is_empty() || given.children.len() > MOST {
        return Err(document::malformed());
    }
    let mut ids: Vec<String> = Vec::new();
    for (at, rule) in given.children.iter_mut().enumerate() {
        if rule.name != "Rule" || !rule.children.iter().any(|c| ACTIONS.contains(&c.name.as_str())) {
            return Err(document::malformed());
        }
        enabled(rule)?;
        check_days(rule)?;
        let id = match rule.value("ID") {
            Some(id) if id.len() > ID => {
                return Err(S3Error::of("InvalidArgument")
                    .message("ID length should not exceed allowed limit of 255")
                    .extra("ArgumentName", "ID")
                    .extra("ArgumentValue", id));
            }
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => {
                let id = gatecrash_model::hash::combine(&[call.shared.seed, call.wall as u64, at as u64]);
                let id = format!("{id:016x}");
                rule.children.retain(|child| child.name != "ID");
                rule.children.insert(0, Node::leaf("ID", &*id));
                id
            }
        };
        if ids.contains(&id) {
            return Err(S3Error::of("InvalidArgument")
                .message("Rule ID must be unique. Found same ID for more than one rule")
                .extra("ArgumentName", "ID")
                .extra("ArgumentValue", id));
        }
        ids.push(id);
    }
    Ok(nothing_else())
}

fn check_days(rule: &Node) -> Result<(), S3Error> {
    let invalid = |name: &'static str, action: &str| {
        S3Error::of("InvalidArgument")
            .message(format!("'{name}' for {action} action must be a positive integer"))
            .extra("ArgumentName", name)
    };
    for (action, name) in [
        ("Expiration", "Days"),
        ("NoncurrentVersionExpiration", "NoncurrentDays"),
        ("AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
    ] {
        for days in rule.all(action).filter_map(|action| action.value(name)) {
            let days: i64 = days.parse().map_err(|_| document::malformed())?;
            if days <= 0 {
                return Err(invalid(name, action));
            }
        }
    }
    for date in rule.all("Expiration").filter_map(|action| action.value("Date")) {
        if !date.get(10..).is_some_and(|time| time.starts_with("T00:00:00")) {
            return Err(S3Error::of("InvalidArgument").message("'Date' must be at midnight GMT"));
        }
    }
    Ok(())
}
