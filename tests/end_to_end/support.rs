//! A fluent harness around the binary: a private folder for each test, patience instead of sleeps.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(600);

/// One user in one empty folder.
pub(crate) struct Desk {
    dir: TempDir,
}

/// What a command left behind.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command that still runs; killed when the test ends early.
pub(crate) struct Running {
    child: Option<Child>,
}

/// Taken by every test that puts load on the machine.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file and returns its name.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path().join(name), text).expect("a file");
        name.to_owned()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatecrash"));
        command.args(arguments).current_dir(self.path()).env_remove("GITHUB_ACTIONS").stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn gatecrash(&self, arguments: &[&str]) -> Done {
        let running = self.start(arguments);
        self.finish(running)
    }

    /// Starts and comes back.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let out = std::fs::File::create(self.path().join("stdout.txt")).expect("stdout");
        let err = std::fs::File::create(self.path().join("stderr.txt")).expect("stderr");
        let child = self.command(arguments).stdout(out).stderr(err).spawn().expect("the binary");
        Running { child: Some(child) }
    }

    fn done(&self, code: i32) -> Done {
        let read = |name| std::fs::read_to_string(self.path().join(name)).unwrap_or_default();
        Done { code, stdout: read("stdout.txt"), stderr: read("stderr.txt") }
    }

    /// Waits for a started command.
    pub(crate) fn finish(&self, running: Running) -> Done {
        let code = running.code();
        self.done(code)
    }

    /// The only run directory.
    pub(crate) fn run_dir(&self) -> PathBuf {
        let all = self.run_dirs();
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().expect("one run")
    }

    pub(crate) fn run_dirs(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path().join("runs")).into_iter().flatten().flatten();
        let mut all: Vec<_> = entries.map(|e| e.path()).filter(|p| p.join("plan.json").exists()).collect();
        all.sort();
        all
    }

    /// Processes that still have something to do with this folder, other than the given one.
    pub(crate) fn left_behind(&self) -> Vec<(u32, String)> {
        let here = self.path().to_string_lossy().into_owned();
        processes().into_iter().filter(|(_, line)| line.contains(&here)).collect()
    }

    /// Waits until no process of this folder is left.
    pub(crate) fn expect_nothing_left(&self) {
        eventually("no child is left", || self.left_behind().is_empty().then_some(()));
    }
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().expect("running").id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    fn code(mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        let mut child = self.child.take().expect("running");
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                return status.code().unwrap_or_else(|| 1000 + status.signal().unwrap_or(0));
            }
            if Instant::now() > until {
                let _ = child.kill();
                panic!("the command did not end within {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Done {
    /// Asserts the exit code, with everything that was said.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that stdout or stderr says something.
    pub(crate) fn says(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "nothing says `{text}`\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

/// Asks again until there is an answer.
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < until, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// (process id, command line) of every process.
pub(crate) fn processes() -> Vec<(u32, String)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let line = |e: std::fs::DirEntry| {
        let pid = e.file_name().to_str()?.parse().ok()?;
        let bytes = std::fs::read(e.path().join("cmdline")).ok()?;
        Some((pid, String::from_utf8_lossy(&bytes).replace('\0', " ")))
    };
    entries.filter_map(line).filter(|(_, line)| !line.is_empty()).collect()
}

pub(crate) fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// Whether a program is installed; says by name what is skipped when it is not.
pub(crate) fn installed(program: &str) -> bool {
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    let found = places.iter().any(|place| Path::new(place).join(program).exists()) || beside(program);
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}

/// Whether another version of a program is in the folders that are looked through last; says so when not.
pub(crate) fn installed_beside(program: &str) -> bool {
    let found = beside(program);
    if !found {
        eprintln!("skipped: GATECRASH_PROGRAMS has no {program}");
    }
    found
}

fn beside(program: &str) -> bool {
    let further = std::env::var_os("GATECRASH_PROGRAMS").unwrap_or_default();
    std::env::split_paths(&further).any(|place| place.join(program).exists())
}
