//! gatecrash: crash-test the HTTP gateway in front of your S3. See `docs/architecture.md` for the map.

pub mod clock;
pub mod exit;
pub mod gateway;
pub mod recorder;
pub mod run_dir;
