//! Where the two servers may differ, and why. Each entry has to be met exactly, and an entry that is no longer met
//! fails too, save those that depend on how Toxiproxy was built or on the machine.

/// One difference.
pub(crate) struct Permitted {
    /// The step of the script.
    pub(crate) step: &'static str,
    /// `status`, `headers` or `body`.
    pub(crate) what: &'static str,
    /// `*` stands for anything.
    pub(crate) theirs: &'static str,
    pub(crate) ours: &'static str,
    pub(crate) because: &'static str,
    /// Whether it is there on every machine.
    pub(crate) always: bool,
}

const VERSION: &str = "A server built by `go install` calls itself git; released ones say their version, which clients compare.";
const RESOLVER: &str = "Go names the resolver it asked; the system's resolver, which we ask, does not say.";
const LENGTH: &str = "Go sends a reply of more than 2 KiB in chunks; ours always says its length.";
const CHECKED: &str =
    "Attributes that make no sense are refused: some of them end Toxiproxy's process (#541, #764, #770).";
const WHOLE: &str =
    "An update that is refused changes nothing; Go's decoder keeps what it read before the mistake.";
const ATOMIC: &str = "Toxics may be created together with their proxy, so that no connection escapes them; there they are ignored.";

const fn always(
    step: &'static str,
    what: &'static str,
    theirs: &'static str,
    ours: &'static str,
    because: &'static str,
) -> Permitted {
    Permitted { step, what, theirs, ours, because, always: true }
}

const fn depends(
    step: &'static str,
    theirs: &'static str,
    ours: &'static str,
    because: &'static str,
) -> Permitted {
    Permitted { step, what: "body", theirs, ours, because, always: false }
}

/// A toxic that is accepted there and refused here: three entries.
const fn refused(step: &'static str, theirs: &'static str, ours: &'static str) -> [Permitted; 3] {
    const GOOD: &str = "connection: close; content-type: application/json; x-toxiproxy-request-id: ID";
    const BAD: &str = "connection: close; content-type: text/plain; charset=utf-8; x-content-type-options: nosniff; x-toxiproxy-request-id: ID";
    [
        always(step, "status", "200 OK", "400 Bad Request", CHECKED),
        always(step, "headers", GOOD, BAD, CHECKED),
        always(step, "body", theirs, ours, CHECKED),
    ]
}

#[rustfmt::skip]
const REFUSED: &[[Permitted; 3]] = &[
    refused("toxic: negative latency",
        r#"{"attributes":{"latency":-1,"jitter":0},"name":"neg","type":"latency","stream":"downstream","toxicity":1}"#,
        "{\"error\":\"invalid attributes: attribute latency must not be negative, it is -1\",\"status\":400}\n"),
    refused("toxic: negative rate",
        r#"{"attributes":{"rate":-1},"name":"negrate","type":"bandwidth","stream":"downstream","toxicity":1}"#,
        "{\"error\":\"invalid attributes: attribute rate must not be negative, it is -1\",\"status\":400}\n"),
    refused("toxic: variation above the average",
        r#"{"attributes":{"average_size":5,"size_variation":5,"delay":0},"name":"var","type":"slicer","stream":"downstream","toxicity":1}"#,
        "{\"error\":\"invalid attributes: attribute size_variation must be less than average_size, it is 5 of 5\",\"status\":400}\n"),
    refused("toxic update: negative",
        r#"{"attributes":{"latency":-5,"jitter":0},"name":"n2","type":"latency","stream":"downstream","toxicity":1}"#,
        "{\"error\":\"invalid attributes: attribute latency must not be negative, it is -5\",\"status\":400}\n"),
];

#[rustfmt::skip]
const SINGLE: &[Permitted] = &[
    depends("version", "{\"version\": \"git\"}\n", "{\"version\": \"2.12.0\"}\n", VERSION),
    depends("version with a query", "{\"version\": \"git\"}\n", "{\"version\": \"2.12.0\"}\n", VERSION),
    depends("version with a body", "{\"version\": \"git\"}\n", "{\"version\": \"2.12.0\"}\n", VERSION),
    depends("listen on no.such.invalid:0",
        "{\"error\":\"listen tcp: lookup no.such.invalid*\",\"status\":500}\n",
        "{\"error\":\"listen tcp: lookup no.such.invalid: no such host\",\"status\":500}\n", RESOLVER),
    depends("move to no.such.invalid:0",
        "{\"error\":\"lookup no.such.invalid*\",\"status\":500}\n",
        "{\"error\":\"lookup no.such.invalid: no such host\",\"status\":500}\n", RESOLVER),
    always("toxics", "headers",
        "connection: close; content-type: application/json; transfer-encoding: chunked; x-toxiproxy-request-id: ID",
        "connection: close; content-type: application/json; x-toxiproxy-request-id: ID", LENGTH),
    always("show toxic after the negative update", "body",
        r#"{"attributes":{"latency":-5,"jitter":0},"name":"n2","type":"latency","stream":"downstream","toxicity":1}"#,
        r#"{"attributes":{"latency":0,"jitter":0},"name":"n2","type":"latency","stream":"downstream","toxicity":1}"#, CHECKED),
    always("show toxic after the wrong update", "body",
        r#"{"attributes":{"latency":1,"jitter":3},"name":"n2","type":"latency","stream":"downstream","toxicity":1}"#,
        r#"{"attributes":{"latency":1,"jitter":2},"name":"n2","type":"latency","stream":"downstream","toxicity":1}"#, WHOLE),
    always("populate: toxics", "body",
        r#"{"proxies":[{"name":"pt","listen":"127.0.0.1:PORT","upstream":"u:1","enabled":true,"Logger":{},"toxics":[]}]}"#,
        r#"{"proxies":[{"name":"pt","listen":"127.0.0.1:PORT","upstream":"u:1","enabled":true,"Logger":{},"toxics":[{"attributes":{"latency":0,"jitter":0},"name":"latency_downstream","type":"latency","stream":"downstream","toxicity":1}]}]}"#, ATOMIC),
];

/// All of them.
pub(crate) fn permitted() -> impl Iterator<Item = &'static Permitted> {
    SINGLE.iter().chain(REFUSED.iter().flatten())
}

impl Permitted {
    /// Whether this is the difference that was found.
    pub(crate) fn meets(&self, step: &str, what: &str, theirs: &str, ours: &str) -> bool {
        let same = match self.theirs.split_once('*') {
            None => self.theirs == theirs,
            Some((head, tail)) => theirs.starts_with(head) && theirs.ends_with(tail),
        };
        same && (self.step, self.what, self.ours) == (step, what, ours)
    }
}

#[test]
fn every_difference_has_its_reason() {
    for permitted in permitted() {
        assert!(permitted.because.ends_with('.'), "{}", permitted.step);
    }
}
