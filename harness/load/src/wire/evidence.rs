//! Which abnormal exchanges are kept in detail, and how they are told.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gatecrash_model::{ClientRecord, Ending, Evidence, EvidenceSide, Nanos, Pool, printable};

use super::body::Found;
use super::owners::Owners;
use super::response::Response;

/// Bounds the evidence of a run: so many in all, and so many in a second of each kind (status, ending, flags,
/// body check). What comes above is not kept; the records still count it.
#[derive(Debug)]
pub struct EvidenceBudget {
    total: u32,
    per_second: u32,
    state: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    total: u32,
    /// Kind -> (second, kept in it).
    kinds: HashMap<Kind, (u64, u32)>,
}

type Kind = (u16, Ending, u16, u8);

impl Default for EvidenceBudget {
    /// 2000 in a run, 8 a second of each kind.
    fn default() -> Self {
        Self::new(2000, 8)
    }
}

impl EvidenceBudget {
    /// At most `total` in all, and `per_second` of each kind.
    pub fn new(total: u32, per_second: u32) -> Self {
        Self { total, per_second, state: Mutex::default() }
    }

    pub(super) fn admits(&self, record: &ClientRecord, now: Nanos) -> bool {
        let mut spent = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.total >= self.total {
            return false;
        }
        let flags = record.flags & !ClientRecord::REUSED;
        let kind = (record.status, record.ending, flags, record.shape.body().code());
        let second = now / 1_000_000_000;
        let (at, kept) = spent.kinds.entry(kind).or_insert((second, 0));
        if *at != second {
            (*at, *kept) = (second, 0);
        }
        if *kept >= self.per_second {
            return false;
        }
        *kept += 1;
        spent.total += 1;
        true
    }
}

/// Flags that a right answer may have without being worth a second look.
pub(super) const ORDINARY: u16 = ClientRecord::REUSED
    | ClientRecord::S3_ERROR
    | ClientRecord::NOT_MODIFIED_DUE
    | ClientRecord::PRECONDITION_DUE;

/// Evidence of an abnormal exchange, within the budget.
pub(super) fn of_exchange(
    budget: &EvidenceBudget,
    record: &ClientRecord,
    response: &Response,
    pool: &Pool,
    owners: &Owners,
    leak: Option<&str>,
) -> Option<Evidence> {
    if !budget.admits(record, record.ended()) {
        return None;
    }
    let mut note = Vec::new();
    if !response.why.is_empty() {
        note.push(response.why.clone());
    }
    if record.ending != Ending::Complete {
        note.push(format!("ended {} after {} body bytes", record.ending, response.body.seen));
    }
    if record.has(ClientRecord::AMBIGUOUS) {
        note.push("the head has no single valid framing (RFC 9112 6.3)".to_owned());
    }
    if let Some(needle) = leak {
        note.push(format!("contains {needle:?}, which only the gateway's configuration knows"));
    }
    if !response.surplus.is_empty() {
        note.push(surplus_note(response));
    }
    if let Some(at) = response.body.mismatch {
        note.push(mismatch_note(response, pool, owners, at));
    }
    if response.informational > 0 {
        note.push(format!("{} informational responses came first", response.informational));
    }
    Some(Evidence {
        side: EvidenceSide::Client,
        request: record.id().pack(),
        attempt: record.attempt,
        head: printable(response.shown_head()),
        body: printable(&response.body.kept),
        mismatch: response.body.mismatch,
        note: note.join("; "),
    })
}

/// Evidence of a connection that did not come about: a lack of sockets or ports here must not look like the
/// gateway's.
pub(super) fn of_connect(
    budget: &EvidenceBudget,
    record: &ClientRecord,
    error: &std::io::Error,
) -> Option<Evidence> {
    budget.admits(record, record.ended()).then(|| Evidence {
        side: EvidenceSide::Client,
        request: record.id().pack(),
        attempt: record.attempt,
        head: String::new(),
        body: String::new(),
        mismatch: None,
        note: format!("failed to connect: {error}"),
    })
}

/// Evidence of bytes that came on an idle connection: they belong to the exchange before.
pub(super) fn of_late_bytes(
    budget: &EvidenceBudget,
    now: Nanos,
    response: &Response,
    last: (u64, u64),
) -> Option<Evidence> {
    let kind = ClientRecord { flags: response.surplus_flag(), ..ClientRecord::default() };
    budget.admits(&kind, now).then(|| Evidence {
        side: EvidenceSide::Client,
        request: last.0,
        attempt: last.1,
        head: printable(response.shown_head()),
        body: String::new(),
        mismatch: None,
        note: format!("while the connection was idle: {}", surplus_note(response)),
    })
}

fn surplus_note(response: &Response) -> String {
    let shown = &response.surplus[..response.surplus.len().min(256)];
    format!("{} or more bytes after the end of the message: {}", response.surplus.len(), printable(shown))
}

fn mismatch_note(response: &Response, pool: &Pool, owners: &Owners, at: u64) -> String {
    let stray = printable(response.body.stray());
    match response.body.found(pool) {
        Found::Foreign => format!("wrong from byte {at}: not bytes of this run: {stray}"),
        Found::Shifted(offset) => {
            format!("wrong from byte {at}: bytes of the same object from its offset {offset}")
        }
        Found::Version(then) => {
            let first = response.body.versions(pool)[0].unwrap_or_default();
            format!("bytes of version {first} of the object up to byte {at}, then of version {then}")
        }
        Found::Elsewhere { place, offset } => {
            format!("wrong from byte {at}: {}", owners.tell(pool, place, offset))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_bounds_each_kind_and_the_total() {
        let budget = EvidenceBudget::new(10, 3);
        let record = |status| ClientRecord { status, ..ClientRecord::default() };
        let kept = |status, second: u64| {
            (0..20).filter(|_| budget.admits(&record(status), second * 1_000_000_000)).count()
        };
        assert_eq!([kept(502, 0), kept(503, 0), kept(502, 1), kept(504, 2)], [3, 3, 3, 1]);
        assert_eq!(kept(500, 99), 0);
    }
}
