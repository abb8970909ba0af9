//! What a gateway passes on to S3, where that is not everything: a scenario that asks for more is not about it.

use gatecrash_core::plan::{GatewayPlan, Plan, SignPlan};
use gatecrash_model::Op;
use serde::Deserialize;

use super::recipe::{Recipe, find};

/// `serves` of a recipe.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Serves {
    /// The operations that it passes on; it refuses the others itself.
    pub ops: Vec<Op>,
    /// Whether S3 gets to see a client's own signature.
    pub client_signatures: bool,
}

/// Why the load of a plan is not for its gateway, in one fragment.
pub fn not_served(plan: &Plan) -> Option<String> {
    let GatewayPlan::Recipe { name, .. } = &plan.gateway else { return None };
    let serves = Recipe::parse(find(name).ok()?).ok()?.serves?;
    serves.lacking(plan).map(|what| format!("the recipe `{name}` {what}"))
}

// === impl Serves ===

impl Serves {
    fn lacking(&self, plan: &Plan) -> Option<String> {
        let mut sent = plan.workloads.iter().flat_map(|workload| &workload.ops).map(|share| share.op);
        if let Some(op) = sent.find(|op| !self.ops.contains(op)) {
            let served: Vec<_> = self.ops.iter().map(|op| op.name()).collect();
            return Some(format!("serves {} and no {}", served.join(", "), op.name()));
        }
        let signs = |sign: SignPlan| matches!(sign, SignPlan::Client | SignPlan::Presigned { .. });
        let signed = plan.workloads.iter().any(|workload| signs(workload.sign));
        (signed && !self.client_signatures).then(|| "does not pass clients' signatures on".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use gatecrash_core::scenario::Options;

    use super::super::catalogue::known;
    use super::*;
    use crate::suite;

    #[test]
    fn scenarios_that_ask_for_more_are_not_for_it() {
        let options =
            Options { gateway: Some("nginx-s3-gateway".into()), known: known(), ..Options::default() };
        let is_for_it = |scenario: &str| {
            let sources = suite::read(&[PathBuf::from(scenario)]).expect("a shipped scenario");
            !suite::plan_all(&sources, &options).expect("no mistakes").is_empty()
        };
        assert!(is_for_it("smoke/slowdown") && is_for_it("smoke/region-outage"));
        assert!(!is_for_it("smoke/control"), "it writes");
        assert!(!is_for_it("outages/2020-11-25"), "its clients sign");
    }

    #[test]
    fn what_is_lacking_is_named() {
        let source = suite::named("smoke/uploads").remove(0);
        let options = Options { known: known(), ..Options::default() };
        let mut plan = suite::load(&source, &options).expect("no mistakes").cases.remove(0).plan;
        assert_eq!(not_served(&plan), None);
        let params = std::collections::BTreeMap::new();
        plan.gateway = GatewayPlan::Recipe { name: "nginx-s3-gateway".into(), version: None, params };
        let why = not_served(&plan).expect("it writes");
        assert_eq!(why, "the recipe `nginx-s3-gateway` serves GetObject, HeadObject and no PutObject");
    }
}
