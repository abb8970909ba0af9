//! Cutting time: tiles that hold enough to mean something, and the moment from which something holds.

use gatecrash_model::Nanos;

/// Cuts sorted instants into runs of at least `width` nanoseconds and `least` instants each; the rest joins
/// the last. Returns index ranges.
pub fn tiles(instants: &[Nanos], width: Nanos, least: usize) -> Vec<std::ops::Range<usize>> {
    let mut out: Vec<std::ops::Range<usize>> = Vec::new();
    let mut begin = 0;
    for (index, at) in instants.iter().enumerate() {
        if at - instants[begin] >= width && index - begin >= least {
            out.push(begin..index);
            begin = index;
        }
    }
    let rest = instants.len() - begin;
    let last_is_whole = rest >= least && instants.last().is_some_and(|last| *last - instants[begin] >= width);
    match out.last_mut() {
        Some(last) if !last_is_whole => last.end = instants.len(),
        _ if rest > 0 => out.push(begin..instants.len()),
        _ => {}
    }
    out
}

/// The earliest instant from which on at least `share` of the samples are good, to the end; `None` when even
/// the last ones are not. Samples are (instant, good), sorted.
pub fn settled(samples: &[(Nanos, bool)], share: f64) -> Option<Nanos> {
    let mut good = 0usize;
    let mut since = None;
    for (count, (at, ok)) in samples.iter().rev().enumerate() {
        good += usize::from(*ok);
        if good as f64 >= share * (count + 1) as f64 && *ok {
            since = Some(*at);
        }
    }
    since
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_wide_and_full_and_nothing_is_left_over() {
        let even: Vec<Nanos> = (0..10).map(|i| i * 10).collect();
        assert_eq!(tiles(&even, 30, 1), [0..3, 3..6, 6..10]);
        assert_eq!(tiles(&even, 30, 5), [0..5, 5..10]);
        assert_eq!(tiles(&even, 1_000, 1), vec![0..10; 1]);
        assert!(tiles(&[], 30, 1).is_empty());
        assert_eq!(tiles(&[5], 30, 1), vec![0..1; 1]);
    }

    #[test]
    fn it_settles_after_the_last_trouble() {
        let samples = [(1, true), (2, false), (3, false), (4, true), (5, true)];
        assert_eq!(settled(&samples, 1.0), Some(4));
        assert_eq!(settled(&samples, 0.5), Some(1));
        assert_eq!(settled(&[(1, true), (2, false)], 1.0), None);
        assert_eq!(settled(&[], 1.0), None);
    }
}
