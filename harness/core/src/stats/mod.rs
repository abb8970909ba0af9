//! Numbers out of a history: percentiles, windows, summaries for reports.

mod lag;
mod percentile;
mod report;
mod summary;
mod window;

pub use lag::lag_of;
pub use percentile::{nearest_rank, required_samples};
pub use report::{Interruption, run_report};
pub use summary::summarise;
pub use window::{settled, tiles};
