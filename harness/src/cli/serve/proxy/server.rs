//! The control API until a signal.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use gatecrash_core::diagnostics::{Diagnostic, Diagnostics, Place, SourceText};
use gatecrash_wire::{ApiSettings, ConfigError, ControlApi, MetricsShown};

use super::super::super::{print, signals};
use super::Proxy;
use crate::clock::RunClock;
use crate::exit::{Exit, Failure};

pub(super) async fn serve(options: Proxy) -> Result<Exit, Failure> {
    let end = signals::end()?;
    let listen = address(&options.host, &options.port).await?;
    let clock = RunClock::start();
    clock.set_zero();
    let settings = ApiSettings {
        clock: Arc::new(clock),
        seed: options.seed,
        metrics: MetricsShown { proxy: options.proxy_metrics, runtime: options.runtime_metrics },
        journal: options.journal.clone(),
        state: options.state.clone(),
    };
    let control = ControlApi::new(settings)
        .map_err(|why| Failure::usage(format!("cannot write the journal: {why}")))?;
    // What was kept comes first: a configuration leaves alone what is there already.
    if let Some(state) = options.state.as_deref().filter(|state| state.exists()) {
        configure(&control, state).await?;
    }
    if let Some(config) = options.config.as_deref() {
        configure(&control, config).await?;
    }
    let server = control.serve(listen).await.map_err(|why| {
        Failure::environment(format!("cannot listen on {listen}: {why}"))
            .hint("choose another place with --host and --port; port 0 takes a free one")
    })?;
    let seed = options.seed.cast_signed();
    print(&format!("Toxiproxy API on http://{}, seed {seed}\n", server.addr()));
    end.await;
    server.stop().await;
    Ok(Exit::Pass)
}

async fn address(host: &str, port: &str) -> Result<SocketAddr, Failure> {
    let port: u16 = port.parse().map_err(|_| Failure::usage(format!("invalid port `{port}`")))?;
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    let found = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
    let found: Vec<_> = found.map(Iterator::collect).unwrap_or_default();
    let four = found.iter().find(|address| address.is_ipv4());
    let address = four.or(found.first()).copied();
    address.ok_or_else(|| Failure::usage(format!("the host `{host}` has no address")))
}

async fn configure(control: &ControlApi, path: &Path) -> Result<(), Failure> {
    let name = path.display().to_string();
    let text = std::fs::read(path).map_err(|why| Failure::usage(format!("cannot read {name}: {why}")))?;
    control.configure(&text).await.map(|_| ()).map_err(|error| match error {
        ConfigError::Invalid { at: Some(at), message } => Failure::usage(pointed(name, &text, at, message)),
        ConfigError::Invalid { at: None, message } => Failure::usage(format!("{name}: {message}")),
        ConfigError::Refused { proxy, message } => {
            Failure::environment(format!("{name}: proxy `{proxy}`: {message}"))
        }
    })
}

/// A mistake at its place in the file.
fn pointed(name: String, text: &[u8], at: usize, message: String) -> String {
    let text = String::from_utf8_lossy(text).into_owned();
    let at = text.floor_char_boundary(at.min(text.len()));
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let diagnostic = Diagnostic::error(message, Place::new(0, at, end), "here");
    Diagnostics::new(vec![SourceText::new(name, text)], vec![diagnostic]).to_string()
}
