//! Client requests joined with the attempts they caused and the attempts that fed them.
//!
//! Many-to-many: a cached or coalesced response names an attempt that another request originated.

use std::collections::HashSet;

use gatecrash_model::{AttemptId, AttemptRecord, ClientRecord, RequestId, UpstreamRecord};

use super::{History, IdMap, Places};

/// Indexes from a request or an attempt into the lists of a [`History`].
#[derive(Debug, Default)]
pub struct Join {
    /// Attempts in the order of their requests; within one request by start.
    by_request: Vec<u32>,
    /// Where the attempts of each client request begin in `by_request`, and where the last one's end.
    begins: Vec<u32>,
    /// Attempts of requests that no client sent.
    orphans: IdMap<Vec<u32>>,
    by_attempt: Places,
    client_by_request: Places,
    /// The attempt that each client's response named; [`NOBODY`] where none is recorded.
    fed: Vec<u32>,
    /// What the mock wrote down for each attempt; [`NOBODY`] where it has nothing.
    served: Vec<u32>,
    witnessed: IdMap<u32>,
    /// What could not be joined.
    pub stats: JoinStats,
}

/// How complete the join is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct JoinStats {
    /// Client requests that were sent.
    pub sent: u64,
    /// Attempts that are no probes.
    pub attempts: u64,
    /// Attempts without a request id of this run (and with a head), unless they follow an early answer on its
    /// connection: then they may be made of body bytes, which `no-request-desync` judges.
    pub strangers: u64,
    /// Attempts whose request id names no client request.
    pub orphans: u64,
    /// Responses that name an attempt nobody recorded.
    pub dangling: u64,
}

impl Join {
    /// Joins a history in time and memory proportional to it.
    pub fn of(history: &History) -> Self {
        let mut join = Self {
            client_by_request: Places::of(history.clients.iter().map(|client| client.id().pack())),
            by_attempt: Places::of(history.attempts.iter().map(|attempt| attempt.attempt)),
            ..Self::default()
        };
        join.stats.sent = history.clients.iter().filter(|client| !client.was_dropped()).count() as u64;
        // The client request of each attempt; NOBODY for probes, strangers and orphans.
        let mut asked_by = vec![NOBODY; history.attempts.len()];
        let mut out_of_step = HashSet::new();
        for (index, attempt) in history.attempts.iter().enumerate() {
            let connection = attempt.id().map(|id| (id.link, id.conn));
            if attempt.is_answered_early() {
                out_of_step.insert(connection);
            }
            if attempt.has(AttemptRecord::PROBE) {
                continue;
            }
            join.stats.attempts += 1;
            if attempt.request == RequestId::NONE {
                let known = attempt.has(AttemptRecord::NO_HEAD) || out_of_step.contains(&connection);
                join.stats.strangers += u64::from(!known);
            } else if let Some(client) = join.client_by_request.find(attempt.request) {
                asked_by[index] = client as u32;
            } else {
                join.stats.orphans += 1;
                join.orphans.entry(attempt.request).or_default().push(index as u32);
            }
        }
        (join.begins, join.by_request) = grouped(&asked_by, history.clients.len());
        join.witnessed = history.witnessed().collect();
        join.served = vec![NOBODY; history.attempts.len()];
        for (index, upstream) in history.upstreams.iter().enumerate() {
            if let Some(attempt) = join.by_attempt.find(upstream.attempt) {
                join.served[attempt] = index as u32;
            }
        }
        let named =
            |c: &ClientRecord| join.by_attempt.find(c.attempt).map_or(NOBODY, |attempt| attempt as u32);
        join.fed = history.clients.iter().map(named).collect();
        let dangling = |(c, fed): &(&ClientRecord, &u32)| c.attempt != AttemptId::NONE && **fed == NOBODY;
        join.stats.dangling = history.clients.iter().zip(&join.fed).filter(dangling).count() as u64;
        join
    }

    /// The attempts a request originated, by start.
    pub fn attempts<'h>(
        &self,
        history: &'h History,
        request: RequestId,
    ) -> impl Iterator<Item = &'h AttemptRecord> + use<'h, '_> {
        let list = match self.client_by_request.find(request.pack()) {
            Some(client) => self.originated(client),
            None => self.orphans.get(&request.pack()).map_or(&[][..], Vec::as_slice),
        };
        list.iter().map(|i| &history.attempts[*i as usize])
    }

    /// The attempts a client's request originated, by start.
    pub fn attempts_of<'h>(
        &self,
        history: &'h History,
        client: &ClientRecord,
    ) -> impl Iterator<Item = &'h AttemptRecord> + use<'h, '_> {
        let list = self.place_of(history, client).map_or(&[][..], |place| self.originated(place));
        list.iter().map(|i| &history.attempts[*i as usize])
    }

    /// How often the gateway's own log says a request was tried.
    pub fn witnessed(&self, request: RequestId) -> Option<u32> {
        self.witnessed.get(&request.pack()).copied()
    }

    /// The attempt a response named.
    pub fn fed_by<'h>(&self, history: &'h History, client: &ClientRecord) -> Option<&'h AttemptRecord> {
        let fed = self.fed[self.place_of(history, client)?];
        history.attempts.get(fed as usize)
    }

    /// What the mock wrote down for an attempt.
    pub fn upstream<'h>(&self, history: &'h History, attempt: &AttemptRecord) -> Option<&'h UpstreamRecord> {
        let place = place(&history.attempts, attempt).or_else(|| self.by_attempt.find(attempt.attempt));
        let served = self.served[place?];
        history.upstreams.get(served as usize)
    }

    /// The client request of an id.
    pub fn client<'h>(&self, history: &'h History, request: RequestId) -> Option<&'h ClientRecord> {
        self.client_by_request.find(request.pack()).map(|place| &history.clients[place])
    }

    /// Share of attempts and responses that could not be joined.
    pub fn unjoined_share(&self) -> f64 {
        let bad = self.stats.strangers + self.stats.orphans + self.stats.dangling;
        let all = self.stats.attempts + self.stats.sent;
        if all == 0 { 0.0 } else { bad as f64 / all as f64 }
    }
}

impl Join {
    /// Where a client's record is. Checks walk the list itself, and then no id has to be looked up.
    fn place_of(&self, history: &History, client: &ClientRecord) -> Option<usize> {
        place(&history.clients, client).or_else(|| self.client_by_request.find(client.id().pack()))
    }

    fn originated(&self, client: usize) -> &[u32] {
        &self.by_request[self.begins[client] as usize..self.begins[client + 1] as usize]
    }
}

/// No record.
const NOBODY: u32 = u32::MAX;

/// Where in a list an item lies; `None` when it is a copy.
fn place<T>(list: &[T], item: &T) -> Option<usize> {
    let bytes = std::ptr::from_ref(item).addr().checked_sub(list.as_ptr().addr())?;
    let place = bytes / size_of::<T>();
    (place < list.len()).then_some(place)
}

/// Positions in the order of their groups, each group in the order of the list, and where each group begins; the last
/// entry is the end of the last one.
fn grouped(groups: &[u32], count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut begins = vec![0; count + 1];
    let members = || groups.iter().enumerate().filter(|(_, group)| **group != NOBODY);
    members().for_each(|(_, group)| begins[*group as usize + 1] += 1);
    for group in 0..count {
        begins[group + 1] += begins[group];
    }
    let mut next = begins.clone();
    let mut order = vec![0; begins[count] as usize];
    for (index, group) in members() {
        let place = &mut next[*group as usize];
        order[*place as usize] = index as u32;
        *place += 1;
    }
    (begins, order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_the_order_of_the_list() {
        let (begins, order) = grouped(&[2, 0, NOBODY, 2, 0, 0], 3);
        assert_eq!(begins, [0, 3, 3, 5]);
        assert_eq!(order, [1, 4, 5, 0, 3]);
        assert_eq!(grouped(&[NOBODY], 0), (vec![0], vec![]));
    }

    #[test]
    fn an_item_is_found_where_it_lies_and_a_copy_is_not() {
        let list = [7u64, 7, 7];
        assert_eq!(list.each_ref().map(|item| place(&list, item)), [Some(0), Some(1), Some(2)]);
        let other = [7u64, 7];
        assert_eq!([place(&list, &other[0]), place(&other, &list[2])], [None, None]);
        assert_eq!(place(&list[..2], &list[2]), None);
    }
}
