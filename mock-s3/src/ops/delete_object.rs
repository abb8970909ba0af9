//! DELETE /bucket/key

use http::StatusCode;
use http::header::IF_MATCH;

use super::found::{self, DELETE_MARKER, VERSION_ID};
use super::{Answer, Call, conditions, locks};
use crate::errors::S3Error;
use crate::store::Current;

/// 204 whether or not there was an object.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let (placement, key) = (call.place()?, call.head.key.as_str());
    let (version, owner) = (found::version(call)?, call.writer(placement));
    let condition = conditions::of_delete(call.head)?;
    if call.head.header(&IF_MATCH).is_some() {
        let reading = call.access.evaluate("s3:GetObject", key);
        if !reading.is_allowed() {
            return Err(call.access.denial(&reading));
        }
    }
    let bypass = locks::bypasses(call, key);
    let check = |now: Option<Current<'_>>| {
        condition.check(key, now)?;
        // Without a version it only gets a marker on top, or there are no locks.
        if version.is_some() { locks::check_deletion(now, bypass, call.wall) } else { Ok(()) }
    };
    let deleted = placement.delete(key, version.as_ref(), &owner, call.wall, call.world(), &check)?;
    let mut answer = Answer::new(StatusCode::NO_CONTENT).applied(deleted.applied);
    if deleted.marker {
        answer = answer.header(DELETE_MARKER, "true");
    }
    if let Some(version) = deleted.version {
        answer = answer.header(VERSION_ID, version.as_str());
    }
    Ok(answer)
}
