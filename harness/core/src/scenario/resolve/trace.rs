//! Arrival instants out of a file.

use std::sync::Arc;

use gatecrash_model::Nanos;

use super::Cx;
use crate::plan::TracePlan;
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Either, Speed, Trace};
use crate::units::Span;

/// Most arrivals of one trace.
const MOST: usize = 4_000_000;

impl Cx<'_> {
    /// The arrivals of a trace; `length` is how long the run takes.
    pub(super) fn trace(
        &mut self,
        given: &Spanned<Either<String, Trace>>,
        length: Span,
    ) -> Option<TracePlan> {
        let (file, speed, every) = match &given.value {
            Either::Short(file) => (file, 1.0, None),
            Either::Long(trace) => {
                self.positive("repeat", trace.repeat);
                (&trace.file, self.speed(trace.speed)?, trace.repeat)
            }
        };
        let from = self.sources[usize::from(given.place.source)].name.clone();
        let read = self.loader.read(&from, file).and_then(|source| instants(&source.text, speed));
        let instants = match read {
            Ok(instants) => instants,
            Err(why) => {
                self.error(format!("cannot use the trace `{file}`"), given.place, why);
                return None;
            }
        };
        let last = instants.last().copied().unwrap_or_default();
        let first = instants.first().copied().unwrap_or_default();
        if let Some(short) = every.filter(|every| every.value.0 <= last) {
            let label = format!("the last arrival is at {:.3}s", last as f64 / 1e9);
            self.error("the trace starts over before it ends", short.place, label);
        } else if first >= length.0 {
            let label = format!("its first arrival is at {:.3}s, the run takes {length}", first as f64 / 1e9);
            let help = "instants count in seconds from the start of the run: subtract the first one";
            self.advise("no arrival of the trace is within the run", given.place, &label, help);
        } else if every.is_none() && last >= length.0 {
            let late = instants.len() - instants.partition_point(|at| *at < length.0);
            let label = format!("{late} of {} arrivals come after the end of the run", instants.len());
            self.warn("the trace is longer than the run", given.place, label);
        }
        Some(TracePlan {
            file: file.clone(),
            arrivals: instants.len() as u64,
            every: every.map(|every| every.value),
            instants: Arc::from(instants),
        })
    }
}

impl Cx<'_> {
    /// How many times as fast something is replayed.
    pub(super) fn speed(&mut self, given: Option<Spanned<Speed>>) -> Option<f64> {
        let Some(speed) = given else { return Some(1.0) };
        if !(speed.value.0 > 0.0 && speed.value.0.is_finite()) {
            self.error("invalid speed", speed.place, "expected more than 0, such as 2x");
            return None;
        }
        Some(speed.value.0)
    }
}

/// Sorted instants: of each line what stands before the first comma, semicolon or blank, in seconds. Empty lines,
/// those that begin with `#` and a first line that is a heading are left out.
fn instants(text: &str, speed: f64) -> Result<Vec<Nanos>, String> {
    let mut instants = Vec::new();
    let mut heading = true;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let first = line.split([',', ';', ' ', '\t']).next().unwrap_or_default().trim_matches('"');
        match first.parse::<f64>() {
            Ok(seconds) if (0.0..1e9).contains(&(seconds / speed)) => {
                instants.push((seconds / speed * 1e9).round() as Nanos);
            }
            Err(_) if heading => {}
            _ => {
                return Err(format!("line {}: expected seconds from the start, found `{first}`", number + 1));
            }
        }
        heading = false;
        if instants.len() > MOST {
            return Err(format!("more than {MOST} arrivals"));
        }
    }
    if instants.is_empty() {
        return Err("there is no arrival in it".into());
    }
    instants.sort_unstable();
    Ok(instants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_column_is_read() {
        let text = "# of a Monday\ntime,op\n0.5,GET\n\n0.25;PUT\n\"1\" x\n1e-3\n";
        assert_eq!(instants(text, 1.0), Ok(vec![1_000_000, 250_000_000, 500_000_000, 1_000_000_000]));
        assert_eq!(instants("2\n4\n", 4.0), Ok(vec![500_000_000, 1_000_000_000]));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, why) in
            [("1\nx\n", "line 2"), ("-1\n", "line 1"), ("inf", "line 1"), ("at\n", "no arrival")]
        {
            assert!(instants(text, 1.0).is_err_and(|e| e.contains(why)), "{text}");
        }
    }
}
