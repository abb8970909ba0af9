//! `?versioning` of a bucket.

use super::{Answer, Call, document};
use crate::errors::S3Error;
use crate::store::Versioning;
use crate::xml::Xml;

/// GET: nothing inside when it was never turned on.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, S3Error> {
    let mut xml = Xml::root("VersioningConfiguration");
    match call.place()?.state().versioning {
        Versioning::Off => {}
        Versioning::Enabled => xml.text("Status", "Enabled"),
        Versioning::Suspended => xml.text("Status", "Suspended"),
    }
    xml.close("VersioningConfiguration");
    Ok(Answer::xml(xml.finish()))
}

/// PUT: on, or suspended; never off again.
pub(super) fn put(call: &Call<'_>) -> Result<Answer, S3Error> {
    let given = document::of(call, "VersioningConfiguration")?;
    let versioning = match given.value("Status") {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        Some(_) => return Err(document::malformed()),
        None => return Err(S3Error::of("IllegalVersioningConfigurationException")),
    };
    match given.value("MfaDelete") {
        None | Some("Disabled") => {}
        Some("Enabled") => {
            return Err(
                S3Error::of("AccessDenied").message("Mfa Authentication must be used for this request")
            );
        }
        Some(_) => return Err(document::malformed()),
    }
    if versioning == Versioning::Suspended && call.place()?.state().lock.is_some() {
        return Err(S3Error::of("InvalidBucketState").message(
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        ));
    }
    if versioning == Versioning::Suspended && call.place()?.state().replication.is_some() {
        return Err(S3Error::of("InvalidBucketState").message(
            "A replication configuration is present on this bucket, so the versioning state cannot be changed.",
        ));
    }
    document::put(call, |state| state.versioning = versioning)
}
