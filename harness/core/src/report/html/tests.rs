use super::*;
use crate::report::fixtures;

/// Elements that have no end tag.
const VOID: &[&str] = &["meta", "br", "hr"];

fn pages() -> Vec<(&'static str, String)> {
    fixtures::all().into_iter().map(|(name, report)| (name, page(&redacted(&report)))).collect()
}

/// Walks the tags of a page: names are balanced, ids unique, fragments lead somewhere. Returns the number of
/// tags.
fn walk(html: &str) -> usize {
    let (mut open, mut ids, mut targets, mut tags) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut rest = html.strip_prefix("<!DOCTYPE html>").unwrap();
    while let Some(start) = rest.find('<') {
        let end = rest[start..].find('>').unwrap() + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        tags += 1;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "near {:?}", &rest[..rest.len().min(80)]);
            continue;
        }
        let name = tag.split([' ', '/', '\n']).next().unwrap();
        if !tag.starts_with("meta http-equiv") {
            assert_eq!((tag.matches('\'').count() % 2, tag.matches('"').count()), (0, 0), "{tag}");
        }
        ids.extend(tag.split_once(" id='").map(|(_, id)| id.split('\'').next().unwrap()));
        targets.extend(tag.split_once("href='#").map(|(_, id)| id.split('\'').next().unwrap()));
        if tag.ends_with('/') || VOID.contains(&name) {
            continue;
        }
        if ["script", "style"].contains(&name) {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).unwrap() + close.len()..];
            continue;
        }
        open.push(name);
    }
    assert_eq!(open, Vec::<&str>::new());
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "ids are unique");
    for target in targets {
        assert!(ids.contains(&target), "{target} leads nowhere");
    }
    tags
}

#[test]
fn every_page_is_well_formed() {
    for (name, html) in pages() {
        assert!(walk(&html) > 40, "{name}");
    }
}

#[test]
fn nothing_is_loaded() {
    for (name, html) in pages() {
        for load in ["src=", "url(", "@import", "<link", "http://", "https://", "<iframe", "<img", "xlink"] {
            assert!(!html.contains(load), "{load} in {name}");
        }
        assert!(html.contains(POLICY), "{name}");
    }
}

#[test]
fn a_minute_stays_small_and_so_does_a_day() {
    let mut report = fixtures::failing();
    assert!(page(&report).len() < 100_000);
    let busy = |at| Second {
        at,
        offered: 123_456,
        good: 123_455,
        p50_ms: Some(1.234_567_890_123),
        p99_ms: Some(1_234.567_890_123),
        classes: [123_456; 5],
        attempts: vec![123_456; 4],
    };
    report.series = (0..60).map(busy).collect();
    assert!(page(&report).len() < 200_000);
    report.series = (0..86_400).map(busy).collect();
    assert!(page(&report).len() < 2_000_000);
}

#[test]
fn the_data_is_json_that_cannot_end_its_element() {
    for (name, html) in pages() {
        let (_, rest) = html.split_once("id='data'>").unwrap();
        let (data, _) = rest.split_once("</script>").unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["version"], 1, "{name}");
        assert_eq!(html.matches("<script").count(), 2, "{name}");
        assert!(!html.contains("alert(1)</script>"), "{name}");
    }
}

#[test]
fn what_matters_is_on_the_page() {
    let html = page(&fixtures::failing());
    for words in [
        "<title>FAIL slowdown-20pct-get[odds=20%]</title>",
        "success-rate in recovery after 2s",
        "<strong>99.25%</strong> on 1,201 samples",
        "at least 100%",
        "scenarios/retry/slowdown.yaml:40",
        "gatecrash explain run:9f2c41aa/0-4410",
        "peer still ejected after throttling",
        "slowdown fired 1,118 of 5,571 attempts (20.1%)",
        "data-from='42.000' data-until='50.000'",
        "150/s, Poisson arrivals",
        "shared 2 cores of one machine",
        "schedule lag of 5ms",
        "Reproduce: <code>gatecrash run",
    ] {
        assert!(html.contains(words), "{words}");
    }
    assert!(page(&fixtures::empty()).contains("No requests were sent."));
    assert!(page(&fixtures::deviating()).contains("Upstream attempts per second by region"));
    assert!(page(&fixtures::inconclusive()).contains("The generator guard spoke"));
}

/// Writes the pages of all fixtures to the directory that `PAGES` names, to be looked at.
#[test]
#[ignore = "for eyes: PAGES=dir cargo test -p gatecrash-core pages_to_look_at -- --ignored"]
fn pages_to_look_at() {
    let directory = std::path::PathBuf::from(std::env::var_os("PAGES").unwrap());
    for (name, html) in pages() {
        std::fs::write(directory.join(format!("{name}.html")), html).unwrap();
    }
}
