//! How long threads were ready to run and had no processor, as the kernel counts it: the second number of
//! `/proc/<pid>/task/<tid>/schedstat` (Documentation/scheduler/sched-stats.rst), ns.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use gatecrash_model::Nanos;

/// The threads of this process and of some others, with what each had waited when it was last looked at. Empty where
/// the system does not count.
#[derive(Debug, Default)]
pub(super) struct Waits {
    processes: Vec<PathBuf>,
    seen: HashMap<PathBuf, Nanos>,
}

// === impl Waits ===

impl Waits {
    /// Looks at our own process and at these from now on.
    pub(super) fn of(&mut self, others: &[u32]) {
        let others = others.iter().map(|pid| PathBuf::from(format!("/proc/{pid}/task")));
        self.processes = std::iter::once(PathBuf::from("/proc/self/task")).chain(others).collect();
    }

    /// The longest that one thread waited since the last look, ns. A thread that was not there then has not waited:
    /// what it did before we knew of it may be long past.
    pub(super) fn longest(&mut self) -> Nanos {
        let threads = self.processes.iter().filter_map(|process| fs::read_dir(process).ok());
        let threads = threads.flat_map(|threads| threads.flatten().map(|thread| thread.path()));
        let now: HashMap<_, _> =
            threads.filter_map(|thread| waited(&thread).map(|waited| (thread, waited))).collect();
        let longest = longest_since(&self.seen, &now);
        self.seen = now;
        longest
    }
}

fn longest_since(then: &HashMap<PathBuf, Nanos>, now: &HashMap<PathBuf, Nanos>) -> Nanos {
    let waited = |(thread, waited): (&PathBuf, &Nanos)| Some(waited.saturating_sub(*then.get(thread)?));
    now.iter().filter_map(waited).max().unwrap_or(0)
}

/// What a thread has waited in all; `None` when it is gone, or where nobody counts.
fn waited(thread: &Path) -> Option<Nanos> {
    waited_of(&fs::read_to_string(thread.join("schedstat")).ok()?)
}

/// Time on a processor, time waiting for one, turns.
fn waited_of(stat: &str) -> Option<Nanos> {
    stat.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_is_the_waiting() {
        assert_eq!(waited_of("340131610 117661566 1573\n"), Some(117_661_566));
        assert_eq!(waited_of(""), None);
    }

    #[test]
    fn waiting_counts_from_one_look_to_the_next() {
        let seen =
            |threads: &[(&str, Nanos)]| threads.iter().map(|(name, waited)| (name.into(), *waited)).collect();
        let (then, now) = (seen(&[("a", 70), ("b", 500)]), seen(&[("a", 100), ("b", 510), ("new", 900)]));
        assert_eq!(longest_since(&then, &now), 30);
        assert_eq!(longest_since(&HashMap::new(), &now), 0);
    }

    /// Where the kernel counts at all, it counts for this very thread.
    #[test]
    fn our_own_threads_are_found() {
        let mut waits = Waits::default();
        waits.of(&[]);
        waits.longest();
        assert_eq!(waits.seen.is_empty(), !Path::new("/proc/self/schedstat").exists());
    }
}
