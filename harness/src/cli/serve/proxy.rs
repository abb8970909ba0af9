//! `gatecrash serve proxy`: the control API that stands in for toxiproxy-server, or one link with faults.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::exit::{Exit, Failure};

mod link;
mod server;

/// The options of both.
#[derive(Args, Debug)]
#[command(disable_version_flag = true)]
pub(super) struct Proxy {
    /// Host that the control API listens on
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    host: String,
    /// Port that the control API listens on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value = "8474")]
    port: String,
    /// Proxies to start with: Toxiproxy's JSON, with `toxics`, `http` and `rules` where wanted
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seed of every draw; the same seed draws the same
    #[arg(long, default_value = "1", allow_negative_numbers = true, value_parser = seed)]
    seed: u64,
    /// Bytes by proxy and direction on /metrics
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "false", value_parser = BoolishValueParser::new(), hide_default_value = true,
          hide_possible_values = true)]
    proxy_metrics: bool,
    /// The process on /metrics
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "false", value_parser = BoolishValueParser::new(), hide_default_value = true,
          hide_possible_values = true)]
    runtime_metrics: bool,
    /// Print the version of Toxiproxy that this stands in for
    #[arg(long)]
    version: bool,
    /// Keeps proxies, toxics and rules here, and starts with what is kept
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Appends every event here, a JSON object a line
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// One link instead of the API: where it listens
    #[arg(long, value_name = "ADDR", requires = "upstream", default_value = "127.0.0.1:8666")]
    listen: SocketAddr,
    /// One link instead of the API: where it connects to
    #[arg(long, value_name = "ADDR",
          conflicts_with_all = ["host", "port", "config", "proxy_metrics", "runtime_metrics", "state", "journal"])]
    upstream: Option<SocketAddr>,
    /// Fault of the one link, as in a scenario: 'latency: { add: 50ms }' (repeatable)
    #[arg(long, requires = "upstream")]
    fault: Vec<String>,
    /// Probability of the faults, per attempt
    #[arg(long, requires = "upstream", default_value = "100%")]
    probability: String,
}

impl Proxy {
    pub(super) async fn serve(self) -> Result<Exit, Failure> {
        if self.version {
            let (version, ours) = (gatecrash_wire::TOXIPROXY_VERSION, env!("CARGO_PKG_VERSION"));
            super::super::print(&format!("toxiproxy-server version {version} (gatecrash {ours})\n"));
            return Ok(Exit::Pass);
        }
        match self.upstream {
            Some(upstream) => {
                link::serve(self.listen, upstream, &self.fault, &self.probability, self.seed).await
            }
            None => server::serve(self).await,
        }
    }
}

/// A seed, negative ones too: Go's is signed.
fn seed(text: &str) -> Result<u64, String> {
    let signed = |_| text.parse::<i64>().map(i64::cast_unsigned);
    text.parse().or_else(signed).map_err(|why| why.to_string())
}

/// Options as Go's `flag` package spells them: `-port 8475` is `--port 8475`, after `serve proxy` only.
pub(in crate::cli) fn single_dashes(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    const OPTIONS: &[&str] =
        &["host", "port", "config", "seed", "proxy-metrics", "runtime-metrics", "version", "help"];
    let mut arguments: Vec<_> = arguments.collect();
    if arguments.get(1).is_some_and(|a| a == "serve") && arguments.get(2).is_some_and(|a| a == "proxy") {
        for argument in &mut arguments[3..] {
            let name = argument.to_str().and_then(|text| text.strip_prefix('-'));
            let name = name.map(|text| text.split('=').next().unwrap_or(text));
            if name.is_some_and(|name| OPTIONS.contains(&name)) {
                let mut spelt = OsString::from("-");
                spelt.push(&*argument);
                *argument = spelt;
            }
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelt(line: &str) -> String {
        let words = single_dashes(line.split(' ').map(OsString::from));
        words.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn options_of_go_s_spelling_are_taken() {
        assert_eq!(
            spelt("gatecrash serve proxy -host 0.0.0.0 -port=8475 -proxy-metrics -seed -5"),
            "gatecrash serve proxy --host 0.0.0.0 --port=8475 --proxy-metrics --seed -5"
        );
        assert_eq!(spelt("gatecrash serve proxy -h --port 1"), "gatecrash serve proxy -h --port 1");
        assert_eq!(spelt("gatecrash serve mock -port 1"), "gatecrash serve mock -port 1");
    }

    #[test]
    fn seeds_may_be_negative() {
        assert_eq!(seed("-1"), Ok(u64::MAX));
        assert_eq!(seed("7"), Ok(7));
        assert!(seed("x").is_err());
    }
}
