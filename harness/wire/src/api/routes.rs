//! Every route of the API, in one table; the handlers are beside it, one file for each group.

mod connections;
mod events;
mod metrics;
mod populate;
mod proxies;
mod reset;
mod rules;
mod toxics;
mod version;

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use super::Api;
use super::path::matched;
use super::reply::{ApiError, Reply};

/// A request, as a handler sees it.
pub(crate) struct Ask {
    pub(crate) api: Arc<Api>,
    /// What stands for the `{}` of the route.
    pub(crate) names: Vec<String>,
    pub(crate) query: String,
    pub(crate) body: Bytes,
}

pub(crate) type Handler = fn(Ask) -> Pin<Box<dyn Future<Output = Reply> + Send>>;

/// What a method and a path lead to.
pub(crate) enum Found {
    Route(Handler, Vec<String>),
    WrongMethod,
    Nothing,
}

struct Route {
    /// None takes every method.
    methods: &'static [&'static str],
    path: &'static str,
    /// Whether it is there only when metrics were asked for.
    metrics: bool,
    handler: Handler,
}

macro_rules! routes {
    ($($(#[$when:ident])? [$($method:literal),*] $path:literal => $group:ident::$handler:ident,)+) => {
        const ROUTES: &[Route] = &[$(Route {
            methods: &[$($method),*],
            path: $path,
            metrics: routes!(@ $($when)?),
            handler: |ask| Box::pin(async { $group::$handler(ask).await.unwrap_or_else(Reply::from) }),
        },)+];
    };
    (@) => { false };
    (@ metrics) => { true };
}

routes! {
    // Toxiproxy's, version 2.12.0.
    ["POST"] "/reset" => reset::reset,
    ["GET"] "/proxies" => proxies::index,
    ["POST"] "/proxies" => proxies::create,
    ["POST"] "/populate" => populate::populate,
    ["GET"] "/proxies/{}" => proxies::show,
    ["POST", "PATCH"] "/proxies/{}" => proxies::update,
    ["DELETE"] "/proxies/{}" => proxies::delete,
    ["GET"] "/proxies/{}/toxics" => toxics::index,
    ["POST"] "/proxies/{}/toxics" => toxics::create,
    ["GET"] "/proxies/{}/toxics/{}" => toxics::show,
    ["POST", "PATCH"] "/proxies/{}/toxics/{}" => toxics::update,
    ["DELETE"] "/proxies/{}/toxics/{}" => toxics::delete,
    ["GET"] "/version" => version::version,
    #[metrics] [] "/metrics" => metrics::metrics,
    // Beyond it.
    ["GET"] "/connections" => connections::all,
    ["GET"] "/proxies/{}/connections" => connections::of_proxy,
    ["GET"] "/events" => events::since,
    ["GET"] "/proxies/{}/rules" => rules::index,
    ["POST"] "/proxies/{}/rules" => rules::create,
    ["GET"] "/proxies/{}/rules/{}" => rules::show,
    ["POST", "PATCH"] "/proxies/{}/rules/{}" => rules::update,
    ["DELETE"] "/proxies/{}/rules/{}" => rules::delete,
}

/// The route of a request. `metrics` says whether those of the metrics are there.
pub(crate) fn find(metrics: bool, method: &str, path: &str) -> Found {
    let mut wrong_method = false;
    for route in ROUTES.iter().filter(|route| metrics || !route.metrics) {
        if let Some(names) = matched(route.path, path) {
            if route.methods.is_empty() || route.methods.contains(&method) {
                return Found::Route(route.handler, names);
            }
            wrong_method = true;
        }
    }
    if wrong_method { Found::WrongMethod } else { Found::Nothing }
}

type Answer = Result<Reply, ApiError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_is_there_twice() {
        for (at, route) in ROUTES.iter().enumerate() {
            for other in &ROUTES[..at] {
                let same = route.methods.iter().any(|method| other.methods.contains(method));
                assert!(!(same && route.path == other.path), "{} twice", route.path);
            }
        }
    }

    #[test]
    fn a_known_path_with_another_method_is_told_apart() {
        assert!(matches!(find(false, "PUT", "/proxies/x"), Found::WrongMethod));
        assert!(matches!(find(false, "GET", "/metrics"), Found::Nothing));
        assert!(matches!(find(true, "PUT", "/metrics"), Found::Route(..)));
        assert!(matches!(find(false, "PATCH", "/proxies/x/toxics/y"), Found::Route(..)));
    }
}
