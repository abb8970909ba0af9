//! Wire conditions of the catalogue that are faults of their own, not rewritten answers.

/// A condition by the name that the catalogue of wire faults gives it, and the fault that makes it.
#[derive(Clone, Copy, Debug)]
pub struct Elsewhere {
    /// Name of the condition.
    pub name: &'static str,
    /// A `fault:` value.
    pub fault: &'static str,
}

macro_rules! elsewhere {
    ($($name:literal => $fault:literal,)+) => {
        /// Every such condition.
        pub const ELSEWHERE: &[Elsewhere] = &[$(Elsewhere { name: $name, fault: $fault },)+];
    };
}

elsewhere! {
    "refuse" => "refuse: {}",
    "syn-drop" => "connect-blackhole: {}",
    "accept-fin" => "close: { at: accept }",
    "accept-rst" => "reset: { at: accept }",
    "fin-before-header" => "close: { at: request }",
    "rst-before-header" => "reset: { at: request }",
    "hang-before-header" => "swallow: {}",
    "drip-header" => "slow-head: { bytes: 1B, every: 100ms }",
    "body-cut-fin" => "truncate: { at: 1KiB, with: fin }",
    "body-cut-rst" => "truncate: { at: 1KiB, with: rst }",
    "body-zero-of-n" => "truncate: { at: 0B, with: fin }",
    "body-stall" => "stall: { after: 4KiB }",
    "body-drip" => "slow-body: { bytes: 1KiB, every: 100ms }",
    "body-wrong-etag" => "wrong-etag: {}",
    "range-wrong-content-range" => "wrong-range: { kind: shifted }",
    "idle-close" => "idle-close: { after: 5s }",
}
