//! Interim responses nobody asked for.

use super::{Body, Original, Script};

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

pub(super) fn continue_unasked(original: &Original<'_>) -> Script {
    flood(original, CONTINUE, 1)
}

pub(super) fn continue_flood(original: &Original<'_>) -> Script {
    flood(original, CONTINUE, original.amount)
}

pub(super) fn early_hints_flood(original: &Original<'_>) -> Script {
    flood(original, "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n", original.amount)
}

pub(super) fn switching_unasked(original: &Original<'_>) -> Script {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: gatecrash\r\n{}\r\n",
        original.attempt_line
    );
    Script::fin(head.into_bytes(), Body::Pass, false)
}

fn flood(original: &Original<'_>, interim: &str, count: usize) -> Script {
    let mut head = interim.repeat(count).into_bytes();
    head.extend_from_slice(original.head);
    Script::as_framed(head, original)
}
