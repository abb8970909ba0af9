//! Static website hosting: index and error documents, redirects.

use super::super::{Call, document};
use super::{Change, nothing_else};
use crate::errors::S3Error;
use crate::xml_tree::Node;

/// S3 takes this many routing rules.
const MOST: usize = 50;

/// Either everything is redirected, or there is an index document.
pub(super) fn check(_: &Call<'_>, given: &mut Node) -> Result<Change, S3Error> {
    let invalid = |message: &'static str, name: &str, value: &str| {
        S3Error::of("InvalidArgument")
            .message(message)
            .extra("ArgumentName", name)
            .extra("ArgumentValue", value)
    };
    if let Some(all) = given.child("RedirectAllRequestsTo") {
        let has_host = all.value("HostName").is_some_and(|host| !host.is_empty());
        return match has_host && given.children.len() == 1 {
            true => Ok(nothing_else()),
            false => Err(document::malformed()),
        };
    }
    let Some(index) = given.child("IndexDocument") else {
        let message = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty";
        return Err(invalid(message, "IndexDocument", "null"));
    };
    let suffix = index.value("Suffix").ok_or_else(document::malformed)?;
    if suffix.is_empty() || suffix.contains('/') {
        return Err(invalid("The IndexDocument Suffix is not well formed", "IndexDocument", suffix));
    }
    if let Some(error) = given.child("ErrorDocument")
        && error.value("Key").is_none_or(str::is_empty)
    {
        return Err(document::malformed());
    }
    let rules = given.child("RoutingRules").map_or(0, |rules| rules.all("RoutingRule").count());
    if rules > MOST {
        return Err(S3Error::of("InvalidRequest").message("50 routing rules is the limit for a website"));
    }
    for rule in given.child("RoutingRules").iter().flat_map(|rules| rules.all("RoutingRule")) {
        let redirect = rule.child("Redirect").ok_or_else(document::malformed)?;
        let both =
            redirect.child("ReplaceKeyPrefixWith").is_some() && redirect.child("ReplaceKeyWith").is_some();
        if both || redirect.children.is_empty() {
            return Err(document::malformed());
        }
        if let Some(code) = redirect.value("HttpRedirectCode")
            && !matches!(code.parse::<u16>(), Ok(301..=399))
        {
            return Err(S3Error::of("InvalidRequest").message(format!(
                "The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300."
            )));
        }
    }
    Ok(nothing_else())
}
