//! `gatecrash policy simulate`.

use std::path::PathBuf;

use clap::Args;
use gatecrash_mock_s3::policy::{Caller, ContextType, Entries, Evaluation, Kind, Simulation};

use super::inputs::Files;
use super::verdicts;
use crate::exit::{Exit, Failure};

/// Decides what a principal may do, by the policies of files alone: the same verdict as the mock S3's.
///
/// Every action is asked with every resource. What is decided is named with the layer and the statement that decided,
/// its file, line and column, and the condition keys the policies asked for in vain. Exit code 0: all of it is
/// allowed; 1: some of it is denied; 2: a policy or an argument is wrong.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Simulate {
    /// Who asks: the ARN of a user, a role (then a session of it), a role's session or a root user; `anonymous`;
    /// or a service such as logging.s3.amazonaws.com
    #[arg(long, value_name = "ARN")]
    principal: String,
    /// What is to be done (repeatable), such as s3:GetObject
    #[arg(long = "action", value_name = "ACTION", required = true, num_args = 1..)]
    actions: Vec<String>,
    /// To what (repeatable); `*` for what is done to nothing in particular
    #[arg(long = "resource", value_name = "ARN", default_value = "*", num_args = 1..)]
    resources: Vec<String>,
    /// Policy of the user, its groups, or the role (repeatable)
    #[arg(long, value_name = "FILE", num_args = 1..)]
    identity: Vec<PathBuf>,
    /// Permissions boundary of the user or role
    #[arg(long, value_name = "FILE")]
    boundary: Option<PathBuf>,
    /// Session policy (repeatable)
    #[arg(long, value_name = "FILE", num_args = 1..)]
    session: Vec<PathBuf>,
    /// Service control policies of one level of the principal's organisation, separated by commas; once for each
    /// level: root, organisational units, account
    #[arg(long, value_name = "FILE,...")]
    scp: Vec<String>,
    /// Resource control policies of one level of the resource owner's organisation, likewise; AWS's
    /// RCPFullAWSAccess is always there
    #[arg(long, value_name = "FILE,...")]
    rcp: Vec<String>,
    /// Policy of the bucket
    #[arg(long, value_name = "FILE")]
    resource_policy: Option<PathBuf>,
    /// Account that owns the resources; the principal's, when this is not said
    #[arg(long, value_name = "ACCOUNT")]
    resource_owner: Option<String>,
    /// RestrictPublicBuckets is on: a public bucket policy is only for the owner's account and AWS services
    #[arg(long)]
    restrict_public: bool,
    /// Condition key of the request (repeatable): 'KEY=VALUE,...' or 'KEY:TYPE=VALUE,...' with the types of the IAM
    /// policy simulator: string, numeric, boolean, ip, binary, date, and each with List. A VALUE of string is not
    /// divided at commas
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  gatecrash policy simulate --principal arn:aws:iam::111111111111:user/ann --identity reader.json \\
      --action s3:GetObject s3:PutObject --resource arn:aws:s3:::media/a.jpg
  gatecrash policy simulate --principal arn:aws:iam::222222222222:role/etl --identity etl.json \\
      --resource-policy bucket.json --resource-owner 111111111111 --action s3:GetObject \\
      --resource arn:aws:s3:::media/a.jpg --context aws:SourceIp:ip=203.0.113.7 --json";

impl Simulate {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let simulation = self.simulation()?;
        let context = self.context()?;
        self.check_questions()?;
        let pairs =
            self.actions.iter().flat_map(|action| self.resources.iter().map(move |arn| (action, arn)));
        let decided: Vec<Evaluation> =
            pairs.map(|(action, arn)| simulation.ask(action, arn, &context)).collect();
        let text = match self.json {
            true => verdicts::json(&self.principal, &decided),
            false => verdicts::table(&decided),
        };
        crate::output::print(&text);
        let all = decided.iter().all(Evaluation::is_allowed);
        Ok(if all { Exit::Pass } else { Exit::Failed })
    }

    /// All policies, or everything that is wrong with them.
    fn simulation(&self) -> Result<Simulation, Failure> {
        let mut files = Files::default();
        let identity = files.read_all(&self.identity, Kind::Identity)?;
        let boundary = files.read_all(self.boundary.as_slice(), Kind::Identity)?;
        let session = files.read_all(&self.session, Kind::Identity)?;
        let service_control = files.read_levels(&self.scp, Kind::Identity)?;
        let resource_control = files.read_levels(&self.rcp, Kind::Bucket)?;
        let bucket = files.read_all(self.resource_policy.as_slice(), Kind::Bucket)?;
        files.refused()?;

        let caller = self.caller()?;
        if caller.account().is_none() && self.resource_owner.is_none() {
            return Err(Failure::usage(format!(
                "nobody owns the resources that {} asks for",
                self.principal
            ))
            .hint("say whose they are: --resource-owner ACCOUNT"));
        }
        Ok(Simulation::of(caller)
            .with_identity(identity)
            .with_boundary(boundary.into_iter().next())
            .with_session(session)
            .with_service_control(service_control)
            .with_resource_control(resource_control)
            .with_bucket(bucket.into_iter().next())
            .restrict_public(self.restrict_public)
            .owned_by_some(self.owner()?))
    }

    fn caller(&self) -> Result<Caller, Failure> {
        let text = self.principal.as_str();
        if text == "anonymous" {
            return Ok(Caller::anonymous());
        }
        if text.ends_with(".amazonaws.com") && !text.contains(':') {
            return Ok(Caller::service(text));
        }
        Caller::from_arn(text).filter(|caller| caller.account().is_some()).ok_or_else(|| {
            Failure::usage(format!("--principal {text:?} is no principal"))
                .hint("for example arn:aws:iam::111111111111:user/ann, .../role/etl, anonymous")
        })
    }

    /// The account number, also of its root's ARN.
    fn owner(&self) -> Result<Option<&str>, Failure> {
        let Some(text) = self.resource_owner.as_deref() else { return Ok(None) };
        let root = text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
        let account = root.unwrap_or(text);
        match account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Ok(Some(account)),
            false => Err(Failure::usage(format!("--resource-owner {text:?} is no account"))
                .hint("twelve digits, or arn:aws:iam::ACCOUNT:root")),
        }
    }

    fn check_questions(&self) -> Result<(), Failure> {
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        for action in &self.actions {
            if !action.split_once(':').is_some_and(|(service, name)| plain(service) && plain(name)) {
                return Err(Failure::usage(format!("--action {action:?} is no action"))
                    .hint("one action, without wildcards, such as s3:GetObject"));
            }
        }
        for arn in &self.resources {
            let whole = arn.starts_with("arn:") && arn.splitn(6, ':').count() == 6;
            if !whole && arn != "*" {
                return Err(Failure::usage(format!("--resource {arn:?} is no ARN"))
                    .hint("for example arn:aws:s3:::bucket or arn:aws:s3:::bucket/key"));
            }
        }
        Ok(())
    }

    fn context(&self) -> Result<Entries, Failure> {
        let mut entries = Entries::new();
        let mut known: Vec<String> = Vec::new();
        for text in &self.context {
            let (key, values) = entry(text)?;
            if known.contains(&key.to_lowercase()) {
                return Err(Failure::usage(format!("--context {key} is there twice"))
                    .hint(format!("several values of a key go together: {key}=a,b")));
            }
            known.push(key.to_lowercase());
            entries.set(key, values);
        }
        Ok(entries)
    }
}

/// The key and the values of `KEY=VALUE,...` or `KEY:TYPE=VALUE,...`.
fn entry(text: &str) -> Result<(&str, Vec<&str>), Failure> {
    let refused = |what: String| {
        let names: Vec<_> = ContextType::names().collect();
        Failure::usage(format!("--context {text:?}: {what}"))
            .hint(format!("KEY=VALUE,... or KEY:TYPE=VALUE,... with a type of {}", names.join(", ")))
    };
    let (name, value) = text.split_once('=').ok_or_else(|| refused("no value".to_owned()))?;
    let typed = name.rsplit_once(':').filter(|(key, _)| key.contains(':'));
    let (key, kind) = match typed {
        None => (name, None),
        Some((key, kind)) => match ContextType::parse(kind) {
            Some(kind) => (key, Some(kind)),
            None => return Err(refused(format!("{kind:?} is no type"))),
        },
    };
    if !key.split_once(':').is_some_and(|(service, rest)| !service.is_empty() && !rest.is_empty()) {
        return Err(refused(format!("{key:?} is no condition key")));
    }
    let values: Vec<&str> = match kind {
        Some(kind) if !kind.is_list() => vec![value],
        Some(_) if value.is_empty() => Vec::new(),
        _ => value.split(',').collect(),
    };
    if let Some(kind) = kind
        && let Some(wrong) = values.iter().find(|value| !kind.takes(value))
    {
        return Err(refused(format!("{wrong:?} is not {}", kind.name())));
    }
    Ok((key, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_keys_types_and_values() {
        type Expected<'a> = Option<(&'a str, &'a [&'a str])>;
        let table: &[(&str, Expected<'_>)] = &[
            ("aws:SourceIp=10.0.0.1", Some(("aws:SourceIp", &["10.0.0.1"]))),
            ("aws:SourceIp:ip=10.0.0.1", Some(("aws:SourceIp", &["10.0.0.1"]))),
            ("aws:TagKeys=a,b", Some(("aws:TagKeys", &["a", "b"]))),
            ("aws:TagKeys:stringList=", Some(("aws:TagKeys", &[]))),
            ("aws:UserAgent:string=a,b=c", Some(("aws:UserAgent", &["a,b=c"]))),
            ("aws:PrincipalTag/team:string=x", Some(("aws:PrincipalTag/team", &["x"]))),
            ("s3:max-keys:numeric=7", Some(("s3:max-keys", &["7"]))),
            ("s3:max-keys:numeric=seven", None),
            ("s3:max-keys:number=7", None),
            ("SourceIp=10.0.0.1", None),
            ("aws:SourceIp", None),
        ];
        for (text, expected) in table {
            let read = entry(text).ok();
            assert_eq!(read.as_ref().map(|(key, values)| (*key, values.as_slice())), *expected, "{text}");
        }
    }
}
