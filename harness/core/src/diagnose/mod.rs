//! Why a gateway in front of S3 fails, from what probes saw: [`Observations`] in, ranked [`Finding`]s out.
//!
//! Pure: the probes are elsewhere. One cause is one file in `causes` and one line in [`CAUSES`]; the order of the table
//! is that of the layers a request passes, and settles ties.

mod canary;
mod causes;
mod evidence;
mod observation;
mod rank;
mod render;
#[cfg(test)]
mod tests;

pub use causes::CAUSES;
pub use observation::{
    Answer, BodyEnd, Dial, DialFailure, NameReply, Naming, Observations, Outcome, Place, Probe, Sample,
    TlsFailure,
};
pub use rank::{Diagnosis, Finding, Scope, Strength, Verdict, diagnose};
pub use render::terminal;

/// One cause of failed requests.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    /// Kebab-case name; a public promise.
    pub name: &'static str,
    /// What it is: a sentence without its full stop.
    pub summary: &'static str,
    /// How it shows, and what it is not to be confused with.
    pub doc: &'static str,
    /// Where to look: product or service, then setting or policy.
    pub look_at: &'static [(&'static str, &'static str)],
    /// Whether what was seen speaks for it.
    find: fn(&Observations) -> Option<evidence::Evidence>,
}
