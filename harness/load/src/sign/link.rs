//! Links: the signature in the query
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>).

use std::sync::atomic::Ordering;

use percent_encoding::utf8_percent_encode;

use super::{Signer, UNSIGNED, canonical};
use crate::encode::QUERY;
use crate::plan::RequestPlan;

/// How long links are valid, and how old they are when they are used; seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    pub(super) expires: u32,
    pub(super) age: i64,
}

impl Signer {
    /// The whole query of a request, signature included; `None` when this signer writes headers. `now` is seconds
    /// since the Unix epoch.
    pub(crate) fn link(&self, plan: &RequestPlan, host: &str, now: i64) -> Option<String> {
        let links = self.links?;
        let path = super::path(&plan.workload.population.bucket, &plan.key, plan.is_on_bucket());
        let more = plan.workload.headers.iter().filter(|(name, _)| name.starts_with("x-amz-"));
        let mut headers: Vec<_> = more.map(|(name, value)| (name.as_str(), value.trim())).collect();
        headers.push(("host", host));
        headers.sort_unstable();
        let at = now + self.skew.load(Ordering::Relaxed) - links.age;
        Some(self.signed_query(plan.op.method(), &path, &plan.query, &headers, (at, links.expires)))
    }

    /// `query` is encoded and in order, with lower-case names, so that what is added comes first.
    fn signed_query(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        (at, expires): (i64, u32),
    ) -> String {
        let credentials = self.source.current();
        let stamp = canonical::stamp(at);
        let day = self.day(&credentials, &stamp[..8]);
        let encoded = |text: &str| utf8_percent_encode(text, QUERY).to_string();
        let mut whole = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={stamp}&X-Amz-Expires={expires}",
            encoded(&day.credential())
        );
        if let Some(token) = &credentials.session_token {
            whole.push_str(&format!("&X-Amz-Security-Token={}", encoded(token)));
        }
        whole.push_str(&format!("&X-Amz-SignedHeaders={}", encoded(&canonical::names(headers))));
        if !query.is_empty() {
            whole.push('&');
            whole.push_str(query);
        }
        let text = canonical::request(method, path, &whole, headers, UNSIGNED);
        let signature = day.signature(&stamp, &text);
        format!("{whole}&X-Amz-Signature={signature}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sign::{CredentialSource, Credentials};

    fn signer() -> Signer {
        let source = CredentialSource::new(Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
        });
        Signer::new(Arc::new(source), "us-east-1")
    }

    /// The example of the AWS page named in the module above.
    #[test]
    fn the_published_example_comes_out() {
        let host = [("host", "examplebucket.s3.amazonaws.com")];
        let query = signer().signed_query("GET", "/test.txt", "", &host, (1_369_353_600, 86_400));
        assert_eq!(
            query,
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2F\
             s3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&\
             X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }

    #[test]
    fn links_share_the_clock_of_their_client_and_have_an_age() {
        let client = signer();
        let links = client.of_links(60, 30);
        client.set_skew(-10);
        let pool = gatecrash_model::Pool::new(7);
        let op = crate::workload::OpPlan::ListObjectsV2 { prefix: None, max_keys: 5, pages: 1 };
        let plan = Arc::new(crate::testing::workload(op)).plan(&pool, 0);
        let query = links.link(&plan, "gw", 1_369_353_640).unwrap();
        assert!(query.contains("&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&"), "{query}");
        assert!(query.contains("=host&list-type=2&max-keys=5&prefix=img%2F&X-Amz-Signature="), "{query}");
        assert_eq!(client.link(&plan, "gw", 0), None);
    }
}
