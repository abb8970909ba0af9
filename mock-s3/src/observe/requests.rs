//! Questions to the journal, for the assertions of tests.

use std::sync::Arc;

use gatecrash_model::Op;

use super::Finished;

/// Exchanges in the order they ended; each question leaves fewer.
#[derive(Clone, Debug)]
pub struct Requests {
    all: Vec<Arc<Finished>>,
}

impl Requests {
    pub(super) fn new(all: Vec<Arc<Finished>>) -> Self {
        Self { all }
    }

    /// Those of an operation.
    pub fn of(self, op: Op) -> Self {
        self.that(|exchange| exchange.op == op)
    }

    /// Those on a bucket.
    pub fn on(self, bucket: &str) -> Self {
        self.that(|exchange| exchange.bucket == bucket)
    }

    /// Those of a key.
    pub fn key(self, key: &str) -> Self {
        self.that(|exchange| exchange.key == key)
    }

    /// Those answered with a status.
    pub fn status(self, status: u16) -> Self {
        self.that(|exchange| exchange.status == status)
    }

    /// Those answered with an S3 error code; the empty one: without an error.
    pub fn code(self, code: &str) -> Self {
        self.that(|exchange| exchange.code == code)
    }

    /// Those an identity signed.
    pub fn by(self, identity: &str) -> Self {
        self.that(|exchange| exchange.principal.as_ref().is_some_and(|who| who.name == identity))
    }

    /// Those that answer yes.
    pub fn that(mut self, answers: impl Fn(&Finished) -> bool) -> Self {
        self.all.retain(|exchange| answers(exchange));
        self
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// The only one; none when there are none or several.
    pub fn only(&self) -> Option<&Finished> {
        match self.all.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// In the order they ended.
    pub fn iter(&self) -> impl Iterator<Item = &Finished> {
        self.all.iter().map(|exchange| &**exchange)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use http::{HeaderMap, Method, Version};

    use super::*;
    use crate::observe::notes::{Notes, Scene};
    use crate::request::Head;
    use crate::store::{Budget, Store};

    /// `GET /<bucket>/k`, answered.
    pub(crate) fn exchange(bucket: &str, status: u16) -> Arc<Finished> {
        let head = Head::new(Method::GET, format!("/{bucket}/k").parse().unwrap(), HeaderMap::new());
        let store = Store::new(vec![std::collections::BTreeMap::new()], Budget::new(0, None));
        let scene = Scene {
            region: 0,
            region_name: "us-east-1",
            remote: IpAddr::V4(Ipv4Addr::LOCALHOST),
            wall: 1_369_353_600,
            request_id: "REQ",
            store: &store,
            placement: None,
        };
        let mut finished = Notes::begin(&head, Version::HTTP_11, &scene).end(Default::default(), 0);
        finished.status = status;
        finished.bucket_owner = Some("owner".to_owned());
        Arc::new(finished)
    }

    #[test]
    fn questions_narrow_down() {
        let all = Requests::new(vec![exchange("a", 200), exchange("a", 404), exchange("b", 200)]);
        assert_eq!(all.count(), 3);
        assert_eq!(all.clone().on("a").count(), 2);
        assert_eq!(all.clone().on("a").status(404).only().map(|one| one.key.as_str()), Some("k"));
        assert_eq!(all.clone().of(Op::PutObject).count(), 0);
        assert!(all.key("k").only().is_none());
    }
}
