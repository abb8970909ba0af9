//! One record of the access log.

use std::borrow::Cow;

use gatecrash_model::Op;
use serde_json::{Value, json};

use super::operation;
use crate::encoding::encode_path;
use crate::observe::Finished;
use crate::policy::Layer;
use crate::time::{document_date, log_date};

/// One record, in the words of the exchange it is of. Fields that are none are `-` in text and null in JSON.
pub(crate) struct Line<'a> {
    exchange: &'a Finished,
    owner: &'a str,
    bucket: &'a str,
    operation: Cow<'static, str>,
    key: Option<&'a str>,
    status: u16,
    code: &'a str,
    object_size: Option<u64>,
    version_id: Option<&'a str>,
    /// The request itself: a key of a batch and the source of a copy have no target, sizes and times of their own.
    whole: bool,
}

impl<'a> Line<'a> {
    /// The records in the log of the request's own bucket: the request, and before it each key of a DeleteObjects.
    pub(crate) fn requests(exchange: &'a Finished) -> impl Iterator<Item = Self> {
        let request = Self {
            exchange,
            owner: exchange.bucket_owner.as_deref().unwrap_or("-"),
            bucket: &exchange.bucket,
            operation: operation::name(exchange.op, exchange.method.as_str(), !exchange.key.is_empty())
                .into(),
            key: Some(exchange.key.as_str()).filter(|key| !key.is_empty()),
            status: exchange.status,
            code: &exchange.code,
            object_size: exchange.object_size,
            version_id: exchange.version_id.as_deref(),
            whole: true,
        };
        let batch = exchange.batch.iter().map(|item| Self {
            operation: "BATCH.DELETE.OBJECT".into(),
            key: Some(&item.key),
            status: item.status,
            code: &item.code,
            object_size: None,
            version_id: item.version_id.as_deref(),
            whole: false,
            ..Self::of(exchange)
        });
        batch.chain([request])
    }

    /// The record in the log of a copy's source.
    pub(crate) fn source(exchange: &'a Finished) -> Option<Self> {
        let source = exchange.source.as_ref()?;
        matches!(exchange.op, Op::CopyObject | Op::UploadPartCopy).then(|| Self {
            owner: &source.bucket_owner,
            bucket: &source.bucket,
            operation: operation::name_of_source(exchange.op).into(),
            key: Some(&source.key),
            version_id: source.version_id.as_deref(),
            ..Self::of(exchange)
        })
    }

    fn of(exchange: &'a Finished) -> Self {
        Self {
            exchange,
            owner: exchange.bucket_owner.as_deref().unwrap_or("-"),
            bucket: &exchange.bucket,
            operation: Cow::Borrowed("-"),
            key: None,
            status: exchange.status,
            code: &exchange.code,
            object_size: None,
            version_id: None,
            whole: false,
        }
    }

    /// The 27 fields, separated by blanks.
    pub(crate) fn text(&self) -> String {
        let Self { exchange, whole, .. } = *self;
        let uri = whole.then(|| self.request_uri());
        let fields = [
            self.owner.into(),
            self.bucket.into(),
            format!("[{}]", log_date(exchange.wall)).into(),
            exchange.remote.to_string().into(),
            absent(self.requester()),
            exchange.request_id.as_str().into(),
            self.operation.clone(),
            // Keys are encoded twice.
            absent(self.key.map(|key| encode_path(&encode_path(key)))),
            absent(uri.map(|uri| format!("\"{}\"", quotable(&uri)))),
            absent((self.status > 0).then(|| self.status.to_string())),
            absent(Some(self.code).filter(|code| !code.is_empty())),
            absent(self.sent().map(|bytes| bytes.to_string())),
            absent(self.object_size.map(|bytes| bytes.to_string())),
            absent(self.total().map(|ms| ms.to_string())),
            absent(self.turn_around().map(|ms| ms.to_string())),
            self.quoted(exchange.referer.as_deref()),
            self.quoted(exchange.user_agent.as_deref()),
            absent(self.version_id.map(|id| quotable(id).replace(' ', "%20"))),
            absent(exchange.host_id.as_deref()),
            absent(exchange.authentication.signature_version()),
            // No TLS, no cipher suite.
            "-".into(),
            absent(exchange.authentication.kind()),
            absent(exchange.host.as_deref()),
            // No TLS version, no access points.
            "-".into(),
            "-".into(),
            absent(self.acl_required()),
            // The region a request came from is not known.
            "-".into(),
        ];
        fields.join(" ")
    }

    /// The record as CloudWatch Logs has it.
    pub(crate) fn json(&self) -> Value {
        let Self { exchange, .. } = *self;
        json!({
            "schema_version_id": "V_1_0",
            "bucket_arn": crate::store::arn(self.bucket, ""),
            "bucket_name": self.bucket,
            "request_time": document_date(exchange.wall),
            "bucket_owner_id": self.owner,
            "remote_ip": exchange.remote.to_string(),
            "requester": self.requester(),
            "request_id": exchange.request_id,
            "operation": self.operation,
            "key": self.key,
            "request_uri": self.whole.then(|| self.request_uri()),
            "http_status": (self.status > 0).then_some(self.status),
            "error_code": Some(self.code).filter(|code| !code.is_empty()),
            "bytes_sent": self.sent(),
            "object_size": self.object_size,
            "total_time": self.total(),
            "turn_around_time": self.turn_around(),
            "referer": exchange.referer.as_deref().filter(|_| self.whole),
            "user_agent": exchange.user_agent.as_deref().filter(|_| self.whole),
            "version_id": self.version_id,
            "host_id": exchange.host_id,
            "signature_version": exchange.authentication.signature_version(),
            "cipher_suite": null,
            "authentication_type": exchange.authentication.kind(),
            "host_header": exchange.host,
            "tls_version": null,
            "access_point_arn": null,
            "acl_required": self.acl_required(),
            "source_region": null,
        })
    }

    /// The ARN of a user, the canonical id of an account's root; none for unsigned requests.
    fn requester(&self) -> Option<&'a str> {
        let principal = self.exchange.principal.as_ref()?;
        Some(if principal.arn.ends_with(":root") { &principal.canonical_id } else { &principal.arn })
    }

    /// An ACL was what allowed it.
    fn acl_required(&self) -> Option<&'static str> {
        let why = self.exchange.explained.as_ref()?;
        (why.layer == Layer::Acl && why.is_allowed()).then_some("Yes")
    }

    fn request_uri(&self) -> String {
        let Finished { method, target, version, .. } = self.exchange;
        format!("{method} {target} {version}")
    }

    /// Bytes, none for zero.
    fn sent(&self) -> Option<u64> {
        Some(self.exchange.sent).filter(|bytes| self.whole && *bytes > 0)
    }

    /// Milliseconds.
    fn total(&self) -> Option<u64> {
        self.whole.then_some(self.exchange.total.as_millis() as u64)
    }

    /// Milliseconds.
    fn turn_around(&self) -> Option<u64> {
        self.exchange.turn_around.filter(|_| self.whole).map(|t| t.as_millis() as u64)
    }

    /// A header: in quotes, also when it is absent, except in records that are no request.
    fn quoted(&self, header: Option<&str>) -> Cow<'static, str> {
        match self.whole {
            true => format!("\"{}\"", quotable(header.unwrap_or("-"))).into(),
            false => "-".into(),
        }
    }
}

fn absent<'t>(field: Option<impl Into<Cow<'t, str>>>) -> Cow<'t, str> {
    field.map_or(Cow::Borrowed("-"), Into::into)
}

/// A quote inside a quoted field would end it: it is written as `%22`.
fn quotable(text: &str) -> String {
    text.replace('"', "%22")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::observe::requests_tests::exchange;
    use crate::observe::{Authentication, BatchItem, Principal};

    fn described() -> Finished {
        Finished {
            key: "a b/é".into(),
            target: "/media/a%20b/%C3%A9?x=1".into(),
            host_id: Some("HOST".into()),
            principal: Some(Principal {
                name: "app".into(),
                arn: "arn:aws:iam::000000000001:user/app".into(),
                account: "000000000001".into(),
                canonical_id: "c0ffee".into(),
                access_key: "AKIA…LE".into(),
            }),
            authentication: Authentication::Header,
            sent: 113,
            object_size: Some(4096),
            total: Duration::from_millis(7),
            turn_around: Some(Duration::from_micros(5_900)),
            user_agent: Some("say \"hi\"".into()),
            host: Some("s3.test".into()),
            ..(*exchange("media", 200)).clone()
        }
    }

    /// Fields as a reader splits them: brackets and quotes hold blanks together.
    pub(crate) fn split(line: &str) -> Vec<String> {
        let (mut fields, mut field, mut inside) = (Vec::new(), String::new(), false);
        for c in line.chars() {
            match c {
                '"' | '[' | ']' => inside = if c == '"' { !inside } else { c == '[' },
                ' ' if !inside => fields.push(std::mem::take(&mut field)),
                c => field.push(c),
            }
        }
        fields.push(field);
        fields
    }

    #[test]
    fn a_request_has_27_fields_in_order() {
        let exchange = described();
        let line = Line::requests(&exchange).next().unwrap().text();
        assert_eq!(
            line,
            "owner media [24/May/2013:00:00:00 +0000] 127.0.0.1 arn:aws:iam::000000000001:user/app REQ \
             REST.GET.OBJECT a%2520b/%25C3%25A9 \"GET /media/a%20b/%C3%A9?x=1 HTTP/1.1\" 200 - 113 4096 7 5 \"-\" \
             \"say %22hi%22\" - HOST SigV4 - AuthHeader s3.test - - - -"
        );
        assert_eq!(split(&line).len(), 27);
    }

    #[test]
    fn each_key_of_a_batch_has_a_record() {
        let item = |key: &str, status, code: &str| BatchItem {
            key: key.into(),
            version_id: None,
            status,
            code: code.into(),
        };
        let batch = vec![item("a", 204, ""), item("b", 403, "AccessDenied")];
        let exchange = Finished { op: Op::DeleteObjects, key: String::new(), batch, ..described() };
        let lines: Vec<Vec<String>> = Line::requests(&exchange).map(|line| split(&line.text())).collect();
        let short: Vec<_> = lines.iter().map(|l| [&l[6], &l[7], &l[8], &l[9], &l[10], &l[15]]).collect();
        assert_eq!(short[0], ["BATCH.DELETE.OBJECT", "a", "-", "204", "-", "-"]);
        assert_eq!(short[1], ["BATCH.DELETE.OBJECT", "b", "-", "403", "AccessDenied", "-"]);
        assert_eq!(short[2][0], "REST.GET.MULTI_OBJECT_DELETE");
        assert!(lines.iter().all(|line| line.len() == 27));
    }

    #[test]
    fn json_says_the_same() {
        let exchange = described();
        let json = Line::requests(&exchange).next().unwrap().json();
        assert_eq!(json["operation"], "REST.GET.OBJECT");
        assert_eq!(json["key"], "a b/é");
        assert_eq!(json["http_status"], 200);
        assert_eq!(json["error_code"], Value::Null);
        // The 27 fields, the version of the form and the bucket's ARN.
        assert_eq!(json.as_object().unwrap().len(), 29);
    }
}
