//! What a plan may ask of its gateway. All problems are found before anything starts.

use gatecrash_core::faults::{FaultSpec, Host, Misconfigure};
use gatecrash_core::plan::{EnginePlan, GatewayPlan, HttpPlan, Plan, SignPlan};
use gatecrash_reference::config::Responses;
use minijinja::{Value, context};

use super::command;
use super::live;
use super::parameters;
use super::preset;
use super::recipe::{self, Http2Front, Mistake, REFERENCE, Recipe, Source, TlsReach};
use super::render::Renderer;

/// What the gateway of this plan cannot do for it; each problem is one fragment.
pub fn check_plan(plan: &Plan) -> Vec<String> {
    let mut problems = Vec::new();
    let (name, abilities) = match &plan.gateway {
        GatewayPlan::Embedded { preset, params, .. } => match preset::parameters(preset, params) {
            Ok(params) => ("embedded", of_recipe(&REFERENCE, &params, plan, &mut problems)),
            Err(problem) => return vec![problem],
        },
        GatewayPlan::Recipe { name, params, .. } => match recipe::find(name) {
            Ok(source) => (name.as_str(), of_recipe(source, params, plan, &mut problems)),
            Err(problem) => return vec![problem],
        },
        GatewayPlan::Command { run, stop_signal, .. } => {
            problems.extend(command::problems(run, stop_signal));
            ("command", Abilities::by_hand(true))
        }
        GatewayPlan::Url { base, .. } => {
            problems.extend(live::parse_base(base).err().map(|problem| format!("`{base}` {problem}")));
            ("url", Abilities { serves_tls: plan.gateway.is_https(), ..Abilities::by_hand(false) })
        }
    };
    if !abilities.maps_buckets {
        problems.extend(renamed_buckets(plan, name));
    }
    if !abilities.signs && plan.workloads.iter().any(|w| w.sign == SignPlan::Gateway) {
        problems.push(format!("`sign: gateway`: gateway `{name}` cannot sign requests"));
    }
    problems.extend(over_tls(plan, abilities.tls, name));
    problems.extend(clients_over_tls(plan, abilities.serves_tls, name));
    problems.extend(clients_over_http2(plan, abilities.serves_http2, name));
    if let Some(region) = plan.regions.iter().find(|region| region.http2 && !abilities.http2) {
        problems.push(format!(
            "`http: h2c` of upstream `{}`: gateway `{name}` cannot speak HTTP/2 to upstreams",
            region.name
        ));
    }
    for fault in &plan.faults {
        match &fault.spec {
            FaultSpec::Misconfigure(mistake) => problems
                .extend(mistakes(mistake, &abilities, name).map(|p| format!("fault `{}`: {p}", fault.name))),
            FaultSpec::Dns(_) if !abilities.resolves => {
                let why = match &plan.gateway {
                    GatewayPlan::Recipe { .. } => "it asks for names with `resolver: true` only",
                    _ => "it asks for no names",
                };
                problems.push(format!("fault `{}`: gateway `{name}`: {why}", fault.name));
            }
            FaultSpec::Reload(_) if abilities.process && !abilities.reloads => {
                problems.push(format!("fault `{}`: gateway `{name}` cannot reload", fault.name));
            }
            spec if spec.info().host == Host::Process && !abilities.process => {
                problems.push(format!("fault `{}`: gateway `{name}` has no process of ours", fault.name));
            }
            _ => {}
        }
    }
    problems
}

/// Parameters whose values the gateway's recipe refuses, with what it expects.
pub fn parameter_problems(gateway: &GatewayPlan) -> Vec<(String, String)> {
    let (source, given, values) = match gateway {
        GatewayPlan::Embedded { preset, params, .. } => match preset::parameters(preset, params) {
            Ok(values) => (&REFERENCE, params, values),
            // A speed that is none; the whole plan is refused for it.
            Err(_) => return Vec::new(),
        },
        GatewayPlan::Recipe { name, params, .. } => match recipe::find(name) {
            Ok(source) => (source, params, params.clone()),
            Err(_) => return Vec::new(),
        },
        GatewayPlan::Command { .. } | GatewayPlan::Url { .. } => return Vec::new(),
    };
    if given.is_empty() {
        return Vec::new();
    }
    let declared = Recipe::parse(source).map_or_else(|_| Vec::new(), |recipe| recipe.parameters);
    let refused = |name: &String| {
        let parameter = declared.iter().find(|parameter| parameter.name == *name)?;
        let problem = parameter.value(values.get(name)?.trim()).err()?;
        Some((name.clone(), problem))
    };
    given.keys().filter_map(refused).collect()
}

/// Numbers that defaults of parameters may depend on.
pub(super) fn topology(plan: &Plan) -> Value {
    let count = |primary| -> u32 {
        plan.regions.iter().filter(|region| region.primary == primary).map(|region| region.endpoints).sum()
    };
    context! { primaries => count(true), standbys => count(false) }
}

struct Abilities {
    process: bool,
    maps_buckets: bool,
    signs: bool,
    http2: bool,
    can: Vec<Mistake>,
    resolves: bool,
    reloads: bool,
    tls: Option<TlsReach>,
    serves_tls: bool,
    serves_http2: Option<Http2Front>,
}

impl Abilities {
    /// Of a gateway whose configuration is the user's own: whatever it says, apart from our own doing.
    fn by_hand(process: bool) -> Self {
        Self {
            process,
            maps_buckets: true,
            signs: true,
            http2: true,
            can: Vec::new(),
            resolves: process,
            reloads: false,
            tls: Some(TlsReach::Each),
            serves_tls: process,
            serves_http2: Some(Http2Front::Both),
        }
    }
}

fn of_recipe(
    source: &Source,
    params: &std::collections::BTreeMap<String, String>,
    plan: &Plan,
    problems: &mut Vec<String>,
) -> Abilities {
    match Recipe::parse(source) {
        Ok(recipe) => {
            let settled = parameters::settle(&recipe.parameters, params, &topology(plan), &Renderer::new());
            let resolver = settled.as_ref().ok().and_then(|params| params.get_attr("resolver").ok());
            problems.extend(settled.err().unwrap_or_default());
            Abilities {
                process: true,
                maps_buckets: recipe.maps_buckets,
                signs: recipe.signs,
                serves_tls: recipe.serves_tls,
                serves_http2: recipe.serves_http2,
                http2: recipe.http2,
                can: recipe.can,
                reloads: recipe.reload.is_some(),
                resolves: resolver.is_some_and(|on| on.is_true()),
                tls: recipe.tls,
            }
        }
        Err(e) => {
            problems.push(format!("recipe `{}` cannot be read: {e}", source.name));
            Abilities::by_hand(true)
        }
    }
}

/// What is asked in TLS of a gateway that cannot.
fn over_tls(plan: &Plan, reach: Option<TlsReach>, gateway: &str) -> Option<String> {
    let with = plan.regions.iter().filter(|region| region.tls.is_some()).count();
    match reach {
        _ if with == 0 => None,
        None => Some(format!("gateway `{gateway}` cannot speak TLS to upstreams")),
        Some(TlsReach::All) if with < plan.regions.len() => {
            Some(format!("gateway `{gateway}` speaks TLS to all upstreams or to none"))
        }
        Some(_) => None,
    }
}

fn clients_over_tls(plan: &Plan, served: bool, gateway: &str) -> Option<String> {
    let workload = &plan.workloads.iter().find(|workload| workload.client.tls)?.name;
    let sdk = plan.workloads.iter().find(|w| w.client.tls && w.client.engine == EnginePlan::AwsSdk);
    match () {
        () if let Some(w) = sdk => Some(format!(
            "`engine: aws-sdk` of workload `{}`: no TLS through the SDK to gateway `{gateway}`",
            w.name
        )),
        () if !served => Some(format!(
            "`client: {{ tls: true }}` of workload `{workload}`: gateway `{gateway}` has no listener with TLS"
        )),
        () if plan.faults.iter().any(|fault| !fault.side.is_upstream()) => Some(format!(
            "`client: {{ tls: true }}` of workload `{workload}`: faults on the clients' side do not see into TLS"
        )),
        () => None,
    }
}

fn clients_over_http2(plan: &Plan, served: Option<Http2Front>, gateway: &str) -> Option<String> {
    let over_http2 = || plan.workloads.iter().filter(|workload| workload.client.http == HttpPlan::Http2);
    let first = over_http2().next()?;
    let plain = over_http2().find(|workload| !workload.client.tls);
    let (workload, why) = match (served, plain) {
        (None, _) => (first, "does not speak HTTP/2 to clients"),
        (Some(Http2Front::Tls), Some(plain)) => {
            (plain, "speaks HTTP/2 to clients over TLS only (`tls: true`)")
        }
        _ => return None,
    };
    Some(format!("`client: {{ http: 2 }}` of workload `{}`: gateway `{gateway}` {why}", workload.name))
}

fn renamed_buckets(plan: &Plan, gateway: &str) -> Vec<String> {
    plan.buckets
        .iter()
        .flat_map(|bucket| bucket.regions.iter().map(move |(region, name)| (bucket, region, name)))
        .filter(|(bucket, _, name)| **name != bucket.name)
        .map(|(bucket, region, name)| {
            format!(
                "bucket `{}` is `{name}` in {region}: gateway `{gateway}` cannot map bucket names",
                bucket.name
            )
        })
        .collect()
}

fn mistakes(wanted: &Misconfigure, abilities: &Abilities, gateway: &str) -> impl Iterator<Item = String> {
    let given = given(wanted);
    let mut problems = Vec::new();
    if given.len() != 1 {
        problems.push("misconfigure takes one of bucket, region, host, endpoint, mapping".to_owned());
    }
    for (mistake, value) in given {
        if !abilities.can.contains(&mistake) {
            problems.push(format!(
                "gateway `{gateway}` cannot be misconfigured by {} (it can by: {})",
                mistake.name(),
                recipe::list(&abilities.can)
            ));
        }
        if mistake == Mistake::Mapping {
            let wrong = value.parse::<Responses>().err();
            problems.extend(wrong.map(|problem| format!("misconfigure mapping: {problem}")));
            continue;
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._:-[]".contains(c);
        if value.is_empty() || !value.chars().all(plain) {
            problems.push(format!("misconfigure {}: expected a plain name, found `{value}`", mistake.name()));
        } else if mistake == Mistake::Endpoint && value.parse::<std::net::SocketAddr>().is_err() {
            problems.push(format!("misconfigure endpoint: expected ADDRESS:PORT, found `{value}`"));
        }
    }
    problems.into_iter()
}

/// The mistakes that are asked for.
pub(super) fn given(wanted: &Misconfigure) -> Vec<(Mistake, &str)> {
    [
        (Mistake::Bucket, &wanted.bucket),
        (Mistake::Region, &wanted.region),
        (Mistake::Host, &wanted.host),
        (Mistake::Endpoint, &wanted.endpoint),
        (Mistake::Mapping, &wanted.mapping),
    ]
    .into_iter()
    .filter_map(|(mistake, value)| Some((mistake, value.as_deref()?)))
    .collect()
}
