//! The capacity search in virtual time: how often it is right, how far off, how long, beside plain bisection in the same
//! noise. Prints the Markdown table of `benches/RESULTS.md`: `cargo bench -p gatecrash-core --bench capacity`.

#[path = "../tests/capacity/searches.rs"]
mod searches;
#[path = "../tests/capacity/systems.rs"]
mod systems;

use gatecrash_core::capacity::Goal;
use searches::{Found, bisection, search};
use systems::{Queue, System, Threshold};

fn main() {
    // `cargo test --benches` only wants to see it run.
    let share = if std::env::args().any(|argument| argument == "--bench") { 1 } else { 100 };
    println!("| system | search | both within 5 % | mean error | loads | trials | minutes, mean (p95) |");
    println!("|---|---|---|---|---|---|---|");
    let of = |stalls| move |seed| Threshold { stalls, ..Threshold::noisy(seed) };
    for (name, stalls) in
        [("3 % noise", 0.0), ("and 1 s in 200 spoiled", 0.005), ("1 s in 100 spoiled", 0.01)]
    {
        rows(name, 2_000 / share, of(stalls));
    }
    rows("no noise", 2_000 / share, Threshold::quiet);
    let queue =
        |servers, room, service, refusals| move |seed| Queue { seed, servers, room, service, refusals };
    rows("M/M/64/128, 1 % refused", 200 / share, queue(64, 128, 15.0, 0.01));
    rows("M/M/16/80, 0.1 % refused", 200 / share, queue(16, 80, 62.5, 0.001));
}

fn rows<S: System>(name: &str, seeds: u64, system: impl Fn(u64) -> S) {
    let goal = Goal::default();
    row(name, "ours", seeds, &system, |system| search(&goal, system));
    if name.contains("0.1 %") {
        let resolving = goal.clone().resolving(0.999);
        row(name, "ours, resolving 99.9 %", seeds, &system, |system| search(&resolving, system));
    }
    for seconds in [5.0, 10.0, 20.0] {
        let label = format!("bisection, {seconds} s");
        row(name, &label, seeds, &system, |system| bisection(&goal, seconds, system));
    }
}

fn row<S: System>(
    name: &str,
    label: &str,
    seeds: u64,
    system: &impl Fn(u64) -> S,
    run: impl Fn(&S) -> Found,
) {
    let (mut within, mut error, mut loads, mut trials, mut minutes) = (0, 0.0, 0, 0, Vec::new());
    for seed in 0..seeds {
        let system = system(seed);
        let found = run(&system);
        let off = |rate: Option<f64>| rate.unwrap_or(0.0) / system.capacity() - 1.0;
        let (lower, upper) = (off(found.lower), off(found.upper));
        within += u32::from(found.converged && lower.abs() <= 0.05 && upper.abs() <= 0.05);
        error += (lower + upper) / 2.0;
        loads += found.loads;
        trials += found.trials;
        minutes.push(found.seconds / 60.0);
    }
    minutes.sort_by(f64::total_cmp);
    let each = seeds as f64;
    println!(
        "| {name} | {label} | {:.1} % | {:+.1} % | {:.1} | {:.1} | {:.1} ({:.1}) |",
        f64::from(within) * 100.0 / each,
        error * 100.0 / each,
        loads as f64 / each,
        trials as f64 / each,
        minutes.iter().sum::<f64>() / each,
        minutes[(minutes.len() - 1) * 95 / 100],
    );
}
