//! A link leaves no descriptor behind. Alone in its process, because it counts all of them.

mod support;

use gatecrash_core::faults::{FaultSpec, Truncate, With};
use gatecrash_core::units::Size;
use gatecrash_wire::ListenerState;
use support::*;

fn open() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("a Linux /proc").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_open() {
    let before = open();
    let spec = FaultSpec::Truncate(Truncate { at: Size(1), with: With::Fin, unframed: false });
    let rig = Rig::start(&[fault("f", spec)], |_| ok(b"xyz")).await;
    let mut clients = Vec::new();
    for k in 0..50 {
        rig.rules.switch(0, k % 2 == 0);
        let mut client = rig.connect().await;
        client.send(get(k)).await;
        rig.attempts(k as usize + 1).await;
        clients.push(client);
    }
    for state in [ListenerState::Blackhole, ListenerState::Open, ListenerState::Refuse] {
        assert!(rig.link.set_listener(state).await);
    }
    let Rig { link, upstream, .. } = rig;
    link.stop().await;
    drop((upstream, clients));
    eventually("all descriptors to close", || open() <= before).await;
}
