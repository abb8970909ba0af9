//! `gatecrash explain`.

use std::path::PathBuf;

use clap::Args;
use gatecrash_core::checks::CHECKS;
use gatecrash_core::diagnose::CAUSES;
use gatecrash_core::diagnostics::nearest;
use gatecrash_core::faults::malformed::KINDS;
use gatecrash_core::faults::{FAULTS, HTTP2_KINDS};
use gatecrash_core::selftest::{DEFECTS as PROOFS, proving};

use crate::exit::{BY_PRECEDENCE, Exit, Failure};
use crate::suite::{self, Incident, PARTS};

mod gateway;
pub(super) mod run;

/// Prints the reference page of a name, or the story of one request.
#[derive(Args, Debug)]
pub(super) struct Explain {
    /// A check, a fault, a malformed or HTTP/2 kind, a defect, a cause of `diagnose`, a gateway with its parameters, a
    /// preset, a shipped scenario, an exit code, or run:RUN/WORKLOAD-K; run:RUN alone shows which requests are worth it
    what: String,
    /// Where run directories are
    #[arg(long, default_value = "runs", value_name = "DIR")]
    out: PathBuf,
}

impl Explain {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let page = match self.what.strip_prefix("run:") {
            Some(request) => run::page(&self.out, request)?,
            None => page(&self.what).ok_or_else(|| unknown(&self.what))?,
        };
        super::print(&page);
        Ok(Exit::Pass)
    }
}

fn page(name: &str) -> Option<String> {
    check(name)
        .or_else(|| both(fault(name), cause(name)))
        .or_else(|| malformed(name))
        .or_else(|| http2(name))
        .or_else(|| defect(name))
        .or_else(|| gateway::page(name))
        .or_else(|| gateway::preset(name))
        .or_else(|| code(name))
        .or_else(|| scenario(name))
}

fn unknown(name: &str) -> Failure {
    let scenarios: Vec<_> = suite::shipped().iter().map(|source| suite::short_name(&source.name)).collect();
    let mut names: Vec<&str> = (CHECKS.iter().map(|c| c.name))
        .chain(FAULTS.iter().map(|f| f.name))
        .chain(CAUSES.iter().map(|c| c.name))
        .chain(KINDS.iter().map(|k| k.name))
        .chain(HTTP2_KINDS.iter().map(|k| k.name))
        .chain(gatecrash_reference::DEFECTS.iter().map(|d| d.name))
        .chain(gateway::names())
        .collect();
    names.extend(scenarios.iter().map(String::as_str));
    let hint = match nearest(name, names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            "`gatecrash list checks`, `list faults`, `list malformed`, `list http2`, `list defects`, `list \
                 gateways` and `list scenarios` show the names"
                .to_owned()
        }
    };
    Failure::usage(format!("nothing is called `{name}`")).hint(hint)
}

/// Some causes of failures are called like the faults that imitate them.
fn both(fault: Option<String>, cause: Option<String>) -> Option<String> {
    match (fault, cause) {
        (Some(fault), Some(cause)) => Some(format!("{fault}\n{cause}")),
        (fault, cause) => fault.or(cause),
    }
}

fn check(name: &str) -> Option<String> {
    let check = CHECKS.iter().find(|c| c.name == name)?;
    let proves = proving(name);
    let proof = if proves.is_empty() {
        String::new()
    } else {
        format!("\nproved by the defects: {}\n", proves.join(", "))
    };
    let sources = check.sources.iter().map(|source| format!("  {source}\n    {}\n", source.url()));
    let sources: String = sources.collect();
    let fixes = check.fixes.each().map(|(product, fix)| {
        let lines = wrap(&format!("{product}: {fix}"));
        format!("  {}\n", lines.replace('\n', "\n    "))
    });
    let fixes: String = fixes.collect();
    Some(format!(
        "check {name}: {}\n\n{}\n\nwho says so:\n{sources}\ntypical fixes:\n{fixes}\nin a scenario:\n  - check: {{ {} }}\n\n\
         least samples: {}\n{proof}",
        check.summary,
        wrap(check.doc),
        check.example,
        check.min_samples
    ))
}

fn fault(name: &str) -> Option<String> {
    let fault = FAULTS.iter().find(|f| f.name == name)?;
    Some(format!(
        "fault {name}: {}\n\n{}\n\nin a scenario:\n  inject: [{{ fault: {{ {} }} }}]\n",
        fault.summary,
        wrap(fault.doc),
        fault.example
    ))
}

fn malformed(name: &str) -> Option<String> {
    let kind = KINDS.iter().find(|k| k.name == name)?;
    Some(format!(
        "malformed {name} ({}): {}\n\n{}\n\nimitates: {}\n\nmeasured: {}\n\nin a scenario:\n  inject: [{{ fault: {{ malformed: {{ kind: {name} }} }} }}]\n",
        kind.group,
        kind.what,
        wrap(kind.rule),
        wrap(kind.imitates),
        wrap(kind.gateways)
    ))
}

fn http2(name: &str) -> Option<String> {
    let kind = HTTP2_KINDS.iter().find(|k| k.name == name)?;
    Some(format!(
        "http2 {name}: {}\n\n{}\n\nin a scenario:\n  inject: [{{ fault: {{ http2: {{ kind: {name} }} }} }}]\n",
        wrap(kind.what),
        wrap(kind.rule)
    ))
}

fn defect(name: &str) -> Option<String> {
    let defect = gatecrash_reference::DEFECTS.iter().find(|d| d.name == name)?;
    let proof = PROOFS.iter().find(|p| p.name == name);
    let must = proof.map_or(String::new(), |p| format!("\nmust be detected by: {}\n", p.must.join(", ")));
    Some(format!(
        "defect {name} (number {}): {}\n{must}\ntry it: gatecrash run --defect {name}\n",
        defect.number, defect.what
    ))
}

fn cause(name: &str) -> Option<String> {
    let cause = CAUSES.iter().find(|c| c.name == name)?;
    let places = cause.look_at.iter().map(|(who, what)| format!("\nlook at {who}: {what}"));
    let places: String = places.collect();
    Some(format!("cause {name}: {}\n\n{}\n{places}\n", cause.summary, wrap(cause.doc)))
}

/// The page of a shipped scenario, or those of a theme.
fn scenario(name: &str) -> Option<String> {
    let pages: Vec<_> =
        suite::named(name).iter().filter_map(Incident::of).map(|page| incident(&page)).collect();
    (!pages.is_empty()).then(|| pages.join("\n\n"))
}

fn incident(page: &Incident) -> String {
    let parts = PARTS.iter().zip(&page.parts);
    let parts: Vec<_> = parts.map(|(part, text)| format!("{part}:\n{}\n", wrap(text))).collect();
    format!("scenario {}\n\n{}\ntry it: gatecrash run {}\n", page.file, parts.join("\n"), page.file)
}

fn code(name: &str) -> Option<String> {
    let code: u8 = name.parse().ok()?;
    let (_, _, what) = BY_PRECEDENCE.iter().find(|(_, c, _)| *c == code)?;
    Some(format!("exit code {code}: {what}\n"))
}

fn wrap(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        if column > 0 && column + 1 + word.len() > 100 {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out
}
