//! The official clients against `gatecrash serve mock`, unchanged: boto3, the AWS CLI, rclone and s3cmd, each by a
//! script of numbered steps in `tests/clients`. (The SDK for Rust is in the mock's own tests.)
//!
//! A client that is not installed is a failure that says how to install it. `GATECRASH_WITHOUT=rclone,s3cmd` leaves
//! clients out on purpose.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// For a whole script, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// From start to ready.
const READY: Duration = Duration::from_secs(60);
/// Each script has at least so many steps.
const STEPS: usize = 15;

#[test]
fn boto3() {
    let python = python();
    client("boto3", "boto3_client.py", &[python.as_path()]);
}

#[test]
fn aws_cli() {
    // Debian's is version 2; an `aws` of version 1 may come first on the PATH.
    let program = Path::new("/usr/bin/aws");
    let program = if program.exists() { program.to_owned() } else { PathBuf::from("aws") };
    client("awscli", "awscli.sh", &[Path::new("bash"), &program, Path::new("curl")]);
}

#[test]
fn rclone() {
    client("rclone", "rclone.sh", &["bash", "rclone", "curl"].map(Path::new));
}

#[test]
fn s3cmd() {
    client("s3cmd", "s3cmd.sh", &["bash", "s3cmd", "curl"].map(Path::new));
}

/// A Python with boto3: the one of `GATECRASH_PYTHON`, or the system's.
fn python() -> PathBuf {
    std::env::var_os("GATECRASH_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from)
}

/// Runs a client's script with the first of the programs against a mock of its own.
fn client(name: &str, script: &str, programs: &[&Path]) {
    let left_out = std::env::var("GATECRASH_WITHOUT").unwrap_or_default();
    if left_out.split(',').any(|left_out| left_out == name) {
        eprintln!("skipped: {name}, by GATECRASH_WITHOUT");
        return;
    }
    for program in programs {
        assert!(
            runs(program, &["--version"]),
            "{} does not run: {}",
            program.display(),
            how_to_install(name)
        );
    }
    if name == "boto3" {
        assert!(runs(programs[0], &["-c", "import boto3"]), "boto3 is missing: {}", how_to_install(name));
    }
    let mock = Mock::start();
    let script = scripts().join(script);
    let mut command = Command::new(programs[0]);
    command.arg(&script).env("ENDPOINT", &mock.endpoint).envs(KEYS.iter().copied());
    if name == "awscli" {
        command.env("AWS_CLI", programs[1]);
    }
    let (status, said) = mock.finish(command);
    let done = said.lines().filter(|line| line.starts_with("step ") && line.contains(" ok: ")).count();
    let failed = said.lines().find(|line| line.contains(" FAILED: "));
    assert!(
        status.success() && failed.is_none(),
        "{name}: {}\n{said}",
        failed.unwrap_or("no step was named")
    );
    assert!(done >= STEPS, "{name}: only {done} steps\n{said}");
}

/// The key pairs of `tests/clients/identities.yaml`.
const KEYS: [(&str, &str); 6] = [
    ("OWNER_ACCESS_KEY", "AKIACLIENTSOWNER0001"),
    ("OWNER_SECRET_KEY", "owner-secret-for-tests-only-012345678901"),
    ("READER_ACCESS_KEY", "AKIACLIENTSREADER001"),
    ("READER_SECRET_KEY", "reader-secret-for-tests-only-01234567890"),
    ("STRANGER_ACCESS_KEY", "AKIACLIENTSSTRANGER1"),
    ("STRANGER_SECRET_KEY", "stranger-secret-for-tests-only-012345678"),
];

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn runs(program: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn how_to_install(name: &str) -> String {
    let how = match name {
        "boto3" => {
            "`export GATECRASH_PYTHON=$(tests/s3tests/run --prepare)` makes a Python that has it".into()
        }
        _ => format!("`apt-get install {name} curl`"),
    };
    format!("{how}; or leave it out with GATECRASH_WITHOUT={name}")
}

/// `gatecrash serve mock` on a free port; killed at the end.
struct Mock {
    folder: TempDir,
    process: Child,
    endpoint: String,
}

impl Mock {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let said = folder.path().join("mock.txt");
        let process = Command::new(env!("CARGO_BIN_EXE_gatecrash"))
            .args(["serve", "mock", "--listen", "127.0.0.1:0", "--identities"])
            .arg(scripts().join("identities.yaml"))
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&said).expect("a file"))
            .spawn()
            .expect("the binary");
        let mut mock = Self { folder, process, endpoint: String::new() };
        let until = Instant::now() + READY;
        loop {
            let said = std::fs::read_to_string(&said).unwrap_or_default();
            if said.lines().any(|line| line == "ready") {
                let endpoint = said.split_whitespace().find(|word| word.starts_with("http://"));
                mock.endpoint = endpoint.expect("an address").to_owned();
                return mock;
            }
            let ended = mock.process.try_wait().expect("a child of ours");
            assert!(ended.is_none(), "the mock ended: {ended:?}\n{said}");
            assert!(Instant::now() < until, "the mock was not ready within {READY:?}\n{said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// How a command ended, and all it said. One that takes too long is killed, and that is said.
    fn finish(&self, mut command: Command) -> (ExitStatus, String) {
        let said = self.folder.path().join("client.txt");
        let out = std::fs::File::create(&said).expect("a file");
        let err = out.try_clone().expect("a file");
        let mut child =
            command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().expect("an installed program");
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                break status;
            }
            if Instant::now() > until {
                let _ = child.kill();
                let said = std::fs::read_to_string(&said).unwrap_or_default();
                panic!("not done within {PATIENCE:?}; so far:\n{said}");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        (status, String::from_utf8_lossy(&std::fs::read(&said).unwrap_or_default()).into_owned())
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
