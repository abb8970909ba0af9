//! `toxiproxy-cli`, unchanged, against both servers: what it prints and how it exits has to be the same.

use std::process::Command;

use crate::places::Places;
use crate::servers::{Programs, Server, programs};

/// Each a command line, in this order. Flags come before arguments there.
const COMMANDS: &[&str] = &[
    "list",
    "create -l 127.0.0.1:{a} -u 127.0.0.1:1 web",
    "create -l 127.0.0.1:{a} -u 127.0.0.1:1 web",
    "create -l 127.0.0.1:{api} -u 127.0.0.1:1 taken",
    "create -l nonsense -u 127.0.0.1:1 nonsense",
    "new --listen localhost:{b} --upstream localhost:2 db",
    "list",
    "ls",
    "inspect web",
    "inspect nobody",
    "toxic add -t latency -a latency=100 -a jitter=50 web",
    "toxic add -t latency -a latency=100 -a jitter=50 web",
    "toxic add -t latency -n slow -tox 0.3 -a latency=7 -u web",
    "toxic add -t bandwidth -n narrow -a rate=12 -d web",
    "toxic add -t slow_close -a delay=5 web",
    "toxic add -t timeout -n out -a timeout=0 web",
    "toxic add -t reset_peer -a timeout=3 web",
    "toxic add -t slicer -a average_size=5 -a size_variation=1 -a delay=2 web",
    "toxic add -t limit_data -a bytes=10 web",
    "toxic add -t limit_data -a bytes=many web",
    "toxic add -t nonsense web",
    "toxic add -t latency nobody",
    "toxic a -t noop -n quiet web",
    "inspect web",
    "i web",
    "toxic update -n slow -a latency=9 web",
    "toxic update -n slow -tox 0.75 -a jitter=1 web",
    "toxic update -n nothing -a latency=9 web",
    "toxic update -n slow -a latency=1.5 web",
    "inspect web",
    "toxic remove -n slow web",
    "toxic delete -n narrow web",
    "toxic remove -n slow web",
    "inspect web",
    "toggle web",
    "list",
    "toggle web",
    "toggle nobody",
    "list",
    "delete web",
    "delete web",
    "list",
];

#[test]
fn the_command_line_of_toxiproxy_sees_no_difference() {
    let Some(programs) = programs("the_command_line_of_toxiproxy_sees_no_difference") else { return };
    let theirs = Server::toxiproxy(&programs.server, &[]);
    let ours = Server::gatecrash(&[]);
    let (their_places, our_places) = (Places::new(theirs.port), Places::new(ours.port));
    for command in COMMANDS {
        let expected = run(programs, command, &theirs, &their_places);
        assert_eq!(run(programs, command, &ours, &our_places), expected, "toxiproxy-cli {command}");
    }
}

/// Exit code, stdout and stderr. Attributes come in the random order of Go's maps: they are sorted.
fn run(
    programs: &Programs,
    command: &str,
    server: &Server,
    places: &Places,
) -> (Option<i32>, String, String) {
    let done = Command::new(&programs.cli)
        .env("TOXIPROXY_URL", format!("http://127.0.0.1:{}", server.port))
        .args(places.filled(command).split(' '))
        .output()
        .expect("the command line");
    let text = |bytes: &[u8]| {
        let named = places.named(&String::from_utf8_lossy(bytes));
        let sorted = |line: &str| {
            let mut words: Vec<_> = line.split('\t').collect();
            words.sort_unstable();
            words.join("\t")
        };
        named.lines().map(sorted).collect::<Vec<_>>().join("\n")
    };
    (done.status.code(), text(&done.stdout), text(&done.stderr))
}
