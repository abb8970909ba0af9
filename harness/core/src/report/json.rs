//! `json`: the report itself, versioned, pretty: `ok: true` means ok.

use serde::Serialize;

use super::{Comparison, RenderOptions, Renderer, RunReport, Spread, redacted};

pub(super) const RENDERER: Renderer = Renderer {
    name: "json",
    extension: "json",
    summary: "the whole report for programs, versioned",
    render: |report, _| pretty(&redacted(report)),
    render_many: Some(render_many),
};

/// Several runs in one document.
#[derive(Serialize)]
struct Runs {
    version: u32,
    ok: bool,
    /// Where there are several gateways.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
    /// Where cases ran several times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    repeats: Vec<Spread>,
    runs: Vec<RunReport>,
}

fn render_many(reports: &[RunReport], _: &RenderOptions) -> Vec<u8> {
    let ok = reports.iter().all(|r| r.ok);
    let comparison = Comparison::of(reports);
    let repeats = Spread::all(reports);
    pretty(&Runs { version: 1, ok, comparison, repeats, runs: reports.iter().map(redacted).collect() })
}

fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut out =
        serde_json::to_vec_pretty(value).expect("names are strings and writing to memory does not fail");
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn a_report_reads_back_as_it_was() {
        for (name, report) in fixtures::all() {
            let bytes = (RENDERER.render)(&report, &RenderOptions::default());
            assert_eq!(serde_json::from_slice::<RunReport>(&bytes).unwrap(), report, "{name}");
        }
    }

    #[test]
    fn several_runs_are_ok_when_each_is() {
        let ok = |reports: &[RunReport]| {
            let bytes = render_many(reports, &RenderOptions::default());
            let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            (value["version"].as_u64(), value["ok"].as_bool(), value["runs"].as_array().map(Vec::len))
        };
        assert_eq!(ok(&[fixtures::passing(), fixtures::passing()]), (Some(1), Some(true), Some(2)));
        assert_eq!(ok(&[fixtures::passing(), fixtures::failing()]), (Some(1), Some(false), Some(2)));
    }

    #[test]
    fn the_form_is_stable() {
        let text = String::from_utf8((RENDERER.render)(&fixtures::inconclusive(), &RenderOptions::default()));
        insta::assert_snapshot!(text.unwrap());
    }
}
