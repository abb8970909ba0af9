//! Back to the beginning: buckets and objects as configured, no uploads, no changes, no rules, nothing counted, and
//! the same request ids again.
//!
//! What stays: listeners and connections, the clock, log and journal files. Requests that are under way end in the
//! state they began in, so a reset is exact when there are none.

use crate::compile;
use crate::config::ConfigError;
use crate::server::Shared;

impl Shared {
    pub(crate) fn reset(&self) -> Result<(), ConfigError> {
        self.store.reset(compile::store(&self.config, &self.accounts, self.clock.wall_seconds())?);
        if self.config.remember {
            self.store.remember(&self.clock);
        }
        self.replicator.connect(&self.config, &self.store);
        self.switchboard.reset();
        self.sessions.reset();
        self.rules.clear();
        self.restart_ids();
        self.deliveries.reset();
        self.observers.reset();
        Ok(())
    }
}
