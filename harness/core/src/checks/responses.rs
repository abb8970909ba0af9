//! `responses`: the share of answers with a status and an S3 error code.

use gatecrash_model::{Capabilities, Capability, ClientRecord, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, ShareBounds, Source};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
#[cfg(test)]
use crate::units::Share;
use crate::verdict::Finding;

/// Share of requests answered, whole, with this status and S3 error code.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Responses {
    /// The status.
    pub status: u16,
    /// The S3 error code in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_code: Option<String>,
    /// Bounds on the share.
    pub share: ShareBounds,
}

impl Check for Responses {
    const INFO: CheckInfo = CheckInfo {
        name: "responses",
        summary: "share of answers with a status and an S3 error code",
        doc: "Counts whole answers with the status and, when `s3-code` is given, that code in the S3 error \
              document. SDKs decide by the code whether to retry, to refresh credentials or to give up \
              (AWS S3 API reference, Error responses), so a gateway that replaces the document with a page \
              of its own breaks them. Answers to HEAD carry no body, hence no code.",
        sources: &[Source::S3_ERRORS, Source::AWS_SDK_RETRIES],
        fixes: Fixes::PASS_ERRORS_ON,
        example: "responses: { status: 403, s3-code: AccessDenied, share: { min: 100% } }",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let code = self.s3_code.as_deref().map_or(String::new(), |c| format!(" {c}"));
        let wanted = format!("{} with {}{code}", self.share, self.status);
        let counted: Vec<_> = scope.answered().collect();
        let samples = counted.len() as u64;
        if samples < scope.min_samples.max(1) {
            let reason = format!("{samples} requests, {} needed", scope.min_samples);
            return Finding::inconclusive(wanted, samples, reason);
        }
        let (hits, others): (Vec<&ClientRecord>, Vec<_>) = counted.iter().partition(|c| self.is_it(scope, c));
        let share = hits.len() as f64 / samples as f64;
        let too_few = self.share.min.is_some_and(|m| share < m.0);
        let shown = if too_few { &others } else { &hits };
        Finding::judged(self.share.hold(share), format!("{:.2}%", share * 100.0), wanted, samples)
            .detail(format!("{} of {samples} answers are {}{code}", hits.len(), self.status))
            .details(super::endings_in_words(others.iter().copied()))
            .exemplars(shown.iter().map(|c| c.id()))
    }

    fn problem(&self) -> Option<&'static str> {
        self.share.problem()
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self {
            status: 403,
            s3_code: Some("AccessDenied".into()),
            share: ShareBounds { min: Some(Share(1.0)), max: None },
        };
        let denied = |code: &'static str| {
            move |n: u64| Story::new().every(10, 0, 10 * n, move |r| r.tries([Try::status(403, code)]))
        };
        vec![
            Golden::pass("all are denied", check(), denied("AccessDenied")(40)),
            Golden::fail("the code is another", check(), denied("InvalidAccessKeyId")(40)),
            Golden::fail("some are served", check(), denied("AccessDenied")(40).every(10, 400, 500, |r| r)),
            Golden::inconclusive("ten requests", check(), denied("AccessDenied")(10)),
        ]
    }
}

impl Responses {
    fn is_it(&self, scope: &Scope<'_>, client: &ClientRecord) -> bool {
        client.ending == Ending::Complete
            && client.status == self.status
            && self.s3_code.as_deref().is_none_or(|code| scope.history.text(client.code) == code)
    }
}
