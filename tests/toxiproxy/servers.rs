//! The two servers as processes, and where the Go programs come from.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// From start to listening, on a busy machine.
const READY: Duration = Duration::from_secs(30);
const MODULE: &str = "github.com/Shopify/toxiproxy/v2";
const VERSION: &str = "v2.12.0";

/// The Go programs.
pub(crate) struct Programs {
    pub(crate) server: PathBuf,
    pub(crate) cli: PathBuf,
}

/// A server on a port of its own; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

/// The Go programs, or a line that says why the test is skipped.
pub(crate) fn programs(test: &str) -> Option<&'static Programs> {
    static PROGRAMS: OnceLock<Result<Programs, String>> = OnceLock::new();
    match PROGRAMS.get_or_init(find) {
        Ok(programs) => Some(programs),
        Err(why) => {
            println!("skipped: {test}: {why}");
            None
        }
    }
}

fn find() -> Result<Programs, String> {
    let named = |variable| std::env::var_os(variable).map(PathBuf::from);
    if let (Some(server), Some(cli)) = (named("GATECRASH_TOXIPROXY"), named("GATECRASH_TOXIPROXY_CLI")) {
        return Ok(Programs { server, cli });
    }
    if let (Some(server), Some(cli)) = (on_path("toxiproxy-server"), on_path("toxiproxy-cli")) {
        return Ok(Programs { server, cli });
    }
    // `server` and `cli` of the module, kept from run to run.
    let bin = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("toxiproxy-{VERSION}"));
    let programs = Programs { server: bin.join("server"), cli: bin.join("cli") };
    if programs.server.is_file() && programs.cli.is_file() {
        return Ok(programs);
    }
    let go = on_path("go").or_else(|| Some(PathBuf::from("/usr/local/go/bin/go")).filter(|go| go.is_file()));
    let Some(go) = go else {
        return Err("neither Toxiproxy nor Go is here (GATECRASH_TOXIPROXY, GATECRASH_TOXIPROXY_CLI)".into());
    };
    let mut install = Command::new(go);
    install.arg("install");
    install.args(["server", "cli"].map(|part| format!("{MODULE}/cmd/{part}@{VERSION}")));
    let built = install.env("GOBIN", &bin).env("CGO_ENABLED", "0").output().map_err(|e| e.to_string())?;
    match built.status.success() {
        true => Ok(programs),
        false => Err(format!("`go install` failed: {}", String::from_utf8_lossy(&built.stderr).trim())),
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

impl Server {
    /// Ours.
    pub(crate) fn gatecrash(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatecrash"));
        command.args(["serve", "proxy"]);
        Self::start(command, options)
    }

    /// Shopify's.
    pub(crate) fn toxiproxy(program: &Path, options: &[&str]) -> Self {
        Self::start(Command::new(program), options)
    }

    /// Both take the same flags, with one dash.
    fn start(mut command: Command, options: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        command.args(["-host", "127.0.0.1", "-port", &port.to_string()]).args(options);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let mut server = Self { child: command.spawn().expect("a server"), port };
        let until = Instant::now() + READY;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Ok(Some(status)) = server.child.try_wait() {
                panic!("the server ended early: {status}");
            }
            assert!(Instant::now() < until, "the server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Ends it as Ctrl-C does; its exit code.
    pub(crate) fn interrupt(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal");
        self.child.wait().expect("its end").code()
    }

    /// Whether it still runs.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_none())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
