//! How to start, reload and stop one gateway: what a recipe, the embedded gateway and a user's command come
//! down to.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use gatecrash_core::faults::Misconfigure;
use gatecrash_core::plan::{GatewayPlan, HttpPlan, Plan};
use gatecrash_core::profile::{ProbePattern, Profile};
use gatecrash_wire::dns::host_name;
use minijinja::{Value, context};

use super::declared::Declared;
use super::error::GatewayError;
use super::parameters;
use super::plan_check::topology;
use super::preset;
use super::process::{self, Start};
use super::recipe::{self, Mistake, REFERENCE, Ready, Recipe, Reload, Source, Stop};
use super::render::Renderer;
use super::version::{self, Probe};
use super::{ClientFiles, Endpoint, Launch, command};

/// File that takes a gateway's standard output and error.
pub(super) const OUTPUT: &str = "output.log";

/// Starts a program in a user namespace of its own in which root is nobody; files are still root's.
const NOT_ROOT: &[&str] = &["--user", "--map-user=nobody", "--map-group=nogroup", "--"];

/// Everything about one gateway but its port. Holds credentials: never shown.
pub(super) struct Blueprint {
    pub(super) name: String,
    pub(super) program: String,
    pub(super) package: Option<String>,
    pub(super) wheel: Option<String>,
    /// The version that has to be run, when not the first that is found.
    pub(super) wanted: Option<String>,
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) shuns_root: bool,
    /// The configuration file, first, and what goes beside it.
    pub(super) config: Vec<ConfigFile>,
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
    /// How often the configuration was written.
    pub(super) written: AtomicU64,
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
                let params = preset::parameters(preset, params)
                    .map_err(|problem| GatewayError::Plan(vec![problem]))?;
                let mut blueprint = Self::from_recipe(&REFERENCE, &params, launch.plan, facts)?;
                blueprint.profile.version = env!("CARGO_PKG_VERSION").into();
                Ok(Some(blueprint))
            }
            GatewayPlan::Recipe { name, version, params } => {
                let source = recipe::find(name).map_err(|problem| GatewayError::Plan(vec![problem]))?;
                let blueprint = Self::from_recipe(source, params, launch.plan, facts)?;
                Ok(Some(Self { wanted: version.clone(), ..blueprint }))
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
        let file = |name: &str, template: &str| ConfigFile { name: name.into(), template: template.into() };
        let beside = source.files.iter().map(|(name, template)| file(name, template));
        Ok(Self {
            name: recipe.name,
            program: recipe.program,
            package: recipe.package,
            wheel: recipe.wheel,
            wanted: None,
            args: recipe.args,
            env: recipe.env,
            shuns_root: recipe.shuns_root,
            config: std::iter::once(file(&recipe.config, source.config)).chain(beside).collect(),
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
            written: AtomicU64::new(0),
        })
    }

    /// The program's path and its version, where it can tell one.
    pub(super) async fn find_program(&self) -> Result<(PathBuf, Option<String>), GatewayError> {
        let program = Renderer::new().text("program", &self.program, self.facts.clone())?;
        let path = self.find(&program, self.package.as_deref())?;
        match (&self.version, &self.wanted) {
            (Some(probe), Some(wanted)) => {
                let (path, version) = version::find_version(&program, probe, wanted).await?;
                Ok((path, Some(version)))
            }
            (Some(probe), None) => {
                let version = version::probe(&path, probe).await?;
                Ok((path, Some(version)))
            }
            (None, _) => Ok((path, None)),
        }
    }

    fn find(&self, program: &str, package: Option<&str>) -> Result<PathBuf, GatewayError> {
        version::find(program).ok_or_else(|| GatewayError::MissingProgram {
            gateway: self.name.clone(),
            program: program.to_owned(),
            package: package.map(str::to_owned),
            wheel: self.wheel.clone(),
        })
    }

    /// The command that makes it reload, where it is one.
    pub(super) fn reload_command(
        &self,
        dir: &Path,
        listen: SocketAddr,
        running: &Path,
    ) -> Result<Option<(PathBuf, Vec<String>)>, GatewayError> {
        let Some([program, args @ ..]) = self.reload.as_ref().map(|reload| reload.run.as_slice()) else {
            return Ok(None);
        };
        let (renderer, context) = (Renderer::new(), self.context(dir, listen, None));
        let args = args.iter().map(|arg| renderer.text("argument", arg, context.clone()));
        let program = if *program == self.program && !self.shuns_root {
            running.to_owned()
        } else {
            self.find(program, self.package.as_deref())?
        };
        Ok(Some((program, args.collect::<Result<_, _>>()?)))
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
        let args = self.args.iter().map(|arg| render("argument", arg));
        let mut program = process::absolute(program)?;
        let mut before = Vec::new();
        if self.shuns_root && rustix::process::geteuid().is_root() {
            before = NOT_ROOT.iter().map(|arg| Ok((*arg).to_owned())).collect();
            before.push(Ok(program.display().to_string()));
            program = self.find("unshare", Some("util-linux"))?;
        }
        Ok(Start {
            executable: executable.to_owned(),
            program,
            args: before.into_iter().chain(args).collect::<Result<_, _>>()?,
            env: env.collect::<Result<_, GatewayError>>()?,
            dir: dir.to_owned(),
            log: dir.join(OUTPUT),
        })
    }

    /// Renders the configuration files, readable by their owner alone, and puts each in place in one step.
    pub(super) fn write_config(
        &self,
        dir: &Path,
        listen: SocketAddr,
        mistake: Option<&Misconfigure>,
    ) -> Result<(), GatewayError> {
        self.written.fetch_add(1, Ordering::Relaxed);
        let context = self.context(dir, listen, mistake);
        for file in &self.config {
            let text = Renderer::new().text(&file.name, &file.template, context.clone())?;
            let path = dir.join(&file.name);
            let new = dir.join(format!("{}.new", file.name));
            let written = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)
                .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
                .and_then(|()| fs::rename(&new, &path));
            written.map_err(|source| GatewayError::Write { path, source })?;
        }
        Ok(())
    }

    /// The path that is asked for until it is ready.
    pub(super) fn ready_path(&self, dir: &Path, listen: SocketAddr) -> Result<String, GatewayError> {
        Renderer::new().text("ready path", &self.ready.path, self.context(dir, listen, None))
    }

    fn context(&self, dir: &Path, listen: SocketAddr, mistake: Option<&Misconfigure>) -> Value {
        let config = self.config.first().map(|config| dir.join(&config.name).display().to_string());
        let wrong = mistake.cloned().unwrap_or_default();
        context! {
            listen => listen.to_string(),
            listen_host => listen.ip().to_string(),
            listen_port => listen.port(),
            dir => dir.display().to_string(),
            config => config,
            generation => self.written.load(Ordering::Relaxed),
            wrong => context! {
                bucket => wrong.bucket,
                region => wrong.region,
                host => wrong.host,
                endpoint => wrong.endpoint,
                mapping => wrong.mapping,
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
    let client = |pick: fn(&ClientFiles) -> &PathBuf| {
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
        client_cert => client(|files| &files.certificates),
        client_key => client(|files| &files.key),
        client_pem => client(|files| &files.both),
        client_leaf => client(|files| &files.leaf),
        front => launch.front.map(|front| context! {
            listen => front.addr.to_string(),
            certificates => path(&front.certificates),
            key => path(&front.key),
            both => path(&front.both),
        }),
        serve_http2 => plan.workloads.iter().any(|w| w.client.http == HttpPlan::Http2),
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
