//! `strict`: the recipe's defaults.

use super::Preset;

pub(super) const PRESET: Preset = Preset {
    name: "strict",
    about: "A correct S3-aware reverse proxy: 502 for refused or invalid, 504 for timeouts, no unsafe replay, \
            retries within a budget, failover and failback by health.",
    settings: &[],
};
