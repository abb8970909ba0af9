//! The embedded reference gateway: a correct S3-aware reverse proxy, plus defects that can be switched on.
//!
//! The correct gateway is what a careful team would build in front of S3: strict reading of upstream
//! responses, bounded time, retries of idempotent requests within a budget, failover and failback by health,
//! and a broken body passed on as broken. The defects ([`DEFECTS`]) make it fail in one known way each, so
//! that a judge of gateways can be shown to notice. Nothing in here knows of any judge.
//!
//! A request's way: [`gateway`] accepts, `proxy` is the path as a table of contents, `downstream` reads the
//! client and writes to it, `fleet` chooses an endpoint, `forward` and `sign` make the upstream request,
//! `upstream` exchanges it on the wire, `retry` decides about another attempt, `cache` keeps what may be
//! shared.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use gatecrash_reference::{Config, Gateway};
//!
//! let config = Config::from_json(
//!     r#"{"upstreams": [{"region": "eu-1", "endpoints": ["127.0.0.2:4001"]}]}"#,
//! )?;
//! let gateway = Gateway::bind(config).await?;
//! println!("{}", gateway.local_addr());
//! gateway.serve(std::future::pending()).await;
//! # Ok(())
//! # }
//! ```

mod cache;
pub mod config;
mod defects;
mod downstream;
mod draw;
mod fleet;
mod forward;
pub mod gateway;
mod headers;
mod presets;
mod proxy;
mod retry;
mod room;
mod sign;
mod throttle;
mod upstream;
mod variants;

pub use self::config::{Config, ConfigError};
pub use self::defects::{DEFECTS, Defect};
pub use self::gateway::{BindError, Gateway};
pub use self::presets::{PRESETS, Preset, Setting};
pub use self::variants::{VARIANTS, Variant};
