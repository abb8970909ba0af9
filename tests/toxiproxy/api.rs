//! A server of ours with a client that speaks JSON.

use std::path::Path;

use serde_json::Value;

use crate::http::ask;
use crate::servers::Server;

pub(crate) struct Api {
    pub(crate) server: Server,
}

impl Api {
    pub(crate) fn start(options: &[&str]) -> Self {
        Self { server: Server::gatecrash(options) }
    }

    /// Status and JSON; null where there is no body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = (!body.is_null()).then(|| body.to_string());
        let reply = ask(self.server.port, method, path, &[], body.as_deref().map(str::as_bytes));
        let status = reply.status.split(' ').next().and_then(|code| code.parse().ok()).expect("a status");
        let json = if reply.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&reply.body).expect("JSON")
        };
        (status, json)
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, json) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {json}");
        json
    }

    /// Creates something; what came of it.
    pub(crate) fn create(&self, path: &str, body: &Value) -> Value {
        let (status, json) = self.ask("POST", path, body);
        assert!(status == 200 || status == 201, "{path}: {json}");
        json
    }

    pub(crate) fn delete(&self, path: &str) {
        assert_eq!(self.ask("DELETE", path, &Value::Null), (204, Value::Null), "{path}");
    }

    /// Ends it as Ctrl-C does; the exit code.
    pub(crate) fn interrupt(self) -> Option<i32> {
        self.server.interrupt()
    }
}

/// A path as an option's value.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain text")
}
