//! The metrics, and what each takes from a request.

use gatecrash_model::Op;
use http::Method;

use crate::observe::Finished;

/// What a metric counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    Count,
    Bytes,
    /// Kept in microseconds, told in milliseconds.
    Milliseconds,
}

/// Declares the metrics: name, name in Prometheus, unit, and which requests give what value.
macro_rules! metrics {
    ($($(#[$doc:meta])* $metric:ident = $name:literal, $prometheus:literal, $unit:ident, $help:literal, $value:expr;)+) => {
        /// A request metric of S3, namespace `AWS/S3`.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        pub enum Metric { $(#[doc = $help] $metric,)+ }

        impl Metric {
            /// Every metric.
            pub const ALL: &'static [Self] = &[$(Self::$metric,)+];

            /// `MetricName`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$metric => $name,)+ }
            }

            pub(crate) fn prometheus(self) -> &'static str {
                match self { $(Self::$metric => $prometheus,)+ }
            }

            pub(crate) fn help(self) -> &'static str {
                match self { $(Self::$metric => $help,)+ }
            }

            pub(crate) fn unit(self) -> Unit {
                match self { $(Self::$metric => Unit::$unit,)+ }
            }

            /// What a request adds to it; none when it is not concerned.
            fn value(self, exchange: &Finished) -> Option<u64> {
                match self { $(Self::$metric => { let value: fn(&Finished) -> Option<u64> = $value; value(exchange) })+ }
            }
        }
    };
}

metrics! {
    AllRequests = "AllRequests", "aws_s3_all_requests", Count,
        "HTTP requests of any type", |_| Some(1);
    GetRequests = "GetRequests", "aws_s3_get_requests", Count,
        "GET requests for objects, listings left out",
        |e| one(of_object(e, &Method::GET) && e.op != Op::ListParts);
    PutRequests = "PutRequests", "aws_s3_put_requests", Count,
        "PUT requests for objects", |e| one(of_object(e, &Method::PUT));
    DeleteRequests = "DeleteRequests", "aws_s3_delete_requests", Count,
        "DELETE requests for objects, and DeleteObjects once each",
        |e| one(of_object(e, &Method::DELETE) || e.op == Op::DeleteObjects);
    HeadRequests = "HeadRequests", "aws_s3_head_requests", Count,
        "HEAD requests", |e| one(e.method == Method::HEAD);
    PostRequests = "PostRequests", "aws_s3_post_requests", Count,
        "POST requests, DeleteObjects left out",
        |e| one(e.method == Method::POST && e.op != Op::DeleteObjects);
    SelectRequests = "SelectRequests", "aws_s3_select_requests", Count,
        "SelectObjectContent requests, which the mock does not do", |_| None;
    ListRequests = "ListRequests", "aws_s3_list_requests", Count,
        "requests that list the contents of the bucket",
        |e| one(matches!(e.op, Op::ListObjects | Op::ListObjectsV2 | Op::ListObjectVersions));
    BytesDownloaded = "BytesDownloaded", "aws_s3_downloaded_bytes", Bytes,
        "bytes sent, of requests whose answer has a body", |e| Some(e.sent).filter(|bytes| *bytes > 0);
    BytesUploaded = "BytesUploaded", "aws_s3_uploaded_bytes", Bytes,
        "bytes received, of requests with a body", |e| Some(e.received).filter(|bytes| *bytes > 0);
    Errors4xx = "4xxErrors", "aws_s3_4xx_errors", Count,
        "requests answered with a status from 400 to 499",
        |e| Some(u64::from((400..500).contains(&e.status)));
    Errors5xx = "5xxErrors", "aws_s3_5xx_errors", Count,
        "requests answered with a status from 500 to 599",
        |e| Some(u64::from((500..600).contains(&e.status)));
    FirstByteLatency = "FirstByteLatency", "aws_s3_first_byte_latency_seconds", Milliseconds,
        "time from the complete request to the start of the answer",
        |e| e.turn_around.map(|time| time.as_micros() as u64);
    TotalRequestLatency = "TotalRequestLatency", "aws_s3_total_request_latency_seconds", Milliseconds,
        "time from the head of the request to the last byte of the answer",
        |e| Some(e.total.as_micros() as u64);
}

impl Metric {
    /// The metric of a `MetricName`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }
}

/// What a request adds, metric by metric.
pub(super) fn of(exchange: &Finished) -> impl Iterator<Item = (Metric, u64)> + '_ {
    Metric::ALL.iter().filter_map(|metric| Some((*metric, metric.value(exchange)?)))
}

fn of_object(exchange: &Finished, method: &Method) -> bool {
    exchange.method == *method && !exchange.key.is_empty()
}

fn one(concerned: bool) -> Option<u64> {
    concerned.then_some(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::requests_tests::exchange;

    fn counted(method: Method, op: Op, key: &str) -> Vec<&'static str> {
        let exchange = Finished { method, op, key: key.into(), ..(*exchange("b", 200)).clone() };
        let counts = of(&exchange).filter(|(metric, value)| metric.unit() == Unit::Count && *value == 1);
        counts.map(|(metric, _)| metric.name()).filter(|name| *name != "AllRequests").collect()
    }

    #[test]
    fn requests_are_counted_by_type() {
        let table: [(Method, Op, &str, &[&str]); 12] = [
            (Method::GET, Op::GetObject, "k", &["GetRequests"]),
            (Method::GET, Op::ListParts, "k", &[]),
            (Method::GET, Op::ListObjectsV2, "", &["ListRequests"]),
            (Method::GET, Op::ListMultipartUploads, "", &[]),
            (Method::GET, Op::GetBucketPolicy, "", &[]),
            (Method::HEAD, Op::HeadObject, "k", &["HeadRequests"]),
            (Method::HEAD, Op::HeadBucket, "", &["HeadRequests"]),
            (Method::PUT, Op::UploadPart, "k", &["PutRequests"]),
            (Method::PUT, Op::CreateBucket, "", &[]),
            (Method::DELETE, Op::DeleteObject, "k", &["DeleteRequests"]),
            (Method::POST, Op::DeleteObjects, "", &["DeleteRequests"]),
            (Method::POST, Op::CreateMultipartUpload, "k", &["PostRequests"]),
        ];
        for (method, op, key, expected) in table {
            assert_eq!(counted(method, op, key), expected, "{op}");
        }
    }

    #[test]
    fn errors_are_0_or_1_for_every_request() {
        for (status, expected) in [(200, [0, 0]), (404, [1, 0]), (503, [0, 1]), (0, [0, 0])] {
            let exchange = exchange("b", status);
            let value = |metric: Metric| of(&exchange).find(|(m, _)| *m == metric).map(|(_, value)| value);
            assert_eq!([Metric::Errors4xx, Metric::Errors5xx].map(value), expected.map(Some), "{status}");
        }
    }
}
