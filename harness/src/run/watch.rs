//! What is watched beside the load: the gateway's process, the disk, the deadline, the user.

use std::time::Duration;

use gatecrash_core::plan::Plan;
use gatecrash_load::LiveCounters;
use gatecrash_model::{Clock, Event, Sink};
use tokio::sync::watch;

use super::{Stop, StopLine, asked};
use crate::clock::RunClock;
use crate::exit::Exit;
use crate::gateway::{Gateway, throttling};
use crate::live::{Live, Pulse};
use crate::recorder::Recorder;

/// How often it looks.
const EVERY: Duration = Duration::from_millis(250);

/// At every how many looks it asks whether a quota holds us back: once a second.
const QUOTA_EVERY: u32 = 4;

/// A watcher of one run.
pub(super) struct Watch<'a> {
    plan: &'a Plan,
    recorder: &'a Recorder,
    clock: &'a RunClock,
    live: &'a Live,
    counters: &'a LiveCounters,
    phase: watch::Receiver<Option<u16>>,
    gateway: &'a Gateway,
    dead: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        recorder: &'a Recorder,
        clock: &'a RunClock,
        live: &'a Live,
        counters: &'a LiveCounters,
        phase: watch::Receiver<Option<u16>>,
        gateway: &'a Gateway,
    ) -> Self {
        Self { plan, recorder, clock, live, counters, phase, gateway, dead: false }
    }

    /// Watches until there is a reason to end the run.
    pub(super) async fn until_stop(&mut self, line: &StopLine) -> Stop {
        let mut tick = tokio::time::interval(EVERY);
        let mut look = 0u32;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                stop = asked(line) => return stop,
            }
            if look.is_multiple_of(QUOTA_EVERY) {
                self.note_quota();
            }
            look = look.wrapping_add(1);
            self.note_death();
            if !self.dead {
                self.recorder.event(Event::Sample(self.gateway.sample(self.clock.now())));
            }
            self.show();
            if let Some(stop) = self.reason() {
                return stop;
            }
        }
    }

    /// Writes down that the gateway died by itself, once.
    pub(super) fn note_death(&mut self) {
        if self.dead {
            return;
        }
        if let Some(how) = self.gateway.exited() {
            self.dead = true;
            self.recorder.event(Event::GatewayDied { at: self.clock.now(), how });
        }
    }

    /// Writes down how long a quota on our own processes has held them back, where there is one.
    fn note_quota(&self) {
        if let Some(throttling) = throttling() {
            let (micros, periods) = (throttling.micros, throttling.periods);
            self.recorder.event(Event::Throttled { at: self.clock.now(), micros, periods });
        }
    }

    fn show(&self) {
        self.live.show(&Pulse {
            plan: self.plan,
            at: self.clock.now(),
            phase: *self.phase.borrow(),
            load: self.counters.snapshot(),
            attempts: self.recorder.attempts(),
        });
    }

    fn reason(&self) -> Option<Stop> {
        if let Some(failure) = self.recorder.failure() {
            return Some(Stop { exit: Exit::Environment, why: failure });
        }
        let deadline = self.plan.guards.deadline;
        (self.clock.now() > deadline.0)
            .then(|| Stop { exit: Exit::Aborted, why: format!("the deadline of {deadline} passed") })
    }
}
