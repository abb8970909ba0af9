//! The worked example of a gateway without a recipe, as `docs/your-own-gateway.md` tells it.

use std::path::Path;

use crate::support::{Desk, json, turn};

#[test]
fn the_example_of_an_own_gateway_passes_its_scenario() {
    let _turn = turn();
    let desk = Desk::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/own-gateway");
    for file in ["gateway.py", "own-gateway.yaml"] {
        // The copy may be run as its original may.
        std::fs::copy(example.join(file), desk.path().join(file)).expect("a file of the example");
    }
    desk.gatecrash(&["run", "own-gateway.yaml"]).exits(0);
    let result = json(&desk.run_dir().join("result.json"));
    for fault in result["faults"].as_array().expect("faults") {
        let met = fault["fired"].as_u64().is_none_or(|fired| fired > 0);
        assert!(met, "the fault met no request: {fault}");
    }
    desk.expect_nothing_left();
}
