//! The course of one request through an origin group.

use http::Method;

use crate::config::OriginGroup;
use crate::downstream::ClientRequest;
use crate::upstream::{Answer, Failed};

/// Regions of a group: the first and the one to fail over to.
const REGIONS: usize = 2;

/// Where a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Course {
    /// Region, in the order of preference.
    pub(crate) region: usize,
    /// Attempts made there.
    made: u32,
}

impl Course {
    /// Whether there is another attempt after `outcome`, and where; `regions` is how many there are.
    pub(crate) fn next(
        self,
        outcome: &Result<Answer, Failed>,
        request: &ClientRequest,
        group: &OriginGroup,
        regions: usize,
    ) -> Option<Self> {
        let made = self.made + 1;
        let (again, elsewhere) = match outcome {
            Ok(answer) => (false, group.failover_on.contains(&answer.status.as_u16())),
            Err(failed) if !failed.failure.is_upstreams() => (false, false),
            Err(failed) => {
                let late =
                    failed.failure.is_timeout() && matches!(request.method, Method::GET | Method::HEAD);
                (!failed.wrote || failed.stale || late, true)
            }
        };
        let reads = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if !request.body.replayable() {
            None
        } else if again && made < group.attempts {
            Some(Self { made, ..self })
        } else {
            let there = self.region + 1 < regions.min(REGIONS);
            (elsewhere && reads && there).then_some(Self { region: self.region + 1, made: 0 })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;
    use crate::downstream::RequestBody;
    use crate::upstream::{Failure, Stage};

    fn course(method: Method, outcome: impl Fn() -> Failed) -> Vec<usize> {
        let request = ClientRequest {
            id: "1".into(),
            method,
            path: "/b/k".into(),
            query: None,
            headers: HeaderMap::new(),
            body: RequestBody::Buffered(Bytes::new()),
        };
        let group = OriginGroup::default();
        let next = |at: &Course| at.next(&Err(outcome()), &request, &group, 3);
        std::iter::successors(Some(Course::default()), next).map(|at| at.region).collect()
    }

    fn failed(failure: Failure, wrote: bool) -> Failed {
        Failed { failure, wrote, stale: false, sent: 0 }
    }

    #[test]
    fn connecting_is_tried_three_times_at_each_origin() {
        let refused = || failed(Failure::Connect(io::ErrorKind::ConnectionRefused.into()), false);
        assert_eq!(course(Method::GET, refused), [0, 0, 0, 1, 1, 1]);
        assert_eq!(course(Method::PUT, refused), [0, 0, 0]);
    }

    #[test]
    fn only_reads_are_tried_again_after_silence() {
        let silent = || failed(Failure::Timeout(Stage::Head), true);
        assert_eq!(course(Method::HEAD, silent), [0, 0, 0, 1, 1, 1]);
        assert_eq!(course(Method::OPTIONS, silent), [0, 1]);
        assert_eq!(course(Method::POST, silent), [0]);
    }

    #[test]
    fn a_dropped_connection_sends_reads_to_the_other_origin() {
        let dropped = || failed(Failure::Dropped(io::ErrorKind::UnexpectedEof.into()), true);
        assert_eq!(course(Method::GET, dropped), [0, 1]);
        assert_eq!(course(Method::DELETE, dropped), [0]);
        assert_eq!(course(Method::GET, || failed(Failure::ClientBody, true)), [0]);
    }
}
