//! gatecrash: crash-test the HTTP gateway in front of your S3. See `docs/architecture.md` for the map.

pub mod gateway;
