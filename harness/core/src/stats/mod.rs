//! Numbers out of a history: percentiles, windows, summaries for reports.

mod course;
mod lag;
mod percentile;
mod report;
mod resilience;
mod summary;
mod under_way;
mod window;

pub use course::{Window, course, first_stretch, window};
pub use lag::lag_of;
pub use percentile::{nearest_rank, required_samples};
pub use report::{Interruption, run_report};
pub use summary::summarise;
pub use under_way::{LITTLE, course_under_way, little_mismatch, mean_under_way, slope, variation};
pub use window::{settled, tiles};
