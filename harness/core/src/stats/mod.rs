//! Numbers out of a history: percentiles, windows, summaries for reports.

mod course;
mod percentile;
mod report;
mod summary;
mod window;

pub use course::{WINDOW, Window, course, first_stretch, window};
pub use percentile::{nearest_rank, required_samples};
pub use report::{Interruption, run_report};
pub use summary::summarise;
pub use window::{settled, tiles};
