//! How a mock is watched, and changed while it runs.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use gatecrash_mock_s3::{AccessLogFile, AccessLogFormat, AdminError, JournalFile, MockS3};

use crate::exit::Failure;

/// Ports and files for those who watch.
#[derive(Args, Debug)]
pub(super) struct Watch {
    /// Where the admin port listens: reset, faults, settings, journal and metrics over HTTP, see docs/mock-s3.md
    #[arg(long, value_name = "ADDR")]
    admin: Option<SocketAddr>,
    /// Lets the admin port listen beyond loopback: whoever reaches it can read and change everything
    #[arg(long, requires = "admin")]
    admin_open: bool,
    /// Appends the journal here, a JSON object for each request
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Appends the S3 server access log of all buckets here
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
    /// Writes the access log as JSON, as CloudWatch Logs has it
    #[arg(long, requires = "access_log")]
    access_log_json: bool,
}

impl Watch {
    /// Opens what was asked for. Where the admin port listens, if there is one.
    pub(super) async fn begin(&self, mock: &MockS3) -> Result<Option<SocketAddr>, Failure> {
        if let Some(path) = &self.journal {
            mock.observe(Arc::new(JournalFile::append(path).map_err(cannot_open(path))?));
        }
        if let Some(path) = &self.access_log {
            let format = if self.access_log_json { AccessLogFormat::Json } else { AccessLogFormat::Text };
            mock.observe(Arc::new(AccessLogFile::append(path, format).map_err(cannot_open(path))?));
        }
        let Some(address) = self.admin else { return Ok(None) };
        let bound = match self.admin_open {
            true => mock.serve_admin_openly(address).await,
            false => mock.serve_admin(address).await,
        };
        bound.map(Some).map_err(|why| match why {
            AdminError::NotLoopback(_) => {
                Failure::usage(why.to_string()).hint("--admin-open, where that is what you want")
            }
            AdminError::Listen { .. } => Failure::environment(why.to_string())
                .hint("choose another place with --admin; port 0 takes a free one"),
        })
    }
}

fn cannot_open(path: &Path) -> impl FnOnce(io::Error) -> Failure + '_ {
    move |why| Failure::usage(format!("cannot write {}: {why}", path.display()))
}
