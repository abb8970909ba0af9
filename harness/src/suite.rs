//! Shipped scenarios, embedded in the binary, and the selection of what to run.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use gatecrash_core::diagnostics::{Diagnostics, SourceText};
use gatecrash_core::plan::Plan;
use gatecrash_core::replay::Log;
use gatecrash_core::scenario::{self, Case, Fragments, Loaded, Options};
use include_dir::{Dir, include_dir};

use crate::exit::Failure;
use crate::run_dir::RunDir;
use crate::{gateway, output};

mod incident;

pub use incident::{Incident, PARTS};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// The tag of the suite that runs when no path is given.
pub const BUILT_IN: &str = "smoke";

/// All shipped scenario files, by path (`smoke/control.yaml`), in order of name.
pub fn shipped() -> Vec<SourceText> {
    let mut files: Vec<_> =
        SHIPPED.find("**/*.yaml").into_iter().flatten().filter_map(|e| e.as_file()).collect();
    files.sort_by_key(|f| f.path().to_owned());
    files
        .into_iter()
        .filter(|f| !is_fragment(f.path()))
        .filter_map(|f| {
            Some(SourceText::new(format!("scenarios/{}", f.path().display()), f.contents_utf8()?))
        })
        .collect()
}

/// What a list shows of a shipped scenario.
#[derive(Clone, Debug)]
pub struct Header {
    /// Path below `scenarios/`, without the extension: what `run` accepts.
    pub file: String,
    /// What it is about.
    pub about: String,
    /// Tags.
    pub tags: Vec<String>,
}

/// The headers of all shipped scenarios.
pub fn headers(options: &Options) -> Result<Vec<Header>, Failure> {
    let header = |source: SourceText| {
        let case = plan_all(std::slice::from_ref(&source), options)?.into_iter().next();
        let file = short_name(&source.name);
        Ok(case.map(|c| Header { file, about: c.plan.about, tags: c.plan.tags }))
    };
    shipped().into_iter().map(header).filter_map(Result::transpose).collect()
}

/// The name of a shipped scenario by its path: `smoke/control`.
pub fn short_name(path: &str) -> String {
    path.trim_start_matches("scenarios/").trim_end_matches(".yaml").to_owned()
}

/// Reads the files and directories a user named; shipped ones by their name where there is no such file.
pub fn read(paths: &[PathBuf]) -> Result<Vec<SourceText>, Failure> {
    let mut sources = Vec::new();
    for path in paths {
        let found = find(path)?;
        if found.is_empty() {
            return Err(Failure::usage(format!("{} holds no scenario (*.yaml)", path.display())));
        }
        sources.extend(found);
    }
    Ok(sources)
}

fn find(path: &Path) -> Result<Vec<SourceText>, Failure> {
    if path.is_dir() {
        let mut files = Vec::new();
        walk(path, &mut files).map_err(|e| Failure::usage(format!("cannot read {}: {e}", path.display())))?;
        files.sort();
        return files.iter().map(|p| read_file(p)).collect();
    }
    if path.is_file() {
        return Ok(vec![read_file(path)?]);
    }
    let known = named(&path.to_string_lossy());
    if known.is_empty() {
        return Err(Failure::usage(format!(
            "there is no file, folder or shipped scenario `{}`",
            path.display()
        ))
        .hint("`gatecrash list scenarios` shows the shipped ones"));
    }
    Ok(known)
}

/// The shipped scenarios a name stands for: a path with or without folder and extension, or a folder.
pub fn named(wanted: &str) -> Vec<SourceText> {
    let wanted = wanted
        .trim_start_matches("./")
        .trim_start_matches("scenarios/")
        .trim_end_matches(".yaml")
        .trim_end_matches('/');
    let matches = |name: &str| {
        let name = name.trim_start_matches("scenarios/").trim_end_matches(".yaml");
        name == wanted || name.starts_with(&format!("{wanted}/")) || name.ends_with(&format!("/{wanted}"))
    };
    shipped().into_iter().filter(|s| matches(&s.name)).collect()
}

fn walk(dir: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, into)?;
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") && !is_fragment(&path) {
            into.push(path);
        }
    }
    Ok(())
}

/// Fragments live in folders named `lib` and are no scenarios of their own.
fn is_fragment(path: &Path) -> bool {
    path.components().any(|c| c.as_os_str() == "lib")
}

fn read_file(path: &Path) -> Result<SourceText, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|e| Failure::usage(format!("cannot read {}: {e}", path.display())))?;
    Ok(SourceText::new(path.display().to_string(), text))
}

/// The cases of all sources; every file's mistakes are reported together, warnings go to stderr. A scenario that asks
/// what a gateway put in its place cannot do is skipped by name.
pub fn plan_all(sources: &[SourceText], options: &Options) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    let mut mistakes = String::new();
    for source in sources {
        match load(source, options) {
            Ok(loaded) => {
                if !loaded.warnings.is_empty() {
                    output::note(loaded.warnings.to_string().trim_end());
                }
                let served = loaded.cases.into_iter().filter(|case| is_served(&case.plan, options));
                let served: Vec<_> = served.collect();
                served.iter().for_each(|case| refuse_parameters(case, &mut mistakes));
                cases.extend(served);
            }
            Err(why) if options.gateway.is_some() && why.is_about_the_gateway() => {
                let what = why.iter().map(|d| d.message.as_str()).collect::<Vec<_>>().join(", ");
                output::note(&format!("skipped: {}: {what}", source.name));
            }
            Err(diagnostics) => mistakes.push_str(&diagnostics.to_string()),
        }
    }
    if mistakes.is_empty() { Ok(cases) } else { Err(Failure::usage(mistakes)) }
}

/// Whether a gateway put in the place of the scenario's own is for this load; where it is not, it is skipped by name.
fn is_served(plan: &Plan, options: &Options) -> bool {
    let lacking = options.gateway.as_ref().and_then(|_| gateway::not_served(plan));
    if let Some(why) = &lacking {
        output::note(&format!("skipped: {}: {why}", plan.title()));
    }
    lacking.is_none()
}

/// Values of the gateway's parameters are known to its recipe alone.
fn refuse_parameters(case: &Case, mistakes: &mut String) {
    for (name, problem) in gateway::parameter_problems(&case.plan.gateway) {
        let path = format!("gateway.params.{name}");
        let origin = case.origins.iter().find(|(of, _)| *of == path);
        let origin = origin.map_or_else(|| case.plan.source.clone(), |(_, origin)| origin.to_string());
        let mistake = format!("error: parameter `{name}`: {problem}\n  --> {origin}\n");
        if !mistakes.contains(&mistake) {
            mistakes.push_str(&mistake);
        }
    }
}

/// One source, with the fragments it names.
pub fn load(source: &SourceText, options: &Options) -> Result<Loaded, Diagnostics> {
    scenario::load(source, &Files, options)
}

/// Whether a scenario has one of these tags; one with mistakes has every tag, so that they are reported.
pub fn has_tag(source: &SourceText, tags: &[String], options: &Options) -> bool {
    load(source, options)
        .map_or(true, |loaded| loaded.cases.iter().any(|c| c.plan.tags.iter().any(|t| tags.contains(t))))
}

/// Fragments beside the file that names them: from the file system, or from the shipped ones.
struct Files;

impl Fragments for Files {
    fn read(&self, from: &str, path: &str) -> Result<SourceText, String> {
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let name = normal(&folder.join(path));
        match (fs::read_to_string(&name), shipped_text(&name)) {
            (Ok(text), _) => Ok(SourceText::new(name.display().to_string(), text)),
            (Err(_), Some(text)) => Ok(SourceText::new(name.display().to_string(), text)),
            (Err(error), None) => Err(error.to_string()),
        }
    }

    fn log(&self, from: &str, path: &str) -> Result<Log, String> {
        let name = normal(&Path::new(from).parent().unwrap_or(Path::new("")).join(path));
        if name.is_dir() {
            return log_of_folder(&name);
        }
        let text = match (open(&name), shipped_text(&name)) {
            (Ok(text), _) => text,
            (Err(_), Some(text)) => Box::new(std::io::Cursor::new(text)),
            (Err(error), None) => return Err(error.to_string()),
        };
        Ok(Log::Texts(Box::new(std::iter::once((name.display().to_string(), Ok(text))))))
    }
}

/// A run by its directory; or all files of a folder, as S3 delivers its logs.
fn log_of_folder(folder: &Path) -> Result<Log, String> {
    if folder.join("plan.json").is_file() {
        let run = RunDir::open(folder).and_then(|run| Ok((run.plan()?, run.sent()?)));
        return run.map(|run| Log::Run(Box::new(run))).map_err(|why| why.to_string());
    }
    let entries = fs::read_dir(folder).map_err(|why| why.to_string())?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    let texts = files.into_iter().map(|path| (path.display().to_string(), open(&path)));
    Ok(Log::Texts(Box::new(texts)))
}

fn open(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    Ok(Box::new(BufReader::new(fs::File::open(path)?)))
}

fn shipped_text(name: &Path) -> Option<&'static str> {
    SHIPPED.get_file(name.strip_prefix("scenarios").ok()?)?.contents_utf8()
}

/// A path without `.` and `..`, as far as they can be resolved by name.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            std::path::Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}
