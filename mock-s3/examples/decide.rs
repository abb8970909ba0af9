//! Reads questions to the policy engine, one JSON object a line (tests/policy/vectors.rs describes them), and
//! writes a decision a line: for comparisons with other engines.
#![expect(clippy::unwrap_used, reason = "a development tool that cannot go on panics")]

#[path = "../tests/policy/case.rs"]
mod case;

fn main() {
    for line in std::io::stdin().lines() {
        let question = serde_json::from_str(&line.unwrap()).unwrap();
        match case::decide(&question) {
            Ok(evaluation) => println!("{}", case::told(&evaluation)),
            Err(error) => println!("error {error}"),
        }
    }
}
