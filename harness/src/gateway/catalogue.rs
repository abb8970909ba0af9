//! What gateways there are, for lists and for the scenario reader.

use std::collections::BTreeMap;

use gatecrash_core::plan::GatewayPlan;
use gatecrash_core::profile::{ProbePattern, Profile};
use gatecrash_core::rules::Glob;
use gatecrash_core::scenario::{Known, KnownGateway};
use minijinja::context;

use super::declared::Declared;
use super::error::GatewayError;
use super::parameters;
use super::recipe::{Http2Front, RECIPES, REFERENCE, Recipe, Source, find};
use super::render::Renderer;
use super::version;

/// A line of `gatecrash list gateways`.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Name in scenarios.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Whether its program is here, in words.
    pub installed: String,
}

/// A gateway with what it declares of itself under its default parameters.
#[derive(Clone, Debug)]
pub struct Described {
    /// Name in scenarios.
    pub name: String,
    /// Its recipe.
    pub recipe: Recipe,
    /// What it is judged by, with two primary endpoints and no standby.
    pub profile: Profile,
}

/// Every gateway in detail, the embedded one first: for reference pages.
pub fn described() -> Result<Vec<Described>, GatewayError> {
    let embedded = describe("embedded", &REFERENCE);
    std::iter::once(embedded).chain(RECIPES.iter().map(|source| describe(source.name, source))).collect()
}

fn describe(name: &str, source: &Source) -> Result<Described, GatewayError> {
    let failed = |problem| GatewayError::Render { what: format!("recipe {name}"), problem };
    let recipe = Recipe::parse(source).map_err(failed)?;
    let (renderer, topology) = (Renderer::new(), context! { primaries => 2, standbys => 0 });
    let params = parameters::settle(&recipe.parameters, &BTreeMap::new(), &topology, &renderer)
        .map_err(|problems| failed(problems.join("; ")))?;
    let facts = context! { params, ..topology };
    let profile = Declared::render(source.declared, facts, &renderer)?.profile;
    Ok(Described { name: name.to_owned(), recipe, profile })
}

/// Every gateway with a recipe, the embedded one first.
pub fn catalogue() -> Vec<Listed> {
    let embedded = recipes(&[REFERENCE]).map(|r| Listed {
        name: "embedded".into(),
        summary: r.about,
        installed: "built in".into(),
    });
    let released = recipes(RECIPES).map(|r| {
        let package = r.package.map_or_else(String::new, |p| format!(", package {p}"))
            + &r.wheel.map_or_else(String::new, |w| format!(", Python package {w}"));
        let here = if version::find(&r.program).is_some() { "installed" } else { "not installed" };
        Listed { name: r.name, summary: r.about, installed: format!("{here}{package}") }
    });
    embedded.chain(released).collect()
}

/// The gateways that can be started here, as `--gateway` takes them, and those that cannot, with what they lack.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Installed {
    /// `embedded`, `nginx`, `haproxy`, `haproxy@2.8.25`: each recipe by the program that is found first, then by every
    /// other version that is found.
    pub here: Vec<String>,
    /// `varnish (package varnish)`.
    pub absent: Vec<String>,
}

/// Looks for the programs of all recipes.
pub async fn installed() -> Result<Installed, GatewayError> {
    let mut found = Installed { here: vec!["embedded".into()], absent: Vec::new() };
    for (source, recipe) in RECIPES.iter().zip(recipes(RECIPES)) {
        match version::find(&recipe.program) {
            Some(_) => found.here.push(source.name.to_owned()),
            None => {
                let from = recipe.package.map(|p| format!("package {p}"));
                let from = from.or(recipe.wheel.map(|w| format!("Python package {w}")));
                found.absent.push(format!(
                    "{} ({})",
                    source.name,
                    from.unwrap_or_else(|| recipe.program.clone())
                ));
            }
        }
        if let Some(probe) = &recipe.version {
            let others = version::others(&recipe.program, probe).await?;
            found.here.extend(others.iter().map(|version| format!("{}@{version}", source.name)));
        }
    }
    Ok(found)
}

/// Names, parameters and abilities that a scenario may use.
pub fn known() -> Known {
    let known = |r: Recipe| {
        let mut can: Vec<String> = r.can.iter().map(|m| m.name().to_owned()).collect();
        can.extend(r.signs.then(|| "sign".to_owned()));
        can.extend(r.http2.then(|| "http2".to_owned()));
        can.extend(r.serves_http2.map(|how| match how {
            Http2Front::Both => "http2-from-clients".to_owned(),
            Http2Front::Tls => "http2-from-clients-over-tls".to_owned(),
        }));
        KnownGateway { name: r.name, params: r.parameters.into_iter().map(|p| p.name).collect(), can }
    };
    Known {
        embedded: recipes(&[REFERENCE]).map(known).next().unwrap_or_default(),
        recipes: recipes(RECIPES).map(known).collect(),
        presets: gatecrash_reference::PRESETS.iter().map(|p| p.name.to_owned()).collect(),
        defects: gatecrash_reference::DEFECTS.iter().map(|d| d.name.to_owned()).collect(),
    }
}

/// The parameters under which a gateway is surveyed, where they differ from its defaults.
pub fn survey_parameters(gateway: &GatewayPlan) -> BTreeMap<String, String> {
    let source = match gateway {
        GatewayPlan::Embedded { .. } => Some(&REFERENCE),
        GatewayPlan::Recipe { name, .. } => find(name).ok(),
        GatewayPlan::Command { .. } | GatewayPlan::Url { .. } => None,
    };
    source.into_iter().flat_map(|s| recipes(std::slice::from_ref(s))).flat_map(|r| r.survey).collect()
}

/// How probes look: everything of ours that is not load says `gatecrash-...` in its User-Agent, recipes included.
pub fn probe_pattern() -> ProbePattern {
    ProbePattern { user_agent: Some(Glob("gatecrash-*".into())), ..ProbePattern::default() }
}

/// The recipes that can be read; a test reads them all.
fn recipes(sources: &[Source]) -> impl Iterator<Item = Recipe> {
    sources.iter().filter_map(|source| Recipe::parse(source).ok())
}
