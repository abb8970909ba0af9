//! `error-shape`: errors that the gateway makes itself have one form.

#[cfg(test)]
use gatecrash_model::Op;
use gatecrash_model::{Capabilities, Capability, ClientRecord, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::Scope;
use crate::profile::ErrorShape;
use crate::verdict::Finding;

/// Errors that no upstream attempt fed are of the declared form; to HEAD they have no body.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ErrorShaped {}

impl Check for ErrorShaped {
    const INFO: CheckInfo = CheckInfo {
        name: "error-shape",
        summary: "errors of the gateway's own have the declared form",
        doc: "A whole answer of 400 or above that names no upstream attempt was made by the gateway. Its \
              body must be of the form that the gateway's profile declares, under a fitting Content-Type: an \
              S3 error document with a Code, or a JSON object. S3 clients parse what they get: an HTML page \
              in the place of XML turns a 503 that would be retried into a parse error that is not (Amazon \
              S3 API Reference, Error Responses). An answer to HEAD never has a body (RFC 9110 9.3.2). \
              Inconclusive when the profile declares no form, or the gateway made no error.",
        sources: &[Source::S3_ERRORS, Source::rfc(9110, "9.3.2", "HEAD"), Source::ENVOY_LOCAL_REPLIES],
        fixes: Fixes {
            nginx: "`error_page 502 503 504 @s3error` with `default_type application/xml` and `return`",
            haproxy: "`http-error status 503 content-type application/xml lf-string`, and so for each status",
            envoy: "`local_reply_config` with a `body_format`",
            others: "",
        },
        example: "error-shape: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let Some(shape) = scope.profile.error_shape else {
            return Finding::inconclusive("one form", 0, "the profile declares no form of errors");
        };
        let mut tally = Tally::default();
        let is_own = |c: &&ClientRecord| {
            c.status >= 400 && c.ending == Ending::Complete && scope.fed_by(c).is_none()
        };
        for client in scope.clients().filter(is_own) {
            match flaw(client, shape) {
                None => tally.good(),
                Some(flaw) => tally.bad(client.id(), format!("{} {flaw}", client.status)),
            }
        }
        let wanted = match shape {
            ErrorShape::S3Xml => "S3 error documents",
            ErrorShape::Json => "JSON objects",
        };
        tally.finding(scope, wanted, "the gateway made no error itself")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self {};
        let story = || Story::new().profile(|p| p.error_shape = Some(ErrorShape::S3Xml));
        let own = |r: crate::golden::Request| r.tries([]).answer(503);
        let xml = |r: crate::golden::Request| own(r).flag(ClientRecord::S3_ERROR).code("ServiceUnavailable");
        let mislabelled = |r: crate::golden::Request| xml(r).flag(ClientRecord::MISLABELLED);
        let head = |r: crate::golden::Request| own(r.op(Op::HeadObject));
        vec![
            Golden::pass("XML, and nothing to HEAD", check(), story().every(10, 0, 100, xml).every(10, 100, 200, head)),
            Golden::fail("plain text", check(), story().every(10, 0, 100, own)),
            Golden::fail("XML called HTML", check(), story().every(10, 0, 100, mislabelled)),
            Golden::fail(
                "a body to HEAD",
                check(),
                story().every(10, 0, 100, |r| head(r).flag(ClientRecord::UNDUE_BODY)),
            ),
            Golden::inconclusive("no errors", check(), story().every(10, 0, 100, |r| r)),
            Golden::inconclusive("no form declared", check(), Story::new().every(10, 0, 100, xml)),
        ]
    }
}

/// What is wrong with an error of the gateway's own: a fragment after its status.
fn flaw(client: &ClientRecord, shape: ErrorShape) -> Option<&'static str> {
    if client.has(ClientRecord::UNDUE_BODY) {
        return Some("with a body where there is none");
    }
    if client.op.method() == "HEAD" {
        return None;
    }
    let (flag, other) = match shape {
        ErrorShape::S3Xml => (ClientRecord::S3_ERROR, "without an S3 error document"),
        ErrorShape::Json => (ClientRecord::JSON, "without a JSON object"),
    };
    if !client.has(flag) {
        return Some(other);
    }
    client.has(ClientRecord::MISLABELLED).then_some("under another Content-Type")
}
