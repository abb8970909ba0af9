//! Replication rules, of both editions (S3 API reference, ReplicationConfiguration).

use std::sync::Arc;

use super::super::{Call, document};
use super::{Change, enabled};
use crate::errors::S3Error;
use crate::store::{ReplicationRule, ReplicationRules, Versioning};
use crate::xml_tree::Node;

/// S3 takes this many rules.
const MOST: usize = 1000;

/// The source has versions, and so has every target that is here.
pub(super) fn check(call: &Call<'_>, given: &mut Node) -> Result<Change, S3Error> {
    if call.place()?.state().versioning != Versioning::Enabled {
        return Err(invalid(
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
        ));
    }
    let rules = read(given)?;
    for rule in &rules.rules {
        let regions = 0..call.shared.regions.len();
        let target = regions.into_iter().find_map(|region| call.shared.store.find(region, &rule.bucket));
        let Some(target) = target else {
            return Err(invalid("Destination bucket must exist."));
        };
        if target.state().versioning != Versioning::Enabled {
            return Err(invalid("Destination bucket must have versioning enabled."));
        }
    }
    Ok(Box::new(move |state| state.replication = Some(Arc::new(rules))))
}

fn invalid(message: &'static str) -> S3Error {
    S3Error::of("InvalidRequest").message(message)
}

fn read(given: &Node) -> Result<ReplicationRules, S3Error> {
    let role = given.value("Role").filter(|role| !role.is_empty()).ok_or_else(document::malformed)?;
    let rules: Vec<ReplicationRule> =
        given.all("Rule").enumerate().map(|(at, rule)| rule_of(at, rule)).collect::<Result<_, _>>()?;
    if rules.is_empty() || rules.len() > MOST {
        return Err(document::malformed());
    }
    for (at, rule) in rules.iter().enumerate() {
        if rules[..at].iter().any(|other| other.id == rule.id) {
            return Err(invalid("Rule Id must be unique"));
        }
        let doubled =
            |other: &ReplicationRule| other.priority == rule.priority && other.bucket == rule.bucket;
        if rules[..at].iter().any(doubled) && given.all("Rule").all(|rule| rule.child("Priority").is_some()) {
            return Err(S3Error::of("InvalidRequest")
                .message(format!("Found duplicate priority {} for the same destination", rule.priority)));
        }
    }
    Ok(ReplicationRules { role: role.to_owned(), rules })
}

fn rule_of(at: usize, rule: &Node) -> Result<ReplicationRule, S3Error> {
    let destination = rule.child("Destination").ok_or_else(document::malformed)?;
    let arn = destination.value("Bucket").ok_or_else(document::malformed)?;
    let bucket = arn.strip_prefix("arn:aws:s3:::").filter(|name| !name.is_empty()).ok_or_else(|| {
        S3Error::of("InvalidArgument")
            .message("Invalid bucket ARN.")
            .extra("ArgumentName", "Bucket")
            .extra("ArgumentValue", arn)
    })?;
    let filter = rule.child("Filter");
    let both = filter.and_then(|filter| filter.child("And")).or(filter);
    let tags = both.iter().flat_map(|node| node.all("Tag")).map(|tag| {
        let text = |name| tag.value(name).map(str::to_owned).ok_or_else(document::malformed);
        Ok((text("Key")?, text("Value")?))
    });
    let prefix = both.and_then(|node| node.value("Prefix")).or_else(|| rule.value("Prefix"));
    if filter.is_none() && rule.child("Prefix").is_none() {
        return Err(document::malformed());
    }
    let markers = match rule.child("DeleteMarkerReplication") {
        Some(node) => enabled(node)?,
        // The first edition, told by its missing Filter, replicates delete markers.
        None if filter.is_none() => true,
        None => {
            return Err(invalid("DeleteMarkerReplication must be specified for this version of the rule"));
        }
    };
    let priority = rule.value("Priority").map_or(Ok(0), str::parse).map_err(|_| document::malformed())?;
    Ok(ReplicationRule {
        id: rule.value("ID").filter(|id| !id.is_empty()).map_or_else(|| format!("rule-{at}"), str::to_owned),
        enabled: enabled(rule)?,
        priority,
        prefix: prefix.unwrap_or_default().to_owned(),
        tags: tags.collect::<Result<_, S3Error>>()?,
        delete_markers: markers,
        bucket: bucket.to_owned(),
        account: destination.value("Account").map(str::to_owned),
        storage_class: destination.value("StorageClass").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(inner: &str) -> Result<ReplicationRules, S3Error> {
        let text = format!("<ReplicationConfiguration><Role>arn:r</Role>{inner}</ReplicationConfiguration>");
        read(&Node::parse(text.as_bytes()).unwrap())
    }

    const TARGET: &str = "<Destination><Bucket>arn:aws:s3:::copy</Bucket></Destination>";

    #[test]
    fn both_editions() {
        let first =
            rules(&format!("<Rule><Status>Enabled</Status><Prefix>a/</Prefix>{TARGET}</Rule>")).unwrap();
        let first = &first.rules[0];
        assert!(first.delete_markers && first.enabled && first.tags.is_empty());
        assert_eq!(
            (first.prefix.as_str(), first.bucket.as_str(), first.id.as_str()),
            ("a/", "copy", "rule-0")
        );
        let second = rules(&format!(
            "<Rule><ID>x</ID><Priority>1</Priority><Status>Enabled</Status><Filter/>\
             <DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>{TARGET}</Rule>\
             <Rule><ID>y</ID><Priority>2</Priority><Status>Enabled</Status>\
             <Filter><And><Prefix>p</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>\
             <DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>{TARGET}</Rule>"
        ))
        .unwrap();
        let tags = [("k".to_owned(), "v".to_owned())];
        assert_eq!((second.rules[1].tags.as_slice(), second.rules[1].prefix.as_str()), (&tags[..], "p"));
        assert_eq!((second.rules[0].priority, second.rules[1].priority), (1, 2));
        assert!(!second.rules[0].delete_markers && second.rules[1].delete_markers);
    }

    #[test]
    fn bad_documents() {
        let table = [
            (String::new(), "MalformedXML"),
            (format!("<Rule><Status>Enabled</Status>{TARGET}</Rule>"), "MalformedXML"),
            (format!("<Rule><Status>On</Status><Prefix/>{TARGET}</Rule>"), "MalformedXML"),
            (format!("<Rule><Status>Enabled</Status><Filter/>{TARGET}</Rule>"), "InvalidRequest"),
            (
                "<Rule><Status>Enabled</Status><Prefix/><Destination><Bucket>copy</Bucket></Destination></Rule>"
                    .into(),
                "InvalidArgument",
            ),
        ];
        for (inner, code) in table {
            assert_eq!(rules(&inner).unwrap_err().code, code, "{inner}");
        }
    }
}
