//! `gatecrash serve gateway`: the reference gateway as a process of its own.

use std::path::Path;

use gatecrash_reference::{Config, Gateway};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::exit::Failure;
use crate::output;

/// Serves the configuration in `path` until `shutdown`; SIGHUP reads it again. A configuration that cannot be used is
/// reported and the old one stays.
pub async fn serve(path: &Path, shutdown: impl Future<Output = ()>) -> Result<(), Failure> {
    let config = read(path)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(|e| Failure::environment(e.to_string()))?;
    let gateway = Gateway::bind(config).await.map_err(|e| Failure::environment(e.to_string()))?;
    output::print(&format!("listening on http://{}\n", gateway.local_addr()));
    let (configurations, changed) = mpsc::channel(1);
    let reload = async {
        while hangup.recv().await.is_some() {
            match read(path) {
                Ok(config) => {
                    if configurations.send(config).await.is_ok() {
                        output::print("configuration reloaded\n");
                    }
                }
                Err(failure) => {
                    output::note(&format!("{failure}\n  the configuration before stays in force"))
                }
            }
        }
    };
    tokio::select! {
        () = gateway.serve_reloading(shutdown, changed) => {}
        () = reload => {}
    }
    Ok(())
}

fn read(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::usage(format!("cannot read {}: {e}", path.display())))?;
    Config::from_json(&text).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))
}
