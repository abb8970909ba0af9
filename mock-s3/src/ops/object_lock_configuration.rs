//! `?object-lock` of a bucket.

use super::{Answer, Call, document};
use crate::errors::S3Error;
use crate::store::{DefaultRetention, ObjectLock, Period, Versioning};
use crate::xml::Xml;
use crate::xml_tree::Node;

/// S3 takes default retentions of up to this many days, or 100 years.
const MAX_DAYS: u32 = 36_500;
const MAX_YEARS: u32 = 100;

/// GET
pub(super) fn get(call: &Call<'_>) -> Result<Answer, S3Error> {
    let state = call.place()?.state();
    let Some(lock) = &state.lock else {
        return Err(document::absent(call, "ObjectLockConfigurationNotFoundError"));
    };
    let mut xml = Xml::root("ObjectLockConfiguration");
    xml.text("ObjectLockEnabled", "Enabled");
    if let Some(default) = lock.default {
        xml.open("Rule");
        xml.open("DefaultRetention");
        xml.text("Mode", if default.compliance { "COMPLIANCE" } else { "GOVERNANCE" });
        match default.period {
            Period::Days(days) => xml.text("Days", &days.to_string()),
            Period::Years(years) => xml.text("Years", &years.to_string()),
        }
        xml.close("DefaultRetention");
        xml.close("Rule");
    }
    xml.close("ObjectLockConfiguration");
    Ok(Answer::xml(xml.finish()))
}

/// PUT: also turns object lock on for a bucket with versions (S3 user guide, "Configuring S3 Object Lock").
pub(super) fn put(call: &Call<'_>) -> Result<Answer, S3Error> {
    let lock = read(&document::of(call, "ObjectLockConfiguration")?)?;
    if call.place()?.state().versioning != Versioning::Enabled {
        return Err(S3Error::of("InvalidBucketState")
            .message("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"));
    }
    document::put(call, |state| state.lock = Some(lock))
}

fn read(given: &Node) -> Result<ObjectLock, S3Error> {
    if given.value("ObjectLockEnabled") != Some("Enabled") {
        return Err(document::malformed());
    }
    let Some(rule) = given.child("Rule") else { return Ok(ObjectLock::default()) };
    let retention = rule.child("DefaultRetention").ok_or_else(document::malformed)?;
    let compliance = match retention.value("Mode") {
        Some("COMPLIANCE") => true,
        Some("GOVERNANCE") => false,
        _ => return Err(document::malformed()),
    };
    let number = |text: &str| text.parse::<i64>().map_err(|_| document::malformed());
    let period = match (retention.value("Days"), retention.value("Years")) {
        (Some(days), None) => Period::Days(bounded(number(days)?, MAX_DAYS)?),
        (None, Some(years)) => Period::Years(bounded(number(years)?, MAX_YEARS)?),
        _ => return Err(document::malformed()),
    };
    Ok(ObjectLock { default: Some(DefaultRetention { compliance, period }) })
}

fn bounded(number: i64, most: u32) -> Result<u32, S3Error> {
    let invalid = |message| S3Error::of("InvalidRetentionPeriod").message(message);
    match u32::try_from(number) {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        Ok(number) if number > most => Err(invalid("Default retention period is too large")),
        _ => Err(invalid("Default retention period must be a positive integer value.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(enabled: &str, rule: &str) -> Result<ObjectLock, S3Error> {
        let text = format!(
            "<ObjectLockConfiguration><ObjectLockEnabled>{enabled}</ObjectLockEnabled>{rule}\
             </ObjectLockConfiguration>"
        );
        read(&Node::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn documents() {
        let rule = |inner: &str| format!("<Rule><DefaultRetention>{inner}</DefaultRetention></Rule>");
        assert_eq!(lock("Enabled", "").unwrap(), ObjectLock::default());
        let days = lock("Enabled", &rule("<Mode>GOVERNANCE</Mode><Days>2</Days>")).unwrap().default.unwrap();
        assert_eq!((days.compliance, days.from(100).until), (false, 100 + 2 * 86_400));
        let table = [
            ("Disabled", String::new(), "MalformedXML"),
            ("Enabled", "<Rule/>".into(), "MalformedXML"),
            ("Enabled", rule("<Mode>governance</Mode><Days>1</Days>"), "MalformedXML"),
            ("Enabled", rule("<Mode>COMPLIANCE</Mode>"), "MalformedXML"),
            ("Enabled", rule("<Mode>COMPLIANCE</Mode><Days>1</Days><Years>1</Years>"), "MalformedXML"),
            ("Enabled", rule("<Mode>COMPLIANCE</Mode><Days>0</Days>"), "InvalidRetentionPeriod"),
            ("Enabled", rule("<Mode>COMPLIANCE</Mode><Years>-1</Years>"), "InvalidRetentionPeriod"),
            ("Enabled", rule("<Mode>COMPLIANCE</Mode><Years>101</Years>"), "InvalidRetentionPeriod"),
        ];
        for (enabled, rule, code) in table {
            assert_eq!(lock(enabled, &rule).unwrap_err().code, code, "{enabled} {rule}");
        }
    }
}
