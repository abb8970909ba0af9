//! Scenario files: see the modules.
