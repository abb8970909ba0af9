//! Writes request heads into a buffer that is used again.

use std::io::Write as _;

use gatecrash_model::{ID_HEADER, Pool, RunId};
use percent_encoding::percent_encode;

use crate::encode::PATH;
use crate::plan::{Payload, RequestPlan, content_md5};

/// What all requests of a run share.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub run: RunId,
    pub host: &'a str,
    pub pool: &'a Pool,
    /// Seconds since the Unix epoch, for signatures.
    pub wall: i64,
    /// Whether the connection is closed after the response.
    pub close: bool,
    /// Whether 100 Continue is asked for.
    pub expects: bool,
}

/// Replaces the buffer's content by the head of a request (and the whole of a small document).
pub(super) fn write(head: &mut Vec<u8>, plan: &RequestPlan, context: Context<'_>) {
    head.clear();
    let workload = &plan.workload;
    let link = workload.signing.as_ref().and_then(|s| s.link(plan, context.host, context.wall));
    put(head, &[plan.op.method(), " /"]);
    head.extend(percent_encode(workload.population.bucket.as_bytes(), PATH).flat_map(str::as_bytes));
    if !plan.is_on_bucket() {
        head.push(b'/');
        head.extend(percent_encode(plan.key.as_bytes(), PATH).flat_map(str::as_bytes));
    }
    match (&link, plan.query.as_str()) {
        (Some(query), _) => put(head, &["?", query]),
        (None, "") => {}
        (None, query) => put(head, &["?", query]),
    }
    put(head, &[" HTTP/1.1\r\nhost: ", context.host, "\r\n", ID_HEADER, ": "]);
    // Writing to a Vec cannot fail.
    let _ = write!(head, "{}-{}-{}\r\n", context.run, workload.index, plan.k);
    match plan.range {
        Some((first, last)) if plan.from_end => {
            let _ = write!(head, "range: bytes=-{}\r\n", last - first + 1);
        }
        Some((first, last)) => {
            let _ = write!(head, "range: bytes={first}-{last}\r\n");
        }
        None => {}
    }
    if let Some((name, value)) = &plan.condition {
        put(head, &[name, ": ", value, "\r\n"]);
    }
    if context.close {
        put(head, &["connection: close\r\n"]);
    }
    if context.expects {
        put(head, &["expect: 100-continue\r\n"]);
    }
    for (name, value) in &workload.headers {
        put(head, &[name, ": ", value, "\r\n"]);
    }
    if matches!(plan.op.method(), "PUT" | "POST") || !plan.payload.is_empty() {
        let _ = write!(head, "content-length: {}\r\n", plan.payload.len());
    }
    if let Payload::Document(document) = &plan.payload {
        put(head, &["content-type: application/xml\r\ncontent-md5: ", &content_md5(document), "\r\n"]);
    }
    if let (Some(signer), None) = (&workload.signing, &link) {
        signer.sign(plan, context.host, context.pool, context.wall, head);
    }
    head.extend_from_slice(b"\r\n");
    if let Payload::Document(document) = &plan.payload {
        head.extend_from_slice(document);
    }
}

fn put(head: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        head.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sign::{CredentialSource, Credentials, Signer};
    use crate::testing;
    use crate::workload::OpPlan;

    fn text(workload: crate::workload::Workload) -> String {
        let pool = Pool::new(7);
        let plan = Arc::new(workload).plan(&pool, 4);
        let mut head = b"rubbish of the last request".to_vec();
        let (close, expects) = (false, false);
        let context =
            Context { run: RunId(0x9f2c), host: "gw:80", pool: &pool, wall: 1_369_353_600, close, expects };
        write(&mut head, &plan, context);
        String::from_utf8(head).unwrap()
    }

    #[test]
    fn a_plain_get_is_four_lines() {
        let mut workload = testing::workload(OpPlan::GetObject { range: None });
        workload.population.pattern = "a b/ü+{n}".parse().unwrap();
        workload.population.count = 1;
        assert_eq!(
            text(workload),
            "GET /media/a%20b/%C3%BC%2B0 HTTP/1.1\r\nhost: gw:80\r\nx-gatecrash-id: 00009f2c-0-4\r\n\r\n"
        );
    }

    #[test]
    fn uploads_tell_their_length_and_batches_their_digest() {
        let put = text(testing::workload(OpPlan::PutObject));
        assert!(put.starts_with("PUT /media/up/main/4 HTTP/1.1\r\n"), "{put}");
        assert!(put.contains("\r\ncontent-length: 64\r\n"), "{put}");
        let batch = text(testing::workload(OpPlan::DeleteObjects { keys: 3 }));
        assert!(batch.starts_with("POST /media?delete= HTTP/1.1\r\n"), "{batch}");
        let (head, body) = batch.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
        assert!(head.contains(&format!("\r\ncontent-md5: {}", content_md5(body.as_bytes()))), "{head}");
    }

    #[test]
    fn signatures_cover_host_and_amz_headers_only() {
        let source = CredentialSource::new(Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "secret".into(),
            session_token: Some("token".into()),
        });
        let mut workload = testing::workload(OpPlan::GetObject { range: None });
        let signer = Signer::new(Arc::new(source), "us-east-1");
        signer.set_skew(-60);
        workload.signing = Some(Arc::new(signer));
        workload.headers = vec![("x-amz-acl".into(), "private".into()), ("accept".into(), "*/*".into())];
        let text = text(workload);
        let names = "SignedHeaders=host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-security-token, ";
        assert!(text.contains(names), "{text}");
        assert!(text.contains("\r\nx-amz-date: 20130523T235900Z\r\n"), "{text}");
    }
}
