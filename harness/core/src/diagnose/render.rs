//! A diagnosis for people.

use std::fmt::Write as _;

use super::{Diagnosis, Finding, Observations, Place, Probe, Sample, Strength, Verdict, canary, evidence};

/// Findings shown with everything that belongs to them; the others in a line each.
const IN_FULL: usize = 3;

/// As text.
pub fn terminal(seen: &Observations, diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    for (place, url) in &seen.places {
        let (failed, asked) = diagnosis
            .failed
            .iter()
            .find(|(p, ..)| p == place)
            .map_or((0, 0), |(_, failed, asked)| (*failed, *asked));
        let _ = writeln!(out, "{:<18} {url}: {asked} asked, {failed} failed", place.words());
    }
    let canaries = [Place::CanaryBucket, Place::CanaryEndpoint];
    let canaries: Vec<_> = canaries.into_iter().filter_map(|place| canary::said(seen, place)).collect();
    let said = match diagnosis.verdict {
        Verdict::Healthy if !canaries.is_empty() => "\nHealthy: only the canary failed.\n",
        Verdict::Healthy => "\nHealthy: nothing failed.\n",
        Verdict::CannotTell => "\nCannot tell: something fails, and nothing that was seen says why.\n",
        Verdict::Found => "\n",
    };
    out.push_str(said);
    for (index, finding) in diagnosis.findings.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", index + 1, heading(finding));
        if index >= IN_FULL {
            continue;
        }
        for line in &finding.evidence {
            let _ = writeln!(out, "     {line}");
        }
        for (who, what) in finding.look_at {
            let _ = writeln!(out, "     look at {who}: {what}");
        }
    }
    let listed = seen.samples.iter().filter(|s| s.place == Place::Endpoint && s.probe == Probe::List);
    if let Some(refused) = listed.filter(|s| !s.is_good()).find_map(Sample::answer)
        && seen.is_clean(Place::Endpoint)
    {
        let quote = evidence::quote(refused);
        let _ = writeln!(
            out,
            "\nListing the bucket is refused ({quote}). Reads do not need it; without it S3 answers 403 for keys that do \
             not exist."
        );
    }
    if diagnosis.verdict == Verdict::CannotTell && !seen.has(Place::Endpoint) {
        out.push_str(
            "\nOnly the gateway was looked at: give --endpoint, so that S3 can be compared with it.\n",
        );
    }
    for line in canaries {
        let _ = writeln!(out, "\n{line}");
    }
    if !diagnosis.scope.words().is_empty() {
        let _ = writeln!(out, "\n{}", diagnosis.scope.words());
    }
    out
}

fn heading(finding: &Finding) -> String {
    let share = match finding.constant {
        true => "always".to_owned(),
        false => format!("comes and goes, {} of {}", finding.met, finding.of),
    };
    let strength = match finding.strength {
        Strength::Shown => "seen",
        Strength::Likely => "likely",
        Strength::Possible => "possible",
    };
    format!("{} ({strength}, {share}): {}", finding.cause, finding.summary)
}
