//! How to start, reload and stop one gateway: what a recipe, the embedded gateway and a user's command come
//! down to.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use gatecrash_core::faults::Misconfigure;
use gatecrash_core::plan::{GatewayPlan, Plan};
use gatecrash_core::profile::{ProbePattern, Profile};
use gatecrash_wire::dns::host_name;
use minijinja::{Value, context};

use super::declared::Declared;
use super::error::GatewayError;
use super::parameters;
use super::plan_check::topology;
use super::presets;
use super::process::{self, Start};
use super::recipe::{self, Mistake, REFERENCE, Ready, Recipe, Reload, Source, Stop};
use super::render::Renderer;
use super::version::{self, Probe};
use super::{Endpoint, Launch, command};

/// File that takes a gateway's standard output and error.
pub(super) const OUTPUT: &str = "output.log";

/// Everything about one gateway but its port. Holds credentials: never shown.
pub(super) struct Blueprint {
    pub(super) name: String,
    pub(super) program: String,
    pub(super) package: Option<String>,
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) config: Option<ConfigFile>,
    pub(super) version: Option<Probe>,
    pub(super) ready: Ready,
    pub(super) stop: Stop,
    pub(super) reload: Option<Reload>,
    pub(super) can: Vec<Mistake>,
    pub(super) logs: Vec<String>,
    pub(super) witness: Option<String>,
    pub(super) profile: Profile,
    pub(super) probes: Vec<ProbePattern>,
    pub(super) facts: Value,
}

/// A configuration file to be.
pub(super) struct ConfigFile {
    pub(super) name: String,
    pub(super) template: String,
}

/// The gateway's own directory in a run directory, absolute.
pub(super) fn directory(run: &Path) -> Result<PathBuf, GatewayError> {
    Ok(process::absolute(run)?.join("gateway"))
}

// === impl Blueprint ===

impl Blueprint {
    /// The blueprint of a plan's gateway; `None` for one that is an address only.
    pub(super) fn of(launch: &Launch<'_>) -> Result<Option<Self>, GatewayError> {
        let facts = facts(launch)?;
        match &launch.plan.gateway {
            GatewayPlan::Embedded { preset, defects, defect_rate, params } => {
                let facts = context! {
                    preset => preset, defects => defects, defect_rate => defect_rate.0, ..facts
                };
                let params = presets::applied(preset, params);
                let mut blueprint = Self::from_recipe(&REFERENCE, &params, launch.plan, facts)?;
                blueprint.profile.version = env!("CARGO_PKG_VERSION").into();
                Ok(Some(blueprint))
            }
            GatewayPlan::Recipe { name, params } => {
                let source = recipe::find(name).map_err(|problem| GatewayError::Plan(vec![problem]))?;
                Self::from_recipe(source, params, launch.plan, facts).map(Some)
            }
            GatewayPlan::Command { .. } => command::blueprint(&launch.plan.gateway, facts),
            GatewayPlan::Url { .. } => Ok(None),
        }
    }

    fn from_recipe(
        source: &Source,
        given: &BTreeMap<String, String>,
        plan: &Plan,
        facts: Value,
    ) -> Result<Self, GatewayError> {
        let unreadable =
            |problem| GatewayError::Render { what: format!("recipe `{}`", source.name), problem };
        let recipe = Recipe::parse(source).map_err(unreadable)?;
        let renderer = Renderer::new();
        let params = parameters::settle(&recipe.parameters, given, &topology(plan), &renderer)
            .map_err(GatewayError::Plan)?;
        let facts = context! { params, ..facts };
        let declared = Declared::render(source.declared, facts.clone(), &renderer)?;
        Ok(Self {
            name: recipe.name,
            program: recipe.program,
            package: recipe.package,
            args: recipe.args,
            env: BTreeMap::new(),
            config: Some(ConfigFile { name: recipe.config, template: source.config.to_owned() }),
            version: recipe.version,
            ready: recipe.ready,
            stop: recipe.stop,
            reload: recipe.reload,
            can: recipe.can,
            logs: recipe.logs,
            witness: recipe.witness,
            profile: declared.profile,
            probes: declared.probes,
            facts,
        })
    }

    /// The program's path.
    pub(super) fn find_program(&self) -> Result<PathBuf, GatewayError> {
        let program = Renderer::new().text("program", &self.program, self.facts.clone())?;
        version::find(&program).ok_or_else(|| GatewayError::MissingProgram {
            gateway: self.name.clone(),
            program: program.clone(),
            package: self.package.clone(),
        })
    }

    /// Renders arguments and environment for one listen address.
    pub(super) fn start(
        &self,
        executable: &Path,
        program: &Path,
        dir: &Path,
        listen: SocketAddr,
    ) -> Result<Start, GatewayError> {
        let renderer = Renderer::new();
        let context = self.context(dir, listen, None);
        let render = |what: &str, template: &str| renderer.text(what, template, context.clone());
        let env = self.env.iter().map(|(name, value)| Ok((name.clone(), render(name, value)?)));
        Ok(Start {
            executable: executable.to_owned(),
            program: process::absolute(program)?,
            args: self.args.iter().map(|arg| render("argument", arg)).collect::<Result<_, _>>()?,
            env: env.collect::<Result<_, GatewayError>>()?,
            dir: dir.to_owned(),
            log: dir.join(OUTPUT),
        })
    }

    /// Renders the configuration file, readable by its owner alone, and puts it in place in one step.
    pub(super) fn write_config(
        &self,
        dir: &Path,
        listen: SocketAddr,
        mistake: Option<&Misconfigure>,
    ) -> Result<(), GatewayError> {
        let Some(config) = &self.config else { return Ok(()) };
        let text =
            Renderer::new().text(&config.name, &config.template, self.context(dir, listen, mistake))?;
        let path = dir.join(&config.name);
        let new = dir.join(format!("{}.new", config.name));
        let written = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .and_then(|()| fs::rename(&new, &path));
        written.map_err(|source| GatewayError::Write { path, source })
    }

    fn context(&self, dir: &Path, listen: SocketAddr, mistake: Option<&Misconfigure>) -> Value {
        let config = self.config.as_ref().map(|config| dir.join(&config.name).display().to_string());
        let wrong = mistake.cloned().unwrap_or(Misconfigure {
            bucket: None,
            region: None,
            host: None,
            endpoint: None,
        });
        context! {
            listen => listen.to_string(),
            listen_host => listen.ip().to_string(),
            listen_port => listen.port(),
            dir => dir.display().to_string(),
            config => config,
            wrong => context! {
                bucket => wrong.bucket,
                region => wrong.region,
                host => wrong.host,
                endpoint => wrong.endpoint,
            },
            ..self.facts.clone()
        }
    }
}

/// What every template may use.
fn facts(launch: &Launch<'_>) -> Result<Value, GatewayError> {
    let plan = launch.plan;
    let upstreams: Vec<Value> = launch.endpoints.iter().map(|endpoint| upstream(plan, endpoint)).collect();
    let regions: Vec<Value> = plan
        .regions
        .iter()
        .map(|region| {
            let endpoints: Vec<String> = launch
                .endpoints
                .iter()
                .filter(|endpoint| endpoint.region == region.name)
                .map(|endpoint| endpoint.addr.to_string())
                .collect();
            let buckets: BTreeMap<String, String> = plan
                .buckets
                .iter()
                .flat_map(|bucket| bucket.regions.iter().map(|(of, name)| (&bucket.name, of, name)))
                .filter(|(_, of, _)| **of == region.name)
                .map(|(client, _, regional)| (client.clone(), regional.clone()))
                .collect();
            let host_name = host_name(&region.name);
            let (primary, tls, http2) = (region.primary, region.tls.is_some(), region.http2);
            context! { name => &region.name, host_name, primary, tls, http2, endpoints, buckets }
        })
        .collect();
    let path = |path: &Path| path.display().to_string();
    let client = |pick: fn(&(PathBuf, PathBuf, PathBuf)) -> &PathBuf| {
        launch.tls.and_then(|tls| tls.client.as_ref()).map(|files| path(pick(files)))
    };
    let credentials = launch.credentials.as_ref().map(|credentials| {
        context! { access_key => &credentials.access_key, secret_key => &credentials.secret_key }
    });
    Ok(context! {
        executable => process::absolute(launch.executable)?.display().to_string(),
        upstreams,
        regions,
        dns => launch.resolver.map(|addr| addr.to_string()),
        credentials,
        ca_file => launch.tls.map(|tls| path(&tls.ca)),
        tls_name => launch.tls.map(|tls| tls.name),
        client_cert => client(|(certificates, _, _)| certificates),
        client_key => client(|(_, key, _)| key),
        client_pem => client(|(_, _, both)| both),
        planted => launch.planted,
        superuser => rustix::process::geteuid().is_root(),
        ..topology(plan)
    })
}

fn upstream(plan: &Plan, endpoint: &Endpoint) -> Value {
    let region = plan.regions.iter().find(|region| region.name == endpoint.region);
    let (tls, http2) = region.map_or((false, false), |region| (region.tls.is_some(), region.http2));
    context! {
        tls,
        scheme => if tls { "https" } else { "http" },
        name => host_name(&endpoint.region),
        region => &endpoint.region,
        number => endpoint.number,
        addr => endpoint.addr.to_string(),
        host => endpoint.addr.ip().to_string(),
        port => endpoint.addr.port(),
        primary => endpoint.primary,
        http2,
    }
}
