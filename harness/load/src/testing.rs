//! A small workload for unit tests.

use std::time::Duration;

use gatecrash_model::population::{Population, SizeLaw};

use crate::engine::ClientOptions;
use crate::keys::KeyLaw;
use crate::schedule::Schedule;
use crate::workload::{OpPlan, Workload, Writes};

/// One operation on 100 objects of 1000 bytes, without a schedule.
pub(crate) fn workload(op: OpPlan) -> Workload {
    Workload {
        index: 0,
        name: "main".into(),
        seed: 7,
        schedule: Schedule::new(&[], 0),
        users: None,
        ops: vec![(op, 1.0)],
        population: Population {
            bucket: "media".into(),
            count: 100,
            pattern: "img/{n:03}".parse().unwrap(),
            sizes: SizeLaw::Fixed(1000),
            seed: 7,
            change_every: None,
        },
        keys: KeyLaw::Uniform,
        missing: 0.0,
        writes: Writes::under("main", 64).unwrap(),
        signing: None,
        timeout: Duration::from_secs(1),
        max_in_flight: 10,
        headers: Vec::new(),
        replay: None,
        journeys: None,
        client: ClientOptions::default(),
    }
}
