//! The gateway under test: always another process.
