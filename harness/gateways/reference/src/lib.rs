//! Seams come first; see docs/architecture.md.
