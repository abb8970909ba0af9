//! Chromium without a head and without a network, driven over a pair of pipes by the DevTools protocol.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::installed;

/// How long the browser may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it may take to end by itself.
const FAREWELL: Duration = Duration::from_secs(10);

/// No network: names lead nowhere, and whatever is asked for all the same meets a closed port.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--remote-debugging-pipe",
    "--user-data-dir=profile",
];

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    orders: File,
    answers: Receiver<Value>,
    session: String,
    next: u64,
    /// What the page told by itself since it was opened.
    told: Vec<Value>,
    _dir: TempDir,
}

/// How a page is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// Width of the window, in CSS pixels.
    pub(crate) width: u32,
    pub(crate) dark: bool,
}

/// What was seen of a page.
pub(crate) struct Seen {
    /// What an expression measured in it.
    pub(crate) measured: Value,
    /// Errors and warnings of the console.
    pub(crate) complaints: Vec<String>,
    /// Every address that was asked for.
    pub(crate) asked: Vec<String>,
    /// The whole page as PNG, in base64.
    pub(crate) picture: String,
}

impl Browser {
    /// `None`, and says so, where there is no Chromium.
    pub(crate) fn start() -> Option<Self> {
        if !installed("chromium") {
            return None;
        }
        let dir = tempfile::tempdir().expect("a temporary folder");
        let pipes = Command::new("mkfifo").args(["orders", "answers"]).current_dir(dir.path()).status();
        assert!(pipes.expect("mkfifo").success(), "pipes for the browser");
        let log = File::create(dir.path().join("stderr.txt")).expect("a log");
        let child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<orders 4>answers", "chromium"])
            .args(FLAGS)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("a shell");
        // The shell waits for both to be opened, in this order.
        let orders = File::options().write(true).open(dir.path().join("orders")).expect("a pipe");
        let answers = File::open(dir.path().join("answers")).expect("a pipe");
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(answers).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("JSON from the browser");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            orders,
            answers: receiver,
            session: String::new(),
            next: 0,
            told: Vec::new(),
            _dir: dir,
        };
        let page = browser.order("Target.createTarget", json!({ "url": "about:blank" }));
        let attached =
            browser.order("Target.attachToTarget", json!({ "targetId": page["targetId"], "flatten": true }));
        browser.session = attached["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.order(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Opens a file and measures it by an expression.
    pub(crate) fn look(&mut self, page: &Path, shown: Shown, expression: &str) -> Seen {
        let scheme = if shown.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.order("Emulation.setEmulatedMedia", media);
        let window = json!({ "width": shown.width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.order("Emulation.setDeviceMetricsOverride", window);
        self.told.clear();
        let page = page.canonicalize().expect("a page");
        self.order("Page.navigate", json!({ "url": format!("file://{}", page.display()) }));
        self.wait_for("Page.loadEventFired");
        let value =
            self.order("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        assert!(value["exceptionDetails"].is_null(), "the measurement failed: {value:#}");
        let sizes = self.order("Page.getLayoutMetrics", json!({}));
        let height = sizes["cssContentSize"]["height"].as_f64().expect("a height").min(12_000.0);
        let clip = json!({ "x": 0, "y": 0, "width": shown.width, "height": height, "scale": 1 });
        let picture = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.order("Page.captureScreenshot", picture);
        Seen {
            measured: value["result"]["value"].clone(),
            complaints: self.told.iter().filter_map(complaint).collect(),
            asked: self.told.iter().filter_map(address).collect(),
            picture: picture["data"].as_str().expect("a picture").to_owned(),
        }
    }

    /// Gives an order and waits for its answer.
    fn order(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut order = json!({ "id": self.next, "method": method, "params": params });
        if !self.session.is_empty() {
            order["sessionId"] = json!(self.session);
        }
        let mut bytes = serde_json::to_vec(&order).expect("JSON");
        bytes.push(0);
        self.orders.write_all(&bytes).expect("a browser that listens");
        loop {
            let message = self.message(method);
            if message["id"] == self.next {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.told.push(message);
        }
    }

    fn wait_for(&mut self, event: &str) {
        while !self.told.iter().any(|told| told["method"] == event) {
            let message = self.message(event);
            self.told.push(message);
        }
    }

    fn message(&mut self, what: &str) -> Value {
        self.answers.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("no answer to {what}: {e}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let close = json!({ "id": 0, "method": "Browser.close" });
        let _ = self.orders.write_all(format!("{close}\0").as_bytes());
        let begun = Instant::now();
        while begun.elapsed() < FAREWELL {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            // Until it ends: the thread that listens ends with it.
            let _ = self.answers.recv_timeout(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An error or a warning, if a message is one.
fn complaint(message: &Value) -> Option<String> {
    let params = &message["params"];
    match message["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if ["error", "warning"].iter().any(|kind| params["type"] == *kind) => {
            Some(params["args"].to_string())
        }
        "Log.entryAdded" => Some(params["entry"].to_string()),
        _ => None,
    }
}

/// The address that a message says was asked for.
fn address(message: &Value) -> Option<String> {
    (message["method"] == "Network.requestWillBeSent")
        .then(|| message["params"]["request"]["url"].as_str().unwrap_or_default().to_owned())
}
