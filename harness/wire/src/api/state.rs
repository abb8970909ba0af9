//! The state file: what is there, in the form of the configuration file, so that a restart finds it again.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tokio::sync::Mutex as Turn;

use super::json::array;
use super::registry::Registry;
use super::reply::ApiError;
use super::views;

pub(crate) struct State {
    path: PathBuf,
    /// Held while it is written: the last to write has seen everything.
    turn: Turn<()>,
}

impl State {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, turn: Turn::default() }
    }

    /// Writes everything beside the file and puts it in its place, so that there is never half of it.
    pub(crate) async fn write(&self, registry: &Registry) -> Result<(), ApiError> {
        let _turn = self.turn.lock().await;
        let json = array(registry.all().iter().map(|entry| views::kept(entry)));
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || replace(&path, json.as_bytes())).await;
        let failed = |why: &dyn std::fmt::Display| {
            let path = self.path.display();
            ApiError::new(500, format!("the change is in force, but cannot be kept in {path}: {why}"))
        };
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(failed(&why)),
            Err(why) => Err(failed(&why)),
        }
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
