//! What follows the first request of an arrival: the parts of an upload, the pages of a list.
//!
//! Each is a request of its own, with a record and an id: the ids of an arrival follow each other, and an abort has
//! the last of them. It is due when the one before has ended.

use gatecrash_model::{ClientRecord, Op, Pool};
use percent_encoding::utf8_percent_encode;

use super::{Payload, RequestPlan};
use crate::encode::QUERY;
use crate::workload::OpPlan;

/// Which request of its arrival one is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The only one.
    Only,
    /// Creates a multipart upload.
    Create,
    /// Sends this part of it, from 1.
    Part(u16),
    /// Completes it.
    Complete,
    /// Gives it up.
    Abort,
    /// Asks for this page of a list, from 1.
    Page(u16),
}

/// What the next request needs of a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wants {
    Nothing,
    /// The text of this element of the document.
    Element(&'static str),
    /// The ETag header.
    Tag,
}

/// What the requests of an arrival have learnt.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Journey {
    upload: String,
    tags: Vec<String>,
}

// === impl Journey ===

impl Journey {
    /// The request that follows one which ended like this; `None` after the last. `learnt` is what the response said
    /// of what was wanted of it.
    pub fn next(
        &mut self,
        pool: &Pool,
        plan: &RequestPlan,
        record: &ClientRecord,
        learnt: Option<String>,
    ) -> Option<RequestPlan> {
        let right = plan.is_answered_by(record);
        let learnt = learnt.filter(|_| right);
        match plan.step {
            Step::Only | Step::Abort => None,
            Step::Create => {
                self.upload = learnt?;
                self.part(pool, plan, 1)
            }
            Step::Part(number) => match learnt {
                None => self.upload_step(plan, Step::Abort, Payload::Empty),
                Some(tag) => {
                    self.tags.push(tag);
                    match number < plan.parts?.count {
                        true => self.part(pool, plan, number + 1),
                        false => self.upload_step(plan, Step::Complete, Payload::Document(self.document())),
                    }
                }
            },
            Step::Complete if right => None,
            Step::Complete => self.upload_step(plan, Step::Abort, Payload::Empty),
            Step::Page(number) => page(plan, number, &learnt?),
        }
    }

    fn part(&self, pool: &Pool, plan: &RequestPlan, number: u16) -> Option<RequestPlan> {
        let size = plan.parts?.size;
        let whole = plan.workload.content(pool, plan.arrival());
        let content = whole.after(u64::from(number - 1) * size);
        self.upload_step(plan, Step::Part(number), Payload::Object { content, len: size })
    }

    fn upload_step(&self, plan: &RequestPlan, step: Step, payload: Payload) -> Option<RequestPlan> {
        let id = utf8_percent_encode(&self.upload, QUERY);
        let last = plan.parts?.count + 1;
        let (op, offset, query) = match step {
            Step::Part(number) => (Op::UploadPart, number, format!("partNumber={number}&uploadId={id}")),
            Step::Complete => (Op::CompleteMultipartUpload, last, format!("uploadId={id}")),
            _ => (Op::AbortMultipartUpload, last + 1, format!("uploadId={id}")),
        };
        let k = first_id(plan) + u32::from(offset);
        Some(RequestPlan { k, step, op, query, payload, ..plan.clone() })
    }

    /// The body that completes an upload.
    fn document(&self) -> Vec<u8> {
        let mut xml =
            String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for (number, tag) in (1..).zip(&self.tags) {
            let tag = tag.replace('&', "&amp;").replace('<', "&lt;");
            xml.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"));
        }
        xml.push_str("</CompleteMultipartUpload>");
        xml.into_bytes()
    }
}

fn page(plan: &RequestPlan, number: u16, token: &str) -> Option<RequestPlan> {
    let Some(OpPlan::ListObjectsV2 { pages, .. }) = plan.workload.op(plan.arrival()) else { return None };
    let first = plan.query.find("list-type=")?;
    let query = format!("continuation-token={}&{}", utf8_percent_encode(token, QUERY), &plan.query[first..]);
    let next = RequestPlan { k: plan.k + 1, step: Step::Page(number + 1), query, ..plan.clone() };
    (number < *pages).then_some(next)
}

fn first_id(plan: &RequestPlan) -> u32 {
    plan.arrival() * plan.workload.stride()
}

// === impl RequestPlan ===

impl RequestPlan {
    /// What of the response the next request needs.
    pub(crate) fn wants(&self) -> Wants {
        match self.step {
            Step::Create => Wants::Element("UploadId"),
            Step::Part(_) => Wants::Tag,
            Step::Page(_) => Wants::Element("NextContinuationToken"),
            Step::Only | Step::Complete | Step::Abort => Wants::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gatecrash_model::Ending;

    use super::*;
    use crate::workload::{Parts, Workload};

    fn answered(plan: &RequestPlan, status: u16) -> ClientRecord {
        ClientRecord { k: plan.k, op: plan.op, status, ending: Ending::Complete, ..ClientRecord::default() }
    }

    /// The requests of arrival 5, each answered 200 but one; step, operation, id, query.
    fn told(op: OpPlan, learnt: &str, fails: Option<Step>) -> Vec<RequestPlan> {
        let pool = Pool::new(7);
        let workload: Arc<Workload> = Arc::new(crate::testing::workload(op));
        let mut journey = Journey::default();
        let mut plans = vec![workload.plan(&pool, 5)];
        loop {
            let plan = plans.last().unwrap();
            let status = if Some(plan.step) == fails { 503 } else { 200 };
            match journey.next(&pool, plan, &answered(plan, status), Some(learnt.to_owned())) {
                Some(next) if plans.len() < 20 => plans.push(next),
                _ => return plans,
            }
        }
    }

    fn ids(plans: &[RequestPlan]) -> Vec<(Op, u32)> {
        plans.iter().map(|plan| (plan.op, plan.k)).collect()
    }

    const THREE: OpPlan = OpPlan::MultipartUpload(Parts { count: 3, size: 5 << 20 });

    #[test]
    fn an_upload_in_parts_is_one_object() {
        let plans = told(THREE, "\"a&b\"", None);
        let (create, part) = (Op::CreateMultipartUpload, Op::UploadPart);
        let complete = Op::CompleteMultipartUpload;
        assert_eq!(ids(&plans), [(create, 30), (part, 31), (part, 32), (part, 33), (complete, 34)]);
        assert!(plans.iter().all(|p| p.key == "up/main/5" && p.arrival() == 5 && !p.is_on_bucket()));
        assert_eq!(plans[0].query, "uploads=");
        assert_eq!(plans[2].query, "partNumber=2&uploadId=%22a%26b%22");
        let pool = Pool::new(7);
        let whole = pool.content("media", "up/main/5", plans[0].id().pack() + 1);
        let second = Payload::Object { content: whole.after(5 << 20), len: 5 << 20 };
        assert_eq!(plans[2].payload, second);
        let Payload::Document(document) = &plans[4].payload else { panic!("no document") };
        let document = String::from_utf8(document.clone()).unwrap();
        assert!(document.contains("<PartNumber>3</PartNumber><ETag>\"a&amp;b\"</ETag>"), "{document}");
    }

    #[test]
    fn a_failed_part_aborts_the_upload() {
        let plans = told(THREE, "x", Some(Step::Part(2)));
        assert_eq!(ids(&plans)[2..], [(Op::UploadPart, 32), (Op::AbortMultipartUpload, 35)]);
        assert_eq!(plans[3].payload, Payload::Empty);
        assert!(plans[3].is_answered_by(&answered(&plans[3], 404)), "gone is gone");
        let plans = told(THREE, "x", Some(Step::Complete));
        assert_eq!(ids(&plans)[4..], [(Op::CompleteMultipartUpload, 34), (Op::AbortMultipartUpload, 35)]);
        assert_eq!(told(THREE, "x", Some(Step::Create)).len(), 1, "nothing to abort");
    }

    #[test]
    fn pages_follow_the_token() {
        let list = |pages| OpPlan::ListObjectsV2 { prefix: None, max_keys: 2, pages };
        let plans = told(list(3), "t+1=", None);
        let page = Op::ListObjectsV2;
        assert_eq!(ids(&plans), [(page, 15), (page, 16), (page, 17)]);
        let query = "continuation-token=t%2B1%3D&list-type=2&max-keys=2&prefix=img%2F";
        assert!(plans[1..].iter().all(|p| p.query == query), "{}", plans[2].query);
        assert_eq!(ids(&told(list(1), "t", None)), [(page, 5)]);
        assert_eq!(told(list(3), "t", Some(Step::Page(2))).len(), 2);
    }
}
