//! GET and HEAD of a website endpoint (S3 user guide, "Hosting a static website using Amazon S3").

use http::header::{
    CONTENT_RANGE, HOST, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE,
    LOCATION, RANGE,
};
use http::{HeaderMap, Method, StatusCode};

use super::{Answer, Call, document, get_object};
use crate::access::{Access, Circumstances};
use crate::encoding::encode_path;
use crate::errors::S3Error;
use crate::request::Head;
use crate::store::Document;
use crate::xml_tree::Node;

const REDIRECT: HeaderName = HeaderName::from_static("x-amz-website-redirect-location");
/// Headers that are about the object that is missing, not about the page that says so.
const SELECTING: [HeaderName; 5] = [RANGE, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];

/// The page at a path: redirected, an index document, an object, or an error document.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    if !matches!(call.head.method, Method::GET | Method::HEAD) {
        return Err(S3Error::of("MethodNotAllowed").extra("Method", call.head.method.as_str()));
    }
    let text = call.place()?.state().documents.get(&Document::Website).cloned();
    let text = text.ok_or_else(|| document::absent(call, "NoSuchWebsiteConfiguration"))?;
    let site = Node::parse(text.as_bytes()).ok_or_else(document::malformed)?;
    let key = call.head.key.as_str();
    if let Some(all) = site.child("RedirectAllRequestsTo") {
        return Ok(redirected(call, all, key.to_owned(), StatusCode::MOVED_PERMANENTLY));
    }
    if let Some(answer) = ruled(call, &site, None) {
        return Ok(answer);
    }
    let index = site.child("IndexDocument").and_then(|index| index.value("Suffix")).unwrap_or_default();
    let is_folder = key.is_empty() || key.ends_with('/');
    let wanted = if is_folder { format!("{key}{index}") } else { key.to_owned() };
    let error = match page(call, &wanted, call.head.headers.clone()) {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    if let Some(answer) = ruled(call, &site, Some(error.status)) {
        return Ok(answer);
    }
    if !is_folder && page(call, &format!("{key}/{index}"), HeaderMap::new()).is_ok() {
        return Ok(Answer::new(StatusCode::FOUND)
            .header(LOCATION, &format!("/{}/", encode_path(key)))
            .body_empty());
    }
    let Some(shown) = site.child("ErrorDocument").and_then(|shown| shown.value("Key")) else {
        return Err(error);
    };
    let mut headers = call.head.headers.clone();
    SELECTING.iter().for_each(|name| drop(headers.remove(name)));
    let mut answer = page(call, shown, headers).map_err(|_| error.clone())?;
    answer.status = error.status;
    answer.decision = error.decision;
    Ok(answer)
}

/// An object as everybody may read it.
fn page(call: &Call<'_>, key: &str, headers: HeaderMap) -> Result<Answer, S3Error> {
    let head = Head {
        method: Method::GET,
        uri: "/".parse().expect("a path"),
        headers,
        op: call.head.op,
        bucket: call.head.bucket.clone(),
        key: key.to_owned(),
        legible: true,
        hosted: true,
        website: true,
    };
    let access = Access { request: Circumstances { head: &head, ..call.access.request }, ..call.access };
    let ruling = access.evaluate("s3:GetObject", key);
    if !ruling.is_allowed() {
        return Err(access.denial(&ruling));
    }
    let mut answer = get_object::run(&Call { head: &head, access, ..*call })?;
    if let Some(target) = answer.headers.remove(REDIRECT) {
        answer.headers.remove(CONTENT_RANGE);
        answer.headers.insert(LOCATION, target);
        answer.status = StatusCode::MOVED_PERMANENTLY;
        answer = answer.body_empty();
    }
    answer.decision = Some(gatecrash_model::Decision::Allowed);
    Ok(answer)
}

/// The redirect of the first routing rule that concerns the key, and the error when there is one already.
fn ruled(call: &Call<'_>, site: &Node, error: Option<StatusCode>) -> Option<Answer> {
    let key = call.head.key.as_str();
    let concerned = |rule: &&Node| {
        let condition = rule.child("Condition");
        let value = |name| condition.and_then(|condition| condition.value(name));
        let code = value("HttpErrorCodeReturnedEquals");
        code == error.as_ref().map(StatusCode::as_str)
            && value("KeyPrefixEquals").is_none_or(|prefix| key.starts_with(prefix))
    };
    let rule = site.child("RoutingRules")?.all("RoutingRule").find(concerned)?;
    let redirect = rule.child("Redirect")?;
    let prefix =
        rule.child("Condition").and_then(|condition| condition.value("KeyPrefixEquals")).unwrap_or_default();
    let target = match (redirect.value("ReplaceKeyWith"), redirect.value("ReplaceKeyPrefixWith")) {
        (Some(whole), _) => whole.to_owned(),
        (None, Some(start)) => format!("{start}{}", &key[prefix.len()..]),
        (None, None) => key.to_owned(),
    };
    let code =
        redirect.value("HttpRedirectCode").and_then(|code| StatusCode::from_bytes(code.as_bytes()).ok());
    Some(redirected(call, redirect, target, code.unwrap_or(StatusCode::MOVED_PERMANENTLY)))
}

fn redirected(call: &Call<'_>, to: &Node, key: String, status: StatusCode) -> Answer {
    let host = to.value("HostName").or_else(|| call.head.header(&HOST)).unwrap_or_default();
    let protocol = to.value("Protocol").unwrap_or("http");
    Answer::new(status).header(LOCATION, &format!("{protocol}://{host}/{}", encode_path(&key))).body_empty()
}
