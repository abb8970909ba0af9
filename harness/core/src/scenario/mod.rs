//! Scenario files: text in, a plan for each case or diagnostics out.
mod decode;
mod file;
mod node;
mod yaml;
