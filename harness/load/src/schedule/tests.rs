//! Properties of schedules.

use super::*;
use proptest::prelude::*;

const SECOND: Nanos = 1_000_000_000;

fn one(rate: f64, seconds: u64, arrivals: Arrivals) -> Schedule {
    Schedule::new(&[Segment { from: 0, until: seconds * SECOND, rate, to: None, arrivals }], 7)
}

proptest! {
    #[test]
    fn even_is_exact(rate in 0.1f64..50_000.0, millis in 1u64..20_000) {
        let until = millis * 1_000_000;
        let schedule = Schedule::new(&[Segment { from: 0, until, rate, to: None, arrivals: Arrivals::Even }], 1);
        let ideal = until as f64 * rate / 1e9;
        prop_assert!((schedule.len() as f64 - ideal).abs() <= 1.0, "{} for {ideal}", schedule.len());
        let last = schedule.time(schedule.len() - 1).unwrap();
        prop_assert!(last < until);
        prop_assert_eq!(schedule.time(0), Some(0));
        prop_assert_eq!(schedule.time(schedule.len()), None);
    }

    #[test]
    fn any_index_agrees_with_the_walk(
        seed: u64, rates in proptest::collection::vec(0.0f64..3_000.0, 1..4), step in 1u64..5,
    ) {
        let segments: Vec<Segment> = rates.iter().enumerate().map(|(n, rate)| Segment {
            from: n as u64 * 350_000_000,
            until: (n as u64 + 1) * 350_000_000,
            rate: *rate,
                to: (n % 3 != 0).then(|| rates[n - 1]),
            arrivals: if n % 2 == 0 { Arrivals::Poisson } else { Arrivals::Even },
        }).collect();
        let schedule = Schedule::new(&segments, seed);
        let all: Vec<Nanos> = schedule.cursor(0, 1).map(|(_, at)| at).collect();
        prop_assert_eq!(all.len() as u64, schedule.len());
        prop_assert!(all.is_sorted());
        for (k, at) in schedule.cursor(step - 1, step) {
            prop_assert_eq!(at, all[k as usize]);
            prop_assert_eq!(schedule.time(k), Some(at));
        }
        prop_assert!(all.iter().all(|at| *at < rates.len() as u64 * 350_000_000));
    }
}

#[test]
fn a_load_that_follows_another_goes_on_counting() {
    let schedule = one(100.0, 1, Arrivals::Even);
    let later = schedule.clone().numbered_from(40).numbered_from(1000);
    assert_eq!(later.len(), schedule.len());
    assert_eq!((later.time(999), later.time(1000)), (None, Some(0)));
    let shifted = later.cursor(1, 3).map(|(k, at)| (k - 1000, at));
    assert!(shifted.eq(schedule.cursor(1, 3)));
}

#[test]
fn even_rates_are_exact_to_a_thousandth() {
    for (rate, seconds) in [(5_000.0, 10), (333.0, 30), (0.5, 100), (1.0, 1)] {
        assert_eq!(one(rate, seconds, Arrivals::Even).len(), (rate * seconds as f64) as u64);
    }
}

#[test]
fn poisson_counts_have_the_mean_and_variance_of_a_poisson_process() {
    for rate in [20.0, 1_000.0, 12_000.0] {
        let seconds = 120;
        let schedule = one(rate, seconds, Arrivals::Poisson);
        let mut counts = vec![0f64; seconds as usize];
        for (_, at) in schedule.cursor(0, 1) {
            counts[(at / SECOND) as usize] += 1.0;
        }
        let n = counts.len() as f64;
        let mean = counts.iter().sum::<f64>() / n;
        let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0);
        assert!((mean - rate).abs() < 4.0 * (rate / n).sqrt(), "{rate}: mean {mean}");
        // The ratio has a standard deviation of sqrt(2 / (n - 1)) = 0.13.
        assert!((0.6..1.5).contains(&(variance / rate)), "{rate}: variance {variance}");
    }
}

#[test]
fn poisson_gaps_are_exponential() {
    let schedule = one(500.0, 60, Arrivals::Poisson);
    let times: Vec<Nanos> = schedule.cursor(0, 1).map(|(_, at)| at).collect();
    let mean = 1e9 / 500.0;
    let beyond = times.windows(2).filter(|w| (w[1] - w[0]) as f64 > mean).count() as f64;
    let share = beyond / (times.len() - 1) as f64;
    assert!((share - (-1f64).exp()).abs() < 0.015, "{share} of the gaps exceed the mean");
}

#[test]
fn a_pause_between_segments_and_a_rate_of_zero_hold_no_arrivals() {
    let segment = |from, until, rate| Segment {
        from: from * SECOND,
        until: until * SECOND,
        rate,
        to: None,
        arrivals: Arrivals::Even,
    };
    let schedule = Schedule::new(&[segment(1, 2, 3.0), segment(2, 4, 0.0), segment(5, 6, 2.0)], 0);
    let times: Vec<Nanos> = schedule.cursor(0, 1).map(|(_, at)| at).collect();
    assert_eq!(times, [1_000_000_000, 1_333_333_333, 1_666_666_667, 5_000_000_000, 5_500_000_000]);
    assert!(Schedule::new(&[], 0).is_empty());
}

fn ramp(rate: f64, to: f64, seconds: u64, arrivals: Arrivals) -> Schedule {
    Schedule::new(&[Segment { from: 0, until: seconds * SECOND, rate, to: Some(to), arrivals }], 7)
}

proptest! {
    /// Up, down, from and to nothing: as many as the law says, each when the law says, all inside.
    #[test]
    fn an_even_ramp_follows_its_law(start in 0f64..4_000.0, end in 0f64..4_000.0, millis in 1u64..20_000) {
        let until = millis * 1_000_000;
        let arrivals = Arrivals::Even;
        let schedule = Schedule::new(&[Segment { from: 0, until, rate: start, to: Some(end), arrivals }], 1);
        let length = millis as f64 / 1e3;
        let expected = (start + end) / 2.0 * length;
        prop_assert!((schedule.len() as f64 - expected).abs() <= 1.0, "{} for {expected}", schedule.len());
        let times: Vec<Nanos> = schedule.cursor(0, 1).map(|(_, at)| at).collect();
        prop_assert!(times.is_sorted() && times.iter().all(|at| *at < until));
        for (k, at) in times.iter().enumerate() {
            let t = *at as f64 / 1e9;
            let by_then = start * t + (end - start) / length * t * t / 2.0;
            // A nanosecond of rounding at the rate of the moment.
            prop_assert!((by_then - k as f64).abs() < 1e-3, "arrival {k} at {t}: {by_then}");
        }
    }
}

#[test]
fn a_ramp_can_be_read_off() {
    // 10/s more each second: 5 t^2 arrivals after t seconds.
    let times = |schedule: Schedule| schedule.cursor(0, 1).map(|(_, at)| at).collect::<Vec<_>>();
    let up = times(ramp(0.0, 20.0, 2, Arrivals::Even));
    assert_eq!((up.len(), up[0], up[5], up[19]), (20, 0, SECOND, 1_949_358_869));
    let down = times(ramp(20.0, 0.0, 2, Arrivals::Even));
    assert_eq!((down.len(), down[0], down[15]), (20, 0, SECOND));
}

#[test]
fn a_poisson_ramp_has_the_counts_of_its_law() {
    let schedule = ramp(0.0, 2_000.0, 100, Arrivals::Poisson);
    let mut counts = [0f64; 10];
    for (_, at) in schedule.cursor(0, 1) {
        counts[(at / (10 * SECOND)) as usize] += 1.0;
    }
    for (n, count) in counts.iter().enumerate() {
        let mean = 1_000.0 * (2 * n + 1) as f64;
        assert!((count - mean).abs() < 4.5 * mean.sqrt(), "part {n}: {count} for {mean}");
    }
    // Within a cell the density rises as well: of 100 ms from 0/s, a quarter lies in the first half.
    let steep: Vec<Nanos> = (0..400)
        .flat_map(|seed| {
            let segment = Segment {
                from: 0,
                until: SECOND / 10,
                rate: 0.0,
                to: Some(2_000.0),
                arrivals: Arrivals::Poisson,
            };
            Schedule::new(&[segment], seed).cursor(0, 1).map(|(_, at)| at).collect::<Vec<_>>()
        })
        .collect();
    let early = steep.iter().filter(|at| **at < SECOND / 20).count() as f64 / steep.len() as f64;
    assert!((early - 0.25).abs() < 0.01, "{early} of {} in the first half", steep.len());
}

#[test]
fn striped_workers_make_the_whole_schedule() {
    let schedule = ramp(100.0, 900.0, 3, Arrivals::Poisson);
    let all: Vec<_> = schedule.cursor(0, 1).collect();
    let mut striped: Vec<_> = (0..3).flat_map(|worker| schedule.cursor(worker, 3)).collect();
    striped.sort_unstable();
    assert_eq!(striped, all);
}

#[test]
fn a_trace_is_kept_to() {
    let instants: Arc<[Nanos]> = [0, 100, 100, 250].into();
    let all = |schedule: Schedule| schedule.cursor(0, 1).map(|(_, at)| at).collect::<Vec<_>>();
    assert_eq!(all(Schedule::trace(Arc::clone(&instants), None, 1_000)), [0, 100, 100, 250]);
    assert_eq!(all(Schedule::trace(Arc::clone(&instants), None, 250)), [0, 100, 100]);
    let round = all(Schedule::trace(Arc::clone(&instants), Some(300), 700));
    assert_eq!(round, [0, 100, 100, 250, 300, 400, 400, 550, 600]);
    assert_eq!(all(Schedule::trace(Arc::clone(&instants), Some(200), 400)), [0, 100, 100, 200, 300, 300]);
    assert!(Schedule::trace(Arc::from([]), Some(200), 400).is_empty());
    assert!(Schedule::trace([500].into(), Some(200), 400).is_empty());
}
