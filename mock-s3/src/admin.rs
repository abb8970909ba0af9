//! The admin port: one HTTP API to reset, break and watch a running mock. Documented in `docs/openapi.json`.
//!
//! It answers whoever can reach it, so it listens on loopback unless it is told otherwise. It is not S3: nothing it
//! answers is in the journal.

mod answer;
mod ask;
mod deliver;
mod faults;
mod health;
mod journal;
mod metric_data;
mod metrics;
mod openapi;
mod reset;
mod server;
mod settings;

use http::Method;

pub use server::AdminError;
pub(crate) use settings::Applied;

use answer::{Answer, Refused};
use ask::Ask;

/// What the API can do: method, path (a last part `{id}` stands for any), and what does it.
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::new(Method::GET,    "/health",                   health::run),
    Route::new(Method::POST,   "/reset",                    reset::run),
    Route::new(Method::GET,    "/faults",                   faults::list),
    Route::new(Method::POST,   "/faults",                   faults::add),
    Route::new(Method::DELETE, "/faults",                   faults::clear),
    Route::new(Method::DELETE, "/faults/{id}",              faults::remove),
    Route::new(Method::GET,    "/settings",                 settings::show),
    Route::new(Method::PUT,    "/settings",                 settings::set),
    Route::new(Method::GET,    "/journal",                  journal::run),
    Route::new(Method::GET,    "/metrics",                  metrics::run),
    Route::new(Method::POST,   "/cloudwatch/GetMetricData", metric_data::run),
    Route::new(Method::POST,   "/cloudwatch",               metric_data::by_target),
    Route::new(Method::POST,   "/access-log/deliver",       deliver::run),
    Route::new(Method::GET,    "/openapi.json",             openapi::run),
];

struct Route {
    method: Method,
    path: &'static str,
    run: fn(&Ask) -> Result<Answer, Refused>,
}

impl Route {
    const fn new(method: Method, path: &'static str, run: fn(&Ask) -> Result<Answer, Refused>) -> Self {
        Self { method, path, run }
    }

    /// What stands for `{id}` in a path of this route; empty for routes without one.
    fn matches<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self.path.strip_suffix("{id}") {
            Some(front) => path.strip_prefix(front).filter(|id| !id.is_empty() && !id.contains('/')),
            None => (path == self.path).then_some(""),
        }
    }
}

/// Finds the route and runs it.
fn answer(method: &Method, path: &str, mut ask: Ask) -> Result<Answer, Refused> {
    // Clients of AWS add one to their endpoint URL.
    let path = path.strip_suffix('/').unwrap_or(path);
    let here = || ROUTES.iter().filter_map(|route| Some((route, route.matches(path)?)));
    let Some((route, id)) = here().find(|(route, _)| route.method == *method) else {
        return Err(match here().next() {
            Some(_) => {
                let allowed: Vec<&str> = here().map(|(route, _)| route.method.as_str()).collect();
                Refused::new(405, format!("{path} takes {}", allowed.join(", ")))
            }
            None => Refused::new(404, format!("there is no {path}; GET /openapi.json tells what there is")),
        });
    };
    id.clone_into(&mut ask.id);
    (route.run)(&ask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_hides_another() {
        for (at, route) in ROUTES.iter().enumerate() {
            let path = route.path.replace("{id}", "x");
            let first = ROUTES.iter().position(|r| r.method == route.method && r.matches(&path).is_some());
            assert_eq!(first, Some(at), "{}", route.path);
        }
    }

    #[test]
    fn the_document_lists_exactly_the_routes() {
        let document: serde_json::Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
        let mut documented = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let methods = item.as_object().unwrap().keys().filter(|name| *name != "parameters");
            documented.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
        }
        let mut routes: Vec<String> = ROUTES.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
        documented.sort();
        routes.sort();
        assert_eq!(documented, routes);
    }
}
