//! Object lock: what a write asks for, and what it then forbids.
//!
//! Rules: S3 user guide, "Locking objects with Object Lock"; API reference, PutObjectRetention.

use http::{HeaderMap, HeaderName};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Answer, Call};
use crate::errors::S3Error;
use crate::store::{Attributes, BucketState, Current, Retention};
use crate::time::document_date;

const MODE: HeaderName = HeaderName::from_static("x-amz-object-lock-mode");
const UNTIL: HeaderName = HeaderName::from_static("x-amz-object-lock-retain-until-date");
const LEGAL_HOLD: HeaderName = HeaderName::from_static("x-amz-object-lock-legal-hold");
const BYPASS: HeaderName = HeaderName::from_static("x-amz-bypass-governance-retention");
const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// What a write asks for by headers.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Asked {
    pub(super) retention: Option<Retention>,
    pub(super) legal_hold: Option<bool>,
}

/// What a write asks for; `wall` is the time it is made, seconds since the Unix epoch.
pub(super) fn of_headers(headers: &HeaderMap, state: &BucketState, wall: i64) -> Result<Asked, S3Error> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let (mode, until, hold) = (text(&MODE), text(&UNTIL), text(&LEGAL_HOLD));
    if mode.is_none() && until.is_none() && hold.is_none() {
        return Ok(Asked::default());
    }
    check_bucket(state)?;
    let invalid = |message: &'static str, name: &HeaderName, value: &str| {
        let error = S3Error::of("InvalidArgument").message(message);
        error.extra("ArgumentName", name.as_str()).extra("ArgumentValue", value)
    };
    let retention = match (mode, until) {
        (None, None) => None,
        (Some(mode), Some(until)) => {
            let compliance =
                compliance(mode).ok_or_else(|| invalid("Unknown wormMode directive.", &MODE, mode))?;
            let until = parse_date(until).ok_or_else(|| {
                invalid("The retain until date must be provided in ISO 8601 format", &UNTIL, until)
            })?;
            check_date(until, wall)?;
            Some(Retention { compliance, until })
        }
        (mode, until) => {
            let (name, value) = if mode.is_some() { (&MODE, mode) } else { (&UNTIL, until) };
            return Err(invalid(
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
                name,
                value.unwrap_or_default(),
            ));
        }
    };
    let legal_hold = match hold {
        None => None,
        Some("ON") => Some(true),
        Some("OFF") => Some(false),
        Some(other) => {
            return Err(invalid("Legal Hold must be either of 'ON' or 'OFF'", &LEGAL_HOLD, other));
        }
    };
    Ok(Asked { retention, legal_hold })
}

/// Object lock has to be on for anything of it.
pub(super) fn check_bucket(state: &BucketState) -> Result<(), S3Error> {
    match state.lock {
        Some(_) => Ok(()),
        None => Err(S3Error::of("InvalidRequest").message("Bucket is missing Object Lock Configuration")),
    }
}

/// A request about locks comes with a digest of its body.
pub(super) fn check_digest(headers: &HeaderMap, message: &'static str) -> Result<(), S3Error> {
    let has = |name: &HeaderName| {
        let name = name.as_str();
        name == CONTENT_MD5.as_str() || name.starts_with("x-amz-checksum-") || name == "x-amz-trailer"
    };
    match headers.keys().any(has) {
        true => Ok(()),
        false => Err(S3Error::of("InvalidRequest").message(message)),
    }
}

pub(super) fn check_date(until: i64, wall: i64) -> Result<(), S3Error> {
    match until > wall {
        true => Ok(()),
        false => Err(S3Error::of("InvalidArgument")
            .message("The retain until date must be in the future!")
            .extra("ArgumentName", "RetainUntilDate")
            .extra("ArgumentValue", document_date(until))),
    }
}

/// Whether the caller asks to pass governance retention, and may.
pub(super) fn bypasses(call: &Call<'_>, key: &str) -> bool {
    let asked = call.head.header(&BYPASS).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    asked && call.access.evaluate("s3:BypassGovernanceRetention", key).is_allowed()
}

/// Whether a version may be deleted for good at `wall`.
pub(super) fn check_deletion(current: Option<Current<'_>>, bypass: bool, wall: i64) -> Result<(), S3Error> {
    let stored = current.and_then(|current| current.version?.stored.as_ref());
    let Some(Attributes { retention, legal_hold, .. }) = stored.map(|stored| &stored.attributes) else {
        return Ok(());
    };
    let retained = retention.as_ref().is_some_and(|r| r.until > wall && (r.compliance || !bypass));
    if *legal_hold == Some(true) || retained { Err(protected()) } else { Ok(()) }
}

/// Whether a retention may take the place of another one at `wall`: longer always, weaker never for compliance and
/// by bypass for governance.
pub(super) fn check_change(
    now: Option<&Retention>,
    wanted: Option<&Retention>,
    bypass: bool,
    wall: i64,
) -> Result<(), S3Error> {
    let Some(now) = now.filter(|now| now.until > wall) else { return Ok(()) };
    let extends = wanted.is_some_and(|w| w.compliance == now.compliance && w.until >= now.until);
    if extends || (!now.compliance && bypass) { Ok(()) } else { Err(protected()) }
}

pub(super) fn compliance(mode: &str) -> Option<bool> {
    match mode {
        "COMPLIANCE" => Some(true),
        "GOVERNANCE" => Some(false),
        _ => None,
    }
}

pub(super) fn mode(retention: &Retention) -> &'static str {
    if retention.compliance { "COMPLIANCE" } else { "GOVERNANCE" }
}

/// Seconds since the Unix epoch of an ISO 8601 date with a zone.
pub(super) fn parse_date(text: &str) -> Option<i64> {
    Some(OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?.unix_timestamp())
}

fn protected() -> S3Error {
    S3Error::of("AccessDenied").message("Access Denied because object protected by object lock.")
}

impl Answer {
    /// What callers see of locks who may see them.
    pub(super) fn locked(mut self, call: &Call<'_>, attributes: &Attributes) -> Self {
        let may = |action: &str| call.access.evaluate(action, &call.head.key).is_allowed();
        if let Some(retention) = attributes.retention.as_ref().filter(|_| may("s3:GetObjectRetention")) {
            let until = document_date(retention.until);
            self = self.header(MODE, mode(retention)).header(UNTIL, &until);
        }
        if let Some(on) = attributes.legal_hold.filter(|_| may("s3:GetObjectLegalHold")) {
            self = self.header(LEGAL_HOLD, if on { "ON" } else { "OFF" });
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ObjectLock;
    use http::HeaderValue;

    const WALL: i64 = 1_369_353_600;

    fn asked(pairs: &[(HeaderName, &'static str)]) -> Result<Asked, String> {
        let headers = pairs.iter().map(|(n, v)| (n.clone(), HeaderValue::from_static(v))).collect();
        let state = BucketState { lock: Some(ObjectLock::default()), ..BucketState::default() };
        of_headers(&headers, &state, WALL).map_err(|error| error.code.into_owned())
    }

    #[test]
    fn headers() {
        assert_eq!(asked(&[]), Ok(Asked::default()));
        let retention = Some(Retention { compliance: true, until: WALL + 1 });
        let until = "2013-05-24T00:00:01Z";
        assert_eq!(
            asked(&[(MODE, "COMPLIANCE"), (UNTIL, until), (LEGAL_HOLD, "OFF")]),
            Ok(Asked { retention, legal_hold: Some(false) })
        );
        for bad in [
            vec![(MODE, "COMPLIANCE")],
            vec![(UNTIL, until)],
            vec![(MODE, "compliance"), (UNTIL, until)],
            vec![(MODE, "GOVERNANCE"), (UNTIL, "2013-05-24T00:00:00Z")],
            vec![(MODE, "GOVERNANCE"), (UNTIL, "tomorrow")],
            vec![(LEGAL_HOLD, "on")],
        ] {
            assert_eq!(asked(&bad), Err("InvalidArgument".into()), "{bad:?}");
        }
        let hold = [(LEGAL_HOLD, HeaderValue::from_static("ON"))].into_iter().collect();
        let error = of_headers(&hold, &BucketState::default(), WALL).unwrap_err();
        assert_eq!(error.code, "InvalidRequest");
        assert_eq!(parse_date("2140-01-01T00:00:00.000Z"), parse_date("2140-01-01T01:00:00+01:00"));
    }

    #[test]
    fn retentions_grow_and_only_governance_is_bypassed() {
        let of = |compliance, until| Retention { compliance, until: WALL + until };
        let table = [
            (None, Some(of(true, 5)), false, true),
            (Some(of(false, 5)), Some(of(false, 6)), false, true),
            (Some(of(false, 5)), Some(of(false, 4)), false, false),
            (Some(of(false, 5)), Some(of(false, 4)), true, true),
            (Some(of(false, 5)), Some(of(true, 6)), false, false),
            (Some(of(false, 5)), None, true, true),
            (Some(of(true, 5)), Some(of(true, 6)), false, true),
            (Some(of(true, 5)), Some(of(true, 4)), true, false),
            (Some(of(true, 5)), Some(of(false, 6)), true, false),
            (Some(of(true, 5)), None, true, false),
            (Some(of(true, 0)), None, false, true),
        ];
        for (now, wanted, bypass, allowed) in table {
            let got = check_change(now.as_ref(), wanted.as_ref(), bypass, WALL).is_ok();
            assert_eq!(got, allowed, "{now:?} {wanted:?} {bypass}");
        }
    }
}
