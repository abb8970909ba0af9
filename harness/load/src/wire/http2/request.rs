//! A request's head for a stream: what HTTP/1.1 would write, in other words.
//!
//! So both versions send the same fields, signature included; Host becomes the authority.

use http::{Method, Request, Uri, Version, header};

use crate::plan::RequestPlan;
use crate::wire::request::{self, Context};

/// More lines than a request of ours ever has.
const MOST_FIELDS: usize = 128;

/// The head, without a body; or why there is none.
pub(super) fn head(plan: &RequestPlan, context: Context<'_>, scheme: &str) -> Result<Request<()>, String> {
    let mut written = Vec::with_capacity(512);
    request::write(&mut written, plan, context);
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    parsed.parse(&written).map_err(|e| e.to_string())?;
    let path = parsed.path.unwrap_or("/");
    let uri = Uri::builder().scheme(scheme).authority(context.host).path_and_query(path).build();
    let method = parsed.method.unwrap_or_default().parse::<Method>().map_err(|e| e.to_string())?;
    let builder =
        Request::builder().version(Version::HTTP_2).method(method).uri(uri.map_err(|e| e.to_string())?);
    let ours = parsed.headers.iter().filter(|field| !is_of_a_connection(field.name));
    let request = ours.fold(builder, |builder, field| builder.header(field.name, field.value));
    request.body(()).map_err(|e| e.to_string())
}

fn is_of_a_connection(name: &str) -> bool {
    [header::HOST, header::CONNECTION].iter().any(|field| name.eq_ignore_ascii_case(field.as_str()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gatecrash_model::{Pool, RunId};

    use super::*;
    use crate::testing;
    use crate::workload::OpPlan;

    #[test]
    fn it_is_the_request_of_http_1() {
        let pool = Pool::new(7);
        let plan = Arc::new(testing::workload(OpPlan::PutObject)).plan(&pool, 4);
        let context =
            Context { run: RunId(0x9f2c), host: "gw:80", pool: &pool, wall: 0, close: true, expects: false };
        let head = head(&plan, context, "https").unwrap();
        assert_eq!(
            (head.method(), head.uri().to_string().as_str()),
            (&Method::PUT, "https://gw:80/media/up/main/4")
        );
        let fields: Vec<_> =
            head.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(fields, [("x-gatecrash-id", "00009f2c-0-4"), ("content-length", "64")]);
    }
}
