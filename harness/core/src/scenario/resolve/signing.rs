//! Who signs.

use super::Cx;
use crate::diagnostics::Place;
use crate::plan::{IdentityPlan, SignPlan};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Either, Presigned, Sign, SignDetail, Workload};
use crate::units::Span;

/// How long a presigned link is valid unless the file says.
const DEFAULT_EXPIRES: Span = Span::seconds(15 * 60);
/// Longest validity of a presigned link that S3 takes.
const MAX_EXPIRES: Span = Span::seconds(7 * 24 * 3600);

impl Cx<'_> {
    pub(super) fn signer(
        &mut self,
        name: &Spanned<String>,
        workload: &Workload,
        identities: &[IdentityPlan],
    ) -> (SignPlan, Option<u16>) {
        let names = identities.iter().map(|i| i.name.as_str());
        let given = workload.r#as.as_ref();
        let identity =
            given.and_then(|id| self.refer("identity", &id.value, id.place, names)).map(|i| i as u16);
        let path = format!("workloads.{}.sign", name.value);
        let default = if given.is_some() { Sign::Client } else { Sign::None };
        let sign = match self.or(path, workload.sign, Either::Short(default)) {
            Either::Short(Sign::Client) => SignPlan::Client,
            Either::Short(Sign::Presigned) => self.presigned(Presigned::default()),
            Either::Short(Sign::Gateway) => SignPlan::Gateway,
            Either::Short(Sign::None) => SignPlan::None,
            Either::Long(SignDetail::Presigned(links)) => self.presigned(links),
        };
        let place = workload.sign.map_or(name.place, |s| s.place);
        match (sign, given, identities) {
            (SignPlan::None, Some(unused), _) => {
                self.error("nobody signs, yet an identity is given", unused.place, "`sign` is none");
                (sign, None)
            }
            (SignPlan::None, None, _) => (sign, None),
            (_, Some(_), _) => (sign, identity),
            (_, None, [_]) => (sign, Some(0)),
            (_, None, _) => {
                self.no_signer(identities, place);
                (sign, None)
            }
        }
    }

    fn no_signer(&mut self, identities: &[IdentityPlan], place: Place) {
        let help =
            if identities.is_empty() { "define one under `identities`" } else { "choose one with `as`" };
        self.advise("signing needs an identity", place, "signs here", help);
    }

    fn presigned(&mut self, links: Presigned) -> SignPlan {
        let expires = links.expires.map_or(DEFAULT_EXPIRES, |e| e.value);
        if let Some(wrong) =
            links.expires.filter(|e| e.value.0 % Span::seconds(1).0 != 0 || e.value > MAX_EXPIRES)
        {
            let message = format!("a link cannot be valid for {}", wrong.value);
            self.error(message, wrong.place, "expected whole seconds, at most 7 days (604800s)");
        }
        self.positive("expires", links.expires);
        SignPlan::Presigned { expires, age: links.age.map_or(Span(0), |age| age.value) }
    }
}
