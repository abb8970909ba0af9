//! gatecrash: crash-test the HTTP gateway in front of your S3. See `docs/architecture.md` for the map.
//!
//! The main path is [`run`]: plan, [`topology`], [`timeline`] and load, [`recorder`], history, verdicts, [`reports`].

mod capacity;
pub mod cli;
pub mod clock;
pub mod diagnose;
pub mod environment;
pub mod exit;
pub mod gateway;
pub mod live;
pub mod output;
pub mod recorder;
pub mod reference;
pub mod reports;
pub mod run;
pub mod run_dir;
pub mod selftest;
pub mod side_by_side;
pub mod stored;
pub mod suite;
pub mod survey;
pub mod timeline;
pub mod topology;
