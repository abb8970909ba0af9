//! The table polices itself; chains are driven by hand.

use super::*;
use bytes::Bytes;

const MS: Nanos = 1_000_000;

fn spec(name: &str, attributes: &[(&str, i64)]) -> ToxicSpec {
    let mut spec = ToxicSpec::of_type(name).unwrap();
    for (key, value) in attributes {
        assert!(spec.set(key, *value), "{name} has {key}");
    }
    spec
}

fn installed(id: u64, spec: ToxicSpec) -> Installed {
    Installed { id, revision: 0, name: format!("toxic-{id}"), toxicity: 1.0, spec }
}

fn chain(toxics: &[ToxicSpec]) -> Chain {
    let list: Vec<_> = (1..).zip(toxics).map(|(id, spec)| installed(id, *spec)).collect();
    let mut chain = Chain::new(Stream { seed: 1, proxy: 2, conn: 3 });
    chain.install(&list, 0);
    chain
}

fn bytes(length: usize) -> Bytes {
    (0..length).map(|at| at as u8).collect::<Vec<_>>().into()
}

/// Runs until nothing more comes: (when, what).
fn run(chain: &mut Chain, mut now: Nanos) -> Vec<(Nanos, Pull)> {
    let mut out = Vec::new();
    loop {
        match chain.pull(now, true) {
            Pull::Wait(None) => return out,
            Pull::Wait(Some(at)) => now = at,
            pull => out.push((now, pull)),
        }
    }
}

#[test]
fn the_table_is_in_order() {
    for info in TOXICS {
        let toxic = ToxicSpec::of_type(info.name).unwrap();
        assert_eq!(toxic.type_name(), info.name);
        assert!(toxic.problem().is_none(), "{}: the defaults are legal", info.name);
        assert!(!info.summary.ends_with('.') && info.doc.ends_with('.'), "{}", info.name);
        for (name, _) in toxic.attributes() {
            let mut negative = toxic;
            assert!(negative.set(name, -1) && negative.problem().is_some());
        }
        assert!(!{ toxic }.set("Nothing", 1));
    }
    assert!(ToxicSpec::of_type("Latency").is_none());
}

#[test]
fn what_crashes_toxiproxy_is_refused_or_harmless() {
    assert!(spec("slicer", &[("average_size", 5), ("size_variation", 5)]).problem().is_some());
    assert!(spec("slicer", &[("size_variation", 1)]).problem().is_some());
    assert!(spec("bandwidth", &[("rate", -1)]).problem().is_some());
    for toxic in [spec("slicer", &[]), spec("slicer", &[("average_size", i64::MAX)])] {
        let mut chain = chain(&[toxic]);
        chain.push(bytes(100), 0);
        assert_eq!(run(&mut chain, 0), [(0, Pull::Data(bytes(100)))]);
    }
    let mut chain = chain(&[spec("bandwidth", &[])]);
    chain.push(bytes(100), 0);
    assert_eq!(chain.pull(u64::MAX, true), Pull::Wait(None));
}

#[test]
fn latency_is_a_delay_line() {
    let mut chain = chain(&[spec("latency", &[("latency", 50)])]);
    for at in 0..10 {
        assert!(chain.wants());
        chain.push(bytes(10), at * MS);
    }
    chain.end(Ending::Fin, 9 * MS);
    let out = run(&mut chain, 9 * MS);
    let times: Vec<_> = out.iter().map(|(at, _)| at / MS).collect();
    assert_eq!(times, [50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 59]);
    assert_eq!(out[10].1, Pull::End(Ending::Fin));
}

#[test]
fn latencies_add_up_and_jitter_keeps_the_order() {
    let mut chain = chain(&[spec("latency", &[("latency", 50)]), spec("latency", &[("latency", 30)])]);
    chain.push(bytes(1), 0);
    assert_eq!(run(&mut chain, 0), [(80 * MS, Pull::Data(bytes(1)))]);

    let mut chain = self::chain(&[spec("latency", &[("latency", 50), ("jitter", 20)])]);
    (0..2000u64).for_each(|at| chain.push(Bytes::from(at.to_be_bytes().to_vec()), at * 100 * MS));
    let out = run(&mut chain, 0);
    let late: Vec<f64> =
        out.iter().zip(0..).map(|((when, _), at)| (*when as f64 - (at * 100 * MS) as f64) / 1e6).collect();
    assert!(late.iter().all(|ms| (30.0..70.0).contains(ms)));
    let mean = late.iter().sum::<f64>() / 2000.0;
    assert!((mean - 50.0).abs() < 1.5, "{mean}");
}

#[test]
fn bandwidth_is_exact() {
    for rate in [1, 7, 1000, 100_000] {
        let mut chain = chain(&[spec("bandwidth", &[("rate", rate)])]);
        chain.push(bytes(20_000), 0);
        let out = run(&mut chain, 0);
        let (last, _) = out.last().unwrap();
        let expected = 20_000 * MS / rate as u64;
        assert!(last.abs_diff(expected) <= expected / 1000 + 4000, "{rate}: {last} of {expected}");
    }
}

#[test]
fn a_late_host_does_not_lower_the_rate() {
    let mut chain = chain(&[spec("bandwidth", &[("rate", 1000)])]);
    let (mut now, mut passed, mut step) = (0, 0, 0);
    while passed < 5_000_000 {
        if chain.wants() {
            // The source needs a moment as well.
            now += MS;
            chain.push(bytes(50_000), now);
        }
        match chain.pull(now, true) {
            Pull::Data(data) => passed += data.len() as u64,
            // Up to 7 ms after the time that was asked for.
            Pull::Wait(Some(at)) => {
                step += 1;
                now = at + step * 37 % 8 * MS;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(now.abs_diff(passed * MS / 1000) < 9 * MS, "{now} for {passed}");
}

#[test]
fn a_chunk_after_a_pause_takes_its_time() {
    let mut chain = chain(&[spec("bandwidth", &[("rate", 1000)])]);
    for start in [0, 100 * MS, 200 * MS] {
        chain.push(bytes(3000), start);
        assert_eq!(run(&mut chain, start), [(start + 3 * MS, Pull::Data(bytes(3000)))]);
    }
}

#[test]
fn what_a_slow_receiver_cost_is_not_caught_up() {
    let mut chain = chain(&[spec("bandwidth", &[("rate", 1000)])]);
    chain.push(bytes(50_000), 0);
    for ms in 0..40 {
        assert!(matches!(chain.pull(ms * MS, false), Pull::Wait(_)));
    }
    let early = run(&mut chain, 40 * MS).iter().filter(|(at, _)| *at <= 45 * MS).count();
    assert!(early <= 3, "{early} slices at once");
}

#[test]
fn limit_data_passes_exactly_so_many_bytes_and_closes() {
    let mut chain = chain(&[spec("limit_data", &[("bytes", 150)])]);
    chain.push(bytes(100), 0);
    assert_eq!(run(&mut chain, 0), [(0, Pull::Data(bytes(100)))]);
    chain.push(bytes(100), 0);
    let out = run(&mut chain, 0);
    assert_eq!(out, [(0, Pull::Data(bytes(50))), (0, Pull::End(Ending::Closed { by: 1 }))]);
}

#[test]
fn the_close_of_a_toxic_stays_behind_the_bytes_it_let_pass() {
    let mut chain = chain(&[spec("limit_data", &[("bytes", 5)]), spec("latency", &[("latency", 50)])]);
    chain.push(bytes(10), 0);
    let out = run(&mut chain, 0);
    assert_eq!(out, [(50 * MS, Pull::Data(bytes(5))), (50 * MS, Pull::End(Ending::Closed { by: 1 }))]);
}

#[test]
fn timeout_drops_and_closes_after_silence_even_where_nothing_can_be_written() {
    let mut chain = chain(&[spec("timeout", &[("timeout", 100)])]);
    assert_eq!(chain.pull(0, true), Pull::Wait(Some(100 * MS)));
    chain.push(bytes(10), 90 * MS);
    assert_eq!(chain.pull(90 * MS, false), Pull::Wait(Some(190 * MS)));
    assert!(chain.wants());
    assert_eq!(chain.pull(190 * MS, false), Pull::Wait(None));
    assert_eq!(chain.forced_end(), Some(Ending::Closed { by: 1 }));
}

#[test]
fn reset_peer_waits_for_the_first_chunk() {
    let mut chain = chain(&[spec("reset_peer", &[("timeout", 20)])]);
    assert_eq!(chain.pull(5 * MS, true), Pull::Wait(None));
    chain.push(bytes(10), 7 * MS);
    assert_eq!(run(&mut chain, 7 * MS), [(27 * MS, Pull::End(Ending::Reset { by: 1 }))]);
}

#[test]
fn slow_close_holds_the_end_only() {
    let mut chain = chain(&[spec("slow_close", &[("delay", 20)])]);
    chain.push(bytes(10), 0);
    assert_eq!(chain.pull(0, true), Pull::Data(bytes(10)));
    chain.end(Ending::Fin, 0);
    assert_eq!(run(&mut chain, MS), [(21 * MS, Pull::End(Ending::Fin))]);
}

#[test]
fn removal_releases_what_was_held_in_its_order() {
    let mut chain = chain(&[spec("latency", &[("latency", 1000)]), spec("noop", &[])]);
    for at in 0..5 {
        chain.push(bytes(at + 1), 0);
    }
    chain.end(Ending::Fin, 0);
    assert_eq!(chain.pull(MS, true), Pull::Wait(Some(1000 * MS)));
    chain.install(&[installed(2, spec("noop", &[]))], MS);
    let out = run(&mut chain, MS);
    assert_eq!(out.len(), 6);
    assert!(out.iter().all(|(at, _)| *at == MS));
    assert_eq!(out[5].1, Pull::End(Ending::Fin));
    chain.install(&[], MS);
    assert!(chain.is_idle());
}

#[test]
fn a_change_releases_the_held_chunk() {
    for (name, attribute) in [("latency", "latency"), ("bandwidth", "rate"), ("reset_peer", "timeout")] {
        let slow = spec(name, &[(attribute, if name == "bandwidth" { 1 } else { 60_000 })]);
        let mut chain = chain(&[slow]);
        chain.push(bytes(1000), 0);
        assert!(matches!(chain.pull(0, true), Pull::Wait(Some(_))), "{name}");
        chain.install(&[Installed { revision: 1, ..installed(1, slow) }], MS);
        assert_eq!(chain.pull(MS, true), Pull::Data(bytes(1000)), "{name}");
    }
}

#[test]
fn removal_of_a_timeout_closes() {
    let mut chain = chain(&[spec("timeout", &[])]);
    chain.install(&[], 0);
    assert_eq!(chain.pull(0, true), Pull::End(Ending::Closed { by: 1 }));
}

#[test]
fn toxicity_spares_the_same_connections_whenever_it_is_asked() {
    let hit = |toxicity| -> Vec<u32> {
        let stream = |conn| Stream { seed: 5, proxy: 1, conn };
        (0..1000).filter(|conn| stream(*conn).hit_by("latency_downstream", toxicity)).collect()
    };
    assert_eq!((hit(0.0).len(), hit(1.0).len()), (0, 1000));
    assert!((200..300).contains(&hit(0.25).len()));
    assert!(hit(0.25).iter().all(|conn| hit(0.5).contains(conn)), "a higher share only adds connections");
}

#[test]
fn a_spared_connection_has_no_toxic_at_all() {
    let mut chain = Chain::new(Stream { seed: 1, proxy: 2, conn: 3 });
    chain.install(&[Installed { toxicity: 0.0, ..installed(1, spec("timeout", &[])) }], 0);
    assert!(chain.is_idle());
}

/// Something that happens to a chain.
#[derive(Clone, Debug)]
enum Event {
    Push(usize),
    Pull {
        room: bool,
    },
    Wait(u64),
    /// These toxics are in force, in this order, at this revision.
    Install {
        subset: usize,
        revision: u64,
    },
}

fn events() -> impl proptest::strategy::Strategy<Value = Vec<Event>> {
    use proptest::prelude::*;
    let event = prop_oneof![
        4 => (1usize..5000).prop_map(Event::Push),
        4 => any::<bool>().prop_map(|room| Event::Pull { room }),
        2 => (1u64..50).prop_map(Event::Wait),
        1 => (0usize..32, 0u64..3).prop_map(|(subset, revision)| Event::Install { subset, revision }),
    ];
    proptest::collection::vec(event, 1..120)
}

proptest::proptest! {
    /// Toxics that only delay and cut lose nothing and swap nothing, however they come, change and go.
    #[test]
    fn bytes_are_conserved(events in events()) {
        let harmless = [
            spec("latency", &[("latency", 20), ("jitter", 15)]),
            spec("bandwidth", &[("rate", 100)]),
            spec("slicer", &[("average_size", 300), ("size_variation", 200), ("delay", 500)]),
            spec("slow_close", &[("delay", 10)]),
            spec("noop", &[]),
        ];
        let mut chain = chain(&[]);
        let (mut now, mut sent, mut got) = (0, Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::Push(length) => {
                    let chunk: Vec<u8> = (0..length).map(|at| (sent.len() + at) as u8).collect();
                    sent.extend_from_slice(&chunk);
                    chain.push(chunk.into(), now);
                }
                Event::Pull { room } => match chain.pull(now, room) {
                    Pull::Data(data) => got.extend_from_slice(&data),
                    Pull::End(end) => panic!("{end:?}"),
                    Pull::Wait(_) => {}
                },
                Event::Wait(ms) => now += ms * MS,
                Event::Install { subset, revision } => {
                    let drawn = (0..5).filter(|bit| subset >> bit & 1 == 1);
                    let list: Vec<_> = drawn
                        .map(|at| Installed { revision, ..installed(at as u64, harmless[at]) })
                        .collect();
                    chain.install(&list, now);
                }
            }
        }
        chain.end(Ending::Fin, now);
        let mut out = run(&mut chain, now);
        proptest::prop_assert_eq!(out.pop().map(|(_, last)| last), Some(Pull::End(Ending::Fin)));
        for (_, pull) in out {
            if let Pull::Data(data) = pull {
                got.extend_from_slice(&data);
            }
        }
        proptest::prop_assert!(got == sent, "{} of {} bytes", got.len(), sent.len());
    }
}
