//! `gatecrash survey`: the table, the saved file, the comparison.

use crate::support::{Desk, json, turn};

const CONDITIONS: [&str; 8] =
    ["--only", "accept-fin", "--only", "body-cut-fin", "--only", "status-letters", "--only", "accept-rst"];

#[test]
fn a_gateway_is_tabulated_saved_and_compared() {
    let _turn = turn();
    let desk = Desk::new();
    let survey = [&["survey", "--quiet", "--save", "strict.json"][..], &CONDITIONS].concat();
    let done = desk.gatecrash(&survey).exits(0);
    for line in ["accept-fin 502 502 502", "accept-rst 502 502 502", "body-cut-fin 200 cut 200 200"] {
        let told = done.stdout.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
        assert!(told.clone().any(|l| l == line), "no line `{line}` in\n{}", done.stdout);
    }
    let saved = json(&desk.path().join("strict.json"));
    let rows = saved["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 4);
    for row in rows {
        for cell in row["cells"].as_array().expect("cells") {
            assert!(!cell["seen"].as_array().expect("outcomes").is_empty(), "nothing was seen: {row}");
        }
        assert_eq!(row["after"], row["recovered"], "{row}");
    }

    // A row's run is a run like any other.
    let run = rows[0]["run"].as_str().expect("a run id");
    desk.gatecrash(&["explain", &format!("run:{run}/0-0")]).exits(0);

    let same = desk.gatecrash(&["survey", "--read", "strict.json", "--compare", "strict.json"]).exits(0);
    assert!(same.stdout.contains("0 differences"), "{}", same.stdout);
    let text = std::fs::read_to_string(desk.path().join("strict.json")).expect("the file");
    desk.file("other.json", &text.replace("200 cut", "200 corrupt"));
    let other = desk.gatecrash(&["survey", "--read", "strict.json", "--compare", "other.json"]).exits(6);
    assert!(other.stdout.contains("200 corrupt -> 200 cut"), "{}", other.stdout);
    desk.expect_nothing_left();
}

#[test]
fn mistakes_are_told_before_anything_runs() {
    let desk = Desk::new();
    let nothing = desk.gatecrash(&["survey", "--only", "no-such-condition"]).exits(2);
    assert!(nothing.stderr.contains("body-cut-fin"), "{}", nothing.stderr);
    let absent = desk.gatecrash(&["survey", "--compare", "absent.json"]).exits(2);
    assert!(absent.stderr.contains("absent.json"), "{}", absent.stderr);
    desk.file("broken.json", "{");
    desk.gatecrash(&["survey", "--read", "broken.json"]).exits(2);
    let gateway = desk.gatecrash(&["survey", "--gateway", "nosuch", "--only", "refuse"]).exits(2);
    assert!(gateway.stderr.contains("nosuch"), "{}", gateway.stderr);
}
