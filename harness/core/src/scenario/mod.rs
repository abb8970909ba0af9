//! Scenario files: text in, one [`Plan`] for each case out, or everything that is wrong with it.
//!
//! Text becomes a tree with places (`yaml`, `node`), fragments are added (`fragments`), variables are put
//! in and `--set` applied (`header`), the tree becomes types (`file`, `decode`, `mistakes`, `not_yet`), and
//! types become a plan with every reference checked (`resolve`). Precedence: built-in < fragment < file <
//! matrix < `--set`.

pub(crate) mod decode;
mod file;
mod fragments;
mod header;
mod inject;
mod lost;
mod mistakes;
mod node;
mod not_yet;
mod resolve;
mod resolved;
mod schema;
mod yaml;

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

pub use self::inject::{FOREVER, inject_entry, inject_json};
pub use self::resolved::{Origin, resolved_yaml};
pub use self::schema::schema;
use crate::diagnostics::{Diagnostic, Diagnostics, Level, Place, SourceText};
use crate::plan::Plan;
use crate::replay::Log;

/// Reads the files that a scenario names, fragments for `use`, traces and logs; the core itself opens none.
pub trait Fragments {
    /// The file `path` as named in the file `from`, with the name to show for it; or why it cannot be
    /// read.
    fn read(&self, from: &str, path: &str) -> Result<SourceText, String>;

    /// The log `path` as named in the file `from`: by itself a text.
    fn log(&self, from: &str, path: &str) -> Result<Log, String> {
        let SourceText { name, text } = self.read(from, path)?;
        let text: Box<dyn std::io::BufRead> = Box::new(std::io::Cursor::new(text));
        Ok(Log::Texts(Box::new(std::iter::once((name, Ok(text))))))
    }
}

/// What the command line adds to a file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--set`: (path, value), applied in order.
    pub set: Vec<(String, String)>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--gateway`: `embedded` or a recipe, in place of what the file says.
    pub gateway: Option<String>,
    /// `--defect`: switched on in the embedded gateway besides those of the file.
    pub defects: Vec<String>,
    /// What this build of gatecrash knows.
    pub known: Known,
}

/// Gateways and defects that a scenario may name.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The embedded gateway.
    pub embedded: KnownGateway,
    /// Recipes.
    pub recipes: Vec<KnownGateway>,
    /// Presets of the embedded gateway.
    pub presets: Vec<String>,
    /// Defects of the embedded gateway.
    pub defects: Vec<String>,
}

/// What a scenario may ask of one gateway.
#[derive(Clone, Debug, Default)]
pub struct KnownGateway {
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub params: Vec<String>,
    /// What it can do beyond proxying: `sign`, `http2` (to upstreams), `http2-from-clients` or
    /// `http2-from-clients-over-tls`, and the keys of `misconfigure`: `bucket`, `region`, `host`, `endpoint`,
    /// `mapping`.
    pub can: Vec<String>,
}

/// A file that can run.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// One for each case of the matrix.
    pub cases: Vec<Case>,
    /// Warnings; never errors.
    pub warnings: Diagnostics,
}

/// One case with the origin of its values.
#[derive(Clone, Debug)]
pub struct Case {
    /// What will run.
    pub plan: Plan,
    /// (path in the plan, where its value comes from).
    pub origins: Vec<(String, Origin)>,
}

impl Loaded {
    /// The plans alone.
    pub fn plans(self) -> Vec<Plan> {
        self.cases.into_iter().map(|case| case.plan).collect()
    }
}

/// Reads a scenario into its cases, or says everything that is wrong with it.
pub fn load(source: &SourceText, loader: &dyn Fragments, options: &Options) -> Result<Loaded, Diagnostics> {
    let mut sources = vec![source.clone()];
    let mut problems = Vec::new();
    let cases = load_cases(&mut sources, loader, options, &mut problems);
    let failed = problems.iter().any(|d| d.level == Level::Error);
    problems.retain(|d| !failed || d.level == Level::Error); // beside errors, warnings are mostly their echo
    let found = Diagnostics::new(sources, problems);
    match cases {
        Some(cases) if !failed => Ok(Loaded { cases, warnings: found }),
        _ => Err(found),
    }
}

fn load_cases(
    sources: &mut Vec<SourceText>,
    loader: &dyn Fragments,
    options: &Options,
    problems: &mut Vec<Diagnostic>,
) -> Option<Vec<Case>> {
    let main = sources[0].clone();
    let sets: Vec<_> =
        options.set.iter().map(|(p, v)| SourceText::new("--set", format!("{p}={v}"))).collect();
    sources.extend(sets.iter().cloned());
    let mut tree = yaml::parse(&main.text, 0).map_err(|diagnostic| problems.push(diagnostic)).ok()?;
    let header = header::read(&tree, &sets, 1, problems)?;
    fragments::merge(&mut tree, &main.name, loader, sources, problems);
    let asked = options.gateway.as_deref().map(|asked| {
        sources.push(SourceText::new("--gateway", asked));
        (asked, Place::new(sources.len() as u16 - 1, 0, asked.len()))
    });
    let matrix = tree.entry("matrix").map_or(tree.place, |(key, _)| key.place);
    let cases = header.cases(matrix).map_err(|diagnostic| problems.push(diagnostic)).ok()?;
    let mut used = BTreeSet::new();
    let mut resolved = Vec::new();
    for case in &cases {
        let before = problems.len();
        let tree = header.apply(case, &tree, asked, &mut used, problems);
        if problems.len() > before {
            continue; // a variable without a value would only look like another mistake
        }
        let mut resolve = |mut file: file::File, tree: &node::Node, problems: &mut Vec<Diagnostic>| {
            problems.extend(resolve::either_timeline_or_capacity(&file, tree));
            file.cases_become_phases();
            resolve::resolve(&file, tree, &case.id, sources, loader, options, problems)
        };
        match mistakes::read_in_part(&tree) {
            Ok(file) => resolved.extend(resolve(file, &tree, problems)),
            Err(part) => {
                problems.extend(part.mistakes);
                if let Some((file, rest, lost)) = part.rest {
                    let mut of_rest = Vec::new();
                    resolve(file, &rest, &mut of_rest);
                    problems.extend(of_rest.into_iter().filter(|problem| lost.leaves(problem, &rest)));
                }
            }
        }
    }
    header.unused(&used, problems);
    Some(resolved)
}

/// Reads any other YAML of the project (recipes, profiles) with the same care; the first mistakes as
/// diagnostics.
pub fn from_yaml<T: DeserializeOwned>(source: &SourceText) -> Result<T, Diagnostics> {
    let tree = yaml::parse(&source.text, 0).map_err(|d| Diagnostics::new(vec![source.clone()], vec![d]))?;
    mistakes::read(&tree).map_err(|list| Diagnostics::new(vec![source.clone()], list))
}
