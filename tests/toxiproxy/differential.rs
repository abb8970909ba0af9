//! One script to both servers; every difference has to be permitted by name.

use crate::http::{Reply, ask};
use crate::permitted::{Permitted, permitted};
use crate::places::Places;
use crate::script::{STEPS, Step};
use crate::servers::{Server, programs};

/// Something that the two servers answered differently.
#[derive(Debug)]
struct Difference {
    step: &'static str,
    what: &'static str,
    theirs: String,
    ours: String,
}

#[test]
fn both_servers_answer_the_same() {
    let Some(programs) = programs("both_servers_answer_the_same") else { return };
    let mut theirs = Server::toxiproxy(&programs.server, &[]);
    let mut ours = Server::gatecrash(&[]);
    let (their_places, our_places) = (Places::new(theirs.port), Places::new(ours.port));
    let mut found: Vec<Difference> = Vec::new();
    for step in STEPS {
        let their_reply = reply(step, theirs.port, &their_places);
        let our_reply = reply(step, ours.port, &our_places);
        found.extend(differences(step.name, &their_reply, &our_reply));
        assert!(theirs.lives(), "Toxiproxy died of `{}`", step.name);
        assert!(ours.lives(), "gatecrash died of `{}`", step.name);
    }
    let meets = |permitted: &Permitted, found: &Difference| {
        permitted.meets(found.step, found.what, &found.theirs, &found.ours)
    };
    let surprises: Vec<_> = found.iter().filter(|f| !permitted().any(|p| meets(p, f))).collect();
    assert!(surprises.is_empty(), "{} differences that nobody permitted: {surprises:#?}", surprises.len());
    for permitted in permitted().filter(|permitted| permitted.always) {
        let Permitted { step, what, .. } = permitted;
        assert!(found.iter().any(|f| meets(permitted, f)), "permitted, but not there: {what} of `{step}`");
    }
}

fn reply(step: &Step, port: u16, places: &Places) -> Reply {
    let path = places.filled(step.path);
    let body = step.body.map(|body| match std::str::from_utf8(body) {
        Ok(text) => places.filled(text).into_bytes(),
        Err(_) => body.to_vec(),
    });
    let mut reply = ask(port, step.method, &path, step.headers, body.as_deref());
    reply.body = places.named(&reply.body);
    // What is never the same twice, or follows from the body.
    reply.headers.remove("date");
    reply.headers.remove("content-length");
    if let Some(id) = reply.headers.get_mut("x-toxiproxy-request-id") {
        assert!(id.len() == 20 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'v')), "{id}");
        *id = "ID".into();
    }
    reply
}

fn differences(step: &'static str, theirs: &Reply, ours: &Reply) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |what: &'static str, theirs: &str, ours: &str| {
        if theirs != ours {
            found.push(Difference { step, what, theirs: theirs.to_owned(), ours: ours.to_owned() });
        }
    };
    let headers = |reply: &Reply| {
        let lines: Vec<_> = reply.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        lines.join("; ")
    };
    compare("status", &theirs.status, &ours.status);
    compare("headers", &headers(theirs), &headers(ours));
    compare("body", &theirs.body, &ours.body);
    found
}
