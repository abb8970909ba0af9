//! `gateways.md`.

use gatecrash::gateway::{Described, Http2Front, ParameterKind, Recipe, described};
use gatecrash_core::profile::{Deviation, Profile};

use super::page::{Page, code, codes, sentence};

pub(crate) fn page() -> String {
    let mut page = Page::new(
        "Gateways",
        "What `gateway: { recipe: { name: ... } }` and `--gateway NAME` accept, and the embedded reference \
         gateway. How a run handles a recipe and how to write one is in \
         [`harness/gateways/README.md`](../../harness/gateways/README.md).\n\n\
         Defaults describe a well configured gateway in front of S3; where a default is a template, \
         `primaries` and `standbys` are the numbers of endpoints. The declared behaviour is the one under \
         default parameters with two primary endpoints and no standby: it is what the [checks](checks.md) \
         hold the gateway to.",
    );
    for gateway in described().expect("every recipe can be read") {
        describe(&mut page, &gateway);
    }
    page.finish()
}

fn describe(page: &mut Page, gateway: &Described) {
    let recipe = &gateway.recipe;
    page.heading(2, &gateway.name);
    page.text(&recipe.about);
    page.table(["property", "value"], &facts(gateway));
    page.heading(3, &format!("Parameters of {}", gateway.name));
    let rows: Vec<_> = recipe
        .parameters
        .iter()
        .map(|p| {
            [
                code(&p.name),
                kind(p.kind, &p.of, p.min.as_deref(), p.max.as_deref()),
                code(&p.default),
                p.about.clone(),
            ]
        })
        .collect();
    page.table(["parameter", "value", "default", "meaning"], &rows);
    page.heading(3, &format!("Known deviations of {}", gateway.name));
    deviations(page, &gateway.profile);
}

fn facts(gateway: &Described) -> Vec<[String; 2]> {
    let (recipe, profile) = (&gateway.recipe, &gateway.profile);
    let yes = |holds: bool| if holds { "yes" } else { "no" }.to_owned();
    let statuses = |list: &[u16]| if list.is_empty() { "none".into() } else { codes(list) };
    let row = |what: &str, value: String| [what.to_owned(), value];
    let measured: Vec<_> = profile.measured_on.split_whitespace().map(|v| v.trim_end_matches('.')).collect();
    let measured = measured.join(", ");
    vec![
        row("comes with", origin(recipe)),
        row("measured on version", if measured.is_empty() { "this one".into() } else { measured }),
        row("mistakes that `misconfigure` can make", codes(recipe.can.iter().map(|m| m.name()))),
        row("bucket names of their own for regions", yes(recipe.maps_buckets)),
        row("signs with a key of its own", yes(recipe.signs)),
        row(
            "operations it passes on",
            match &recipe.serves {
                None => "all".to_owned(),
                Some(serves) => codes(serves.ops.iter().map(|op| op.name())),
            },
        ),
        row("speaks HTTP/2 to upstreams", yes(recipe.http2)),
        row("clients can speak TLS to it", yes(recipe.serves_tls)),
        row(
            "clients can speak HTTP/2 to it",
            match recipe.serves_http2 {
                None => "no".to_owned(),
                Some(Http2Front::Both) => "with TLS and without".to_owned(),
                Some(Http2Front::Tls) => "with TLS".to_owned(),
            },
        ),
        row("second witness of upstream tries", yes(recipe.witness.is_some())),
        row("status for a refused connection", statuses(&profile.refused)),
        row("status for a connect timeout", statuses(&profile.connect_timeout_status)),
        row("status for no answer in time", statuses(&profile.timeout)),
        row("status for an invalid answer", statuses(&profile.invalid)),
        row("status with no upstream left", statuses(&profile.no_upstream)),
        row("most attempts per request", profile.max_attempts.to_string()),
        row("operations sent again", codes(profile.replays.iter().map(|op| op.name()))),
        row("5xx it retries", statuses(&profile.retries_5xx)),
        row("4xx it retries", statuses(&profile.retries_4xx)),
    ]
}

fn origin(recipe: &Recipe) -> String {
    let package = recipe.package.as_ref().map(|name| format!("Debian package {}", code(name)));
    let wheel = recipe.wheel.as_ref().map(|name| format!("Python package {}", code(name)));
    let all: Vec<_> = [package, wheel].into_iter().flatten().collect();
    if all.is_empty() { "gatecrash, built in".into() } else { all.join(", ") }
}

fn deviations(page: &mut Page, profile: &Profile) {
    if profile.deviations.is_empty() {
        page.text("None are declared.");
        return;
    }
    page.text(
        "Expected of these versions: a failure that they explain is reported as a deviation, and \
         `--strict` makes it fail. One that none of its checks sees any more is a warning, unless it is said \
         to happen sometimes only.",
    );
    let mut rows: Vec<Vec<&Deviation>> = Vec::new();
    for deviation in &profile.deviations {
        let what = |d: &Deviation| (d.what.clone(), d.version.clone(), d.source.clone(), d.op, d.sometimes);
        match rows.iter_mut().find(|row| what(row[0]) == what(deviation)) {
            Some(row) => row.push(deviation),
            None => rows.push(vec![deviation]),
        }
    }
    let rows: Vec<_> = rows.iter().map(|row| behaviour(row)).collect();
    page.table(["fault or kind", "what it does", "checks that see it", "version", "known from"], &rows);
}

/// The row of one behaviour, under the faults and in the checks where it shows.
fn behaviour(row: &[&Deviation]) -> [String; 5] {
    let listed = |pick: fn(&Deviation) -> String| {
        let mut all: Vec<_> = Vec::new();
        for text in row.iter().map(|deviation| pick(deviation)) {
            if !all.contains(&text) {
                all.push(text);
            }
        }
        all.join(", ")
    };
    let first = row[0];
    let op = first.op.map(|op| format!(" With {} only.", code(op.name()))).unwrap_or_default();
    let luck = if first.sometimes { " Sometimes." } else { "" };
    [
        listed(|d| code(&d.fault)),
        format!("{}{op}{luck}", sentence(&first.what)),
        listed(|d| format!("[`{0}`](checks.md#{0})", d.check)),
        first.version.clone(),
        first.source.clone(),
    ]
}

fn kind(kind: ParameterKind, of: &[String], min: Option<&str>, max: Option<&str>) -> String {
    let word = match kind {
        ParameterKind::Span => "duration".to_owned(),
        ParameterKind::Size => "size".into(),
        ParameterKind::Count => "whole number".into(),
        ParameterKind::Number => "number".into(),
        ParameterKind::Flag => "flag".into(),
        ParameterKind::Choice => format!("one of {}", codes(of)),
        ParameterKind::Words => format!("some of {}; or `none`", codes(of)),
        ParameterKind::Path => "path".into(),
        ParameterKind::Mapping => "integration responses, or `none`".into(),
        ParameterKind::Text => "text".into(),
    };
    match (min, max) {
        (Some(min), Some(max)) => format!("{word}, {min} to {max}"),
        (Some(min), None) => format!("{word}, at least {min}"),
        (None, Some(max)) => format!("{word}, at most {max}"),
        (None, None) => word,
    }
}
