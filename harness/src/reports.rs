//! Rendering reports and putting them where they belong.

use gatecrash_core::report::{RENDERERS, RenderOptions, Renderer, RunReport, renderer};

use crate::exit::Failure;
use crate::run_dir::RunDir;

/// What every run directory holds besides its history: (file, format).
const KEPT: &[(&str, &str)] =
    &[("result.json", "json"), ("junit.xml", "junit"), ("report.md", "markdown"), ("report.html", "html")];

/// Renders reports in one format: one document where the format can, else one after the other.
pub fn render(format: &str, reports: &[RunReport], full: bool, colour: bool) -> Result<Vec<u8>, Failure> {
    let renderer = known(format)?;
    let options = RenderOptions { colour, full, ..RenderOptions::default() };
    Ok(match (renderer.render_many, reports) {
        (Some(many), [_, _, ..]) => many(reports, &options),
        _ => reports.iter().flat_map(|r| (renderer.render)(r, &options)).collect(),
    })
}

/// Writes every format that a run directory keeps.
pub fn keep(dir: &RunDir, report: &RunReport) -> Result<(), Failure> {
    for (file, format) in KEPT {
        let renderer = known(format)?;
        dir.write(file, &(renderer.render)(report, &RenderOptions::default()))?;
    }
    Ok(())
}

/// A format by name, or what there is.
pub fn known(format: &str) -> Result<&'static Renderer, Failure> {
    renderer(format).ok_or_else(|| {
        let names: Vec<_> = RENDERERS.iter().map(|r| r.name).collect();
        Failure::usage(format!("there is no report format `{format}`"))
            .hint(format!("formats: {}", names.join(", ")))
    })
}
