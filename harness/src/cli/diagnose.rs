//! `gatecrash diagnose`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use gatecrash_core::diagnose::{self as judged, Place, Verdict};
use gatecrash_core::units::Span;
use gatecrash_load::sign::path;
use gatecrash_load::{CredentialSource, Credentials, Signer};

use crate::diagnose::{Course, Roots, Site, Url, environment, measure, observe};
use crate::exit::{Exit, Failure};

/// What follows the options in the long help.
const EXAMPLES: &str = "\
Examples:
  gatecrash diagnose --gateway http://127.0.0.1:8080 --bucket media --key a.jpg
      what can be told from the outside of a gateway on this machine

  gatecrash diagnose --environment
      what a run needs of this machine, and which gateways are here

  gatecrash diagnose --gateway https://gw.example --bucket media --key a.jpg \\
      --endpoint https://s3.eu-west-1.amazonaws.com --region eu-west-1 --canary-bucket other \\
      --allow-target gw.example --allow-target s3.eu-west-1.amazonaws.com
      with S3 itself to compare with, and another bucket to tell \"only mine\" from \"all of it\"

Exit codes: 0 healthy, 1 a cause was found, 3 something fails and nothing says why, 2 usage.
Credentials are those of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; they are never shown.
What each cause means: docs/diagnose.md.";

/// Find out why a gateway in front of S3 fails.
///
/// Reads one object several times through the gateway and, with --endpoint, directly; looks up the names, connects to
/// every address, and ranks the causes that what was seen speaks for. Nothing is written, no redirect is followed.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Diagnose {
    /// The gateway, http://host:port or https://host:port
    #[arg(long, value_name = "URL", required_unless_present_any = ["measure", "environment"])]
    gateway: Option<Url>,
    /// S3 itself, to compare with
    #[arg(long, value_name = "URL")]
    endpoint: Option<Url>,
    /// Region to sign for; AWS_REGION or AWS_DEFAULT_REGION otherwise, or else us-east-1
    #[arg(long)]
    region: Option<String>,
    /// Bucket
    #[arg(long, required_unless_present_any = ["measure", "environment"])]
    bucket: Option<String>,
    /// Key of an object that exists
    #[arg(long, required_unless_present_any = ["measure", "environment"])]
    key: Option<String>,
    /// Path of the object at the gateway; /BUCKET/KEY otherwise
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// The endpoint's host names the bucket already: leave it out of paths
    #[arg(long)]
    virtual_hosted: bool,
    /// Another bucket at the endpoint, whose listing is asked for
    #[arg(long, value_name = "BUCKET", requires = "endpoint")]
    canary_bucket: Option<String>,
    /// An endpoint of another region; its canary bucket is --canary-bucket or else the bucket
    #[arg(long, value_name = "URL")]
    canary_endpoint: Option<Url>,
    /// Region of the canary endpoint
    #[arg(long, value_name = "REGION", requires = "canary_endpoint")]
    canary_region: Option<String>,
    /// Sign requests to the gateway, too; for gateways that pass the signature on
    #[arg(long)]
    sign_gateway: bool,
    /// Ask this name server, not the system's (IPv4 addresses only)
    #[arg(long, value_name = "ADDRESS:PORT")]
    resolver: Option<SocketAddr>,
    /// Trust the roots in this PEM file, and no others
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Reads at each place, one by one
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(4..=1000))]
    repeat: u16,
    /// Reads side by side at each place, once; 0 for none
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(0..=256))]
    burst: u16,
    /// How long a probe waits before it calls the silence an answer
    #[arg(long, default_value = "10s")]
    patience: Span,
    /// A first byte later than this is slow
    #[arg(long, default_value = "1s")]
    slow: Span,
    /// The gateway's own limit for an answer of S3: 60s in nginx, 15s in Envoy, 30s in CloudFront, 29s in API Gateway
    #[arg(long, value_name = "TIME")]
    gateway_timeout: Option<Span>,
    /// Begin no new probe after this
    #[arg(long, default_value = "90s")]
    within: Span,
    /// Print observations and causes as JSON
    #[arg(long)]
    json: bool,
    /// Look at a host that is not loopback (repeatable)
    #[arg(long, value_name = "HOST")]
    allow_target: Vec<String>,
    /// Look at this machine instead: cores, open files, addresses, gateways that are installed
    #[arg(long, conflicts_with_all = ["gateway", "endpoint", "measure"])]
    environment: bool,
    #[command(flatten)]
    measuring: Measuring,
}

/// How good the diagnosis is.
#[derive(Args, Debug)]
struct Measuring {
    /// Measure the accuracy instead: inject each seed cause into a setting of our own, and write a line for each case
    /// to FILE; cases that are in it already are not run again
    #[arg(long, value_name = "FILE", conflicts_with_all = ["gateway", "endpoint"], help_heading = "Accuracy")]
    measure: Option<PathBuf>,
    /// Cases of each cause
    #[arg(long, default_value_t = 10, requires = "measure", help_heading = "Accuracy")]
    cases: u32,
    /// Causes whose name contains this text (repeatable)
    #[arg(long, value_name = "TEXT", requires = "measure", help_heading = "Accuracy")]
    only: Vec<String>,
    /// Cases side by side
    #[arg(long, default_value_t = 2, requires = "measure", help_heading = "Accuracy",
        value_parser = clap::value_parser!(u8).range(1..=16))]
    jobs: u8,
    /// Write the confusion matrix there, Markdown
    #[arg(long, value_name = "FILE", requires = "measure", help_heading = "Accuracy")]
    matrix: Option<PathBuf>,
}

impl Diagnose {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        if let Some(results) = &self.measuring.measure {
            let options = measure::Options {
                results: results.clone(),
                matrix: self.measuring.matrix.clone(),
                cases: self.measuring.cases,
                only: self.measuring.only.clone(),
                jobs: usize::from(self.measuring.jobs),
                executable: crate::run::own_executable()?,
            };
            return super::block_on(measure::measure(&options));
        }
        if self.environment {
            let looks = environment::looks();
            super::print(&environment::text(&looks));
            let lacking = looks.iter().any(|look| look.needed && !look.good);
            return Ok(if lacking { Exit::Environment } else { Exit::Pass });
        }
        let course = self.course()?;
        for site in &course.sites {
            self.permit(&site.url)?;
        }
        let seen = super::block_on(async { Ok(observe(&course).await) })?;
        let diagnosis = judged::diagnose(&seen);
        if self.json {
            let all = serde_json::json!({ "version": 1, "diagnosis": diagnosis, "observations": seen });
            let text = serde_json::to_string_pretty(&all).map_err(|e| Failure::bug(e.to_string()))?;
            super::print(&(text + "\n"));
        } else {
            super::print(&judged::terminal(&seen, &diagnosis));
        }
        Ok(match diagnosis.verdict {
            Verdict::Healthy => Exit::Pass,
            Verdict::Found => Exit::Failed,
            Verdict::CannotTell => Exit::Inconclusive,
        })
    }

    fn course(&self) -> Result<Course, Failure> {
        let from = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let region =
            self.region.clone().or_else(|| from("AWS_REGION")).or_else(|| from("AWS_DEFAULT_REGION"));
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        let credentials = match (from("AWS_ACCESS_KEY_ID"), from("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key), Some(secret)) => {
                Some(Credentials { access_key, secret, session_token: from("AWS_SESSION_TOKEN") })
            }
            _ => None,
        };
        let signer = |region: &str| {
            let source = credentials.clone().map(|c| Arc::new(CredentialSource::new(c)));
            source.map(|source| Arc::new(Signer::new(source, region)))
        };
        let (bucket, key) =
            (self.bucket.as_deref().unwrap_or_default(), self.key.as_deref().unwrap_or_default());
        let object = match self.virtual_hosted {
            true => path("", key, false).replacen("//", "/", 1),
            false => path(bucket, key, false),
        };
        let listing = |bucket: &str| Some((path(bucket, "", true), "list-type=2&max-keys=1".to_owned()));
        let mut sites = Vec::new();
        if let Some(url) = &self.endpoint {
            let list = if self.virtual_hosted {
                Some(("/".to_owned(), "list-type=2&max-keys=1".to_owned()))
            } else {
                listing(bucket)
            };
            let (url, signer) = (url.clone(), signer(&region));
            sites.push(Site { place: Place::Endpoint, url, object, list, signer });
        }
        if let Some(url) = &self.gateway {
            let object = self.path.clone().unwrap_or_else(|| url.path.clone() + &path(bucket, key, false));
            if !object.starts_with('/') || object.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return Err(Failure::usage(format!("{object} is no path of a request"))
                    .hint("write it as it goes on the wire, percent-encoded and with a slash before it"));
            }
            let signer = if self.sign_gateway { signer(&region) } else { None };
            sites.push(Site { place: Place::Gateway, url: url.clone(), object, list: None, signer });
        }
        if let (Some(canary), Some(url)) = (&self.canary_bucket, &self.endpoint) {
            let (url, list, signer) = (url.clone(), listing(canary), signer(&region));
            sites.push(Site { place: Place::CanaryBucket, url, object: String::new(), list, signer });
        }
        if let Some(url) = &self.canary_endpoint {
            let list = listing(self.canary_bucket.as_deref().unwrap_or(bucket));
            let signer = signer(self.canary_region.as_deref().unwrap_or(&region));
            let (url, object) = (url.clone(), String::new());
            sites.push(Site { place: Place::CanaryEndpoint, url, object, list, signer });
        }
        let roots = Roots::of(self.ca_file.as_deref()).map_err(|e| Failure::usage(e.to_string()))?;
        Ok(Course {
            sites,
            region,
            resolver: self.resolver,
            roots,
            patience: self.patience.duration(),
            slow: self.slow.duration(),
            gateway_timeout: self.gateway_timeout.map(Span::duration),
            repeat: usize::from(self.repeat),
            burst: usize::from(self.burst),
            within: self.within.duration(),
        })
    }

    /// The rule of `run`: other hosts are named twice, so that no slip of the pen sends requests to strangers.
    fn permit(&self, url: &Url) -> Result<(), Failure> {
        let named = |host: &String| host.trim_matches(['[', ']']).eq_ignore_ascii_case(&url.host);
        if url.is_loopback() || self.allow_target.iter().any(named) {
            return Ok(());
        }
        Err(Failure::usage(format!("{} is not a loopback address", url.host))
            .hint(format!("looking at other hosts needs --allow-target {}", url.host)))
    }
}
