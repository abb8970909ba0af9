//! Recipes: what a released gateway is called, how it starts, reloads and stops, what can be set, what it
//! declares. Data in `harness/gateways/<name>/`, one line here each; embedded, so that an installed program
//! needs no files.

use std::collections::BTreeMap;

use gatecrash_core::units::Span;
use serde::Deserialize;

use super::parameters::Parameter;
use super::serves::Serves;
use super::version::Probe;
use super::yaml;

/// The embedded files of a recipe.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Name in scenarios.
    pub name: &'static str,
    /// `recipe.yaml`.
    pub recipe: &'static str,
    /// Template of the configuration file.
    pub config: &'static str,
    /// Names and templates of the files that go beside it.
    pub files: &'static [(&'static str, &'static str)],
    /// `declared.yaml`, the template of profile and probes.
    pub declared: &'static str,
}

macro_rules! source {
    ($name:literal, $config:literal $(, $file:literal)*) => {
        Source {
            name: $name,
            recipe: include_str!(concat!("../../gateways/", $name, "/recipe.yaml")),
            config: include_str!(concat!("../../gateways/", $name, "/", $config)),
            files: &[$(($file, include_str!(concat!("../../gateways/", $name, "/", $file)))),*],
            declared: include_str!(concat!("../../gateways/", $name, "/declared.yaml")),
        }
    };
}

/// Every recipe, in the order of the reference.
pub const RECIPES: &[Source] = &[
    source!("nginx", "nginx.conf"),
    source!("haproxy", "haproxy.cfg"),
    source!("varnish", "gateway.vcl"),
    source!("caddy", "Caddyfile"),
    source!("apache2", "httpd.conf"),
    source!("squid", "squid.conf"),
    source!(
        "trafficserver",
        "records.config",
        "ip_allow.yaml",
        "logging.yaml",
        "remap.config",
        "runroot.yaml",
        "storage.config",
        "strategies.yaml"
    ),
    source!("nginx-s3-gateway", "nginx.conf", "sign.js"),
    source!("envoy", "clusters.json", "listener.json"),
    source!("traefik", "dynamic.yaml"),
];

/// The embedded gateway is started by a recipe too; scenarios name it `embedded`.
pub(super) const REFERENCE: Source = source!("reference/recipe", "gateway.json");

/// A recipe, as its file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recipe {
    /// Name, the folder's.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// Program to run, a template.
    pub program: String,
    /// Debian package that holds it.
    #[serde(default)]
    pub package: Option<String>,
    /// Python package whose wheel holds it, where no Debian package does or an older version.
    #[serde(default)]
    pub wheel: Option<String>,
    /// How to ask for the version; absent for the embedded gateway, which has ours.
    #[serde(default)]
    pub version: Option<Probe>,
    /// Arguments, templates; the program has to stay in the foreground.
    pub args: Vec<String>,
    /// Environment on top of ours, templates.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// It refuses to run as root; then it is started in a user namespace in which it is not.
    #[serde(default)]
    pub shuns_root: bool,
    /// Name of the rendered configuration file.
    pub config: String,
    /// When it counts as ready.
    pub ready: Ready,
    /// How it is stopped.
    pub stop: Stop,
    /// How it takes a new configuration.
    #[serde(default)]
    pub reload: Option<Reload>,
    /// Which mistakes its configuration can be given.
    #[serde(default)]
    pub can: Vec<Mistake>,
    /// Whether a bucket can have another name in each region.
    #[serde(default)]
    pub maps_buckets: bool,
    /// Whether it can sign requests with a key of its own.
    #[serde(default)]
    pub signs: bool,
    /// What it passes on to S3; everything when absent.
    #[serde(default)]
    pub serves: Option<Serves>,
    /// How it can speak TLS to upstreams; not at all when absent.
    #[serde(default)]
    pub tls: Option<TlsReach>,
    /// Whether clients can speak TLS to it.
    #[serde(default)]
    pub serves_tls: bool,
    /// How clients can speak HTTP/2 to it; not at all when absent.
    #[serde(default)]
    pub serves_http2: Option<Http2Front>,
    /// Whether it can speak HTTP/2 to upstreams, without TLS and by prior knowledge.
    #[serde(default)]
    pub http2: bool,
    /// Log files in its directory, the most telling last.
    pub logs: Vec<String>,
    /// Log with one JSON object a request that names every upstream try: a second witness of connect
    /// attempts.
    #[serde(default)]
    pub witness: Option<String>,
    /// Parameters of a survey, by name: without what would take the one upstream out for longer than its fault lasts.
    #[serde(default)]
    pub survey: BTreeMap<String, String>,
    /// What can be set.
    pub parameters: Vec<Parameter>,
}

/// How clients can speak HTTP/2 to a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Http2Front {
    /// Over TLS, and without it by prior knowledge.
    Both,
    /// Over TLS only.
    Tls,
}

/// To which upstreams a gateway can speak TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsReach {
    /// To each as it wants.
    Each,
    /// To all of them, or to none.
    All,
}

/// When a gateway counts as ready.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ready {
    /// Path asked for, a template.
    pub path: String,
    /// How long it may take.
    pub within: Span,
    /// Greatest status that counts; any answer counts when absent.
    #[serde(default)]
    pub up_to: Option<u16>,
}

/// How a gateway is stopped.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Stop {
    /// Signal name, without SIG.
    pub signal: String,
    /// How long it may take before it is killed.
    pub within: Span,
}

/// How a gateway takes a new configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Reload {
    /// Signal name, without SIG. Without it and without `run` the program watches its files.
    #[serde(default)]
    pub signal: Option<String>,
    /// In place of a signal: a program and its arguments, templates, run in the gateway's directory.
    #[serde(default)]
    pub run: Vec<String>,
    /// How long it may take.
    pub within: Span,
    /// What shows that it happened.
    pub seen_by: SeenBy,
}

/// What shows that a reload happened.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeenBy {
    /// New worker processes serve; the old ones leave when their requests are done.
    NewProcesses,
    /// A line with this text in one of its logs.
    Log(String),
    /// The ready path, which has to hold `{{ generation }}`, is answered: the new configuration alone does that.
    Ready,
    /// The program that reloads has ended with exit code 0.
    Done,
}

/// A wrong value in the configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mistake {
    /// Another bucket.
    Bucket,
    /// Another region in the signature.
    Region,
    /// Another Host header.
    Host,
    /// Another upstream address.
    Endpoint,
    /// Other integration responses of an API gateway.
    Mapping,
}

// === impl Recipe ===

impl Recipe {
    /// Reads a recipe.
    pub fn parse(source: &Source) -> Result<Self, String> {
        yaml::parse(source.recipe)
    }
}

/// The source of a recipe by name, or the names there are.
pub(super) fn find(name: &str) -> Result<&'static Source, String> {
    RECIPES.iter().find(|source| source.name == name).ok_or_else(|| {
        let known: Vec<&str> = RECIPES.iter().map(|source| source.name).collect();
        format!("unknown gateway recipe `{name}` (known: {})", known.join(", "))
    })
}

// === impl Mistake ===

impl Mistake {
    /// Its key in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Region => "region",
            Self::Host => "host",
            Self::Endpoint => "endpoint",
            Self::Mapping => "mapping",
        }
    }
}

/// Names of mistakes for a message.
pub(super) fn list(mistakes: &[Mistake]) -> String {
    let names: Vec<&str> = mistakes.iter().map(|m| m.name()).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::shim::SIGNALS;
    use super::*;

    #[test]
    fn every_recipe_is_whole() {
        for source in RECIPES.iter().chain([&REFERENCE]) {
            let recipe = Recipe::parse(source).unwrap_or_else(|e| panic!("{}: {e}", source.name));
            assert!(source.name.starts_with(&recipe.name), "{}", source.name);
            let signals =
                [&recipe.stop.signal].into_iter().chain(recipe.reload.iter().flat_map(|r| &r.signal));
            for signal in signals {
                assert!(SIGNALS.iter().any(|(name, _)| name == signal), "{}: {signal}", recipe.name);
            }
            assert_eq!(recipe.can.is_empty(), recipe.reload.is_none(), "{}", recipe.name);
            if let Some(reload) = &recipe.reload {
                let ways = usize::from(reload.signal.is_some()) + usize::from(!reload.run.is_empty());
                assert!(ways <= 1, "{}: one way", recipe.name);
                assert!(ways == 1 || reload.seen_by == SeenBy::Ready, "{}: not seen", recipe.name);
                let telling = recipe.ready.path.contains("generation");
                assert_eq!(telling, reload.seen_by == SeenBy::Ready, "{}: its ready path", recipe.name);
                assert!(reload.seen_by != SeenBy::Done || reload.signal.is_none(), "{}", recipe.name);
            }
            let names: BTreeSet<&str> = recipe.parameters.iter().map(|p| p.name.as_str()).collect();
            assert_eq!(names.len(), recipe.parameters.len(), "{}: a parameter twice", recipe.name);
            assert!(recipe.parameters.iter().all(|p| p.about.ends_with('.')), "{}", recipe.name);
        }
    }
}
