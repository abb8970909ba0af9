//! Policy files: read, and every mistake of all of them told at its place.

use std::path::{Path, PathBuf};

use gatecrash_core::diagnostics::{Diagnostic, Diagnostics, Place, SourceText};
use gatecrash_mock_s3::policy::{Kind, Policy, PolicyError, Position};

use crate::exit::Failure;
use crate::output::{Colour, Stream};

/// The files that were read so far, and what is wrong with them.
#[derive(Default)]
pub(super) struct Files {
    sources: Vec<SourceText>,
    mistakes: Vec<Diagnostic>,
}

impl Files {
    /// The policies of files, each under its file's name. A malformed one is noted and left out.
    pub(super) fn read_all(&mut self, paths: &[PathBuf], kind: Kind) -> Result<Vec<Policy>, Failure> {
        let mut policies = Vec::new();
        for path in paths {
            policies.extend(self.read(path, kind)?);
        }
        Ok(policies)
    }

    /// Levels of an organisation: of each the files, separated by commas.
    pub(super) fn read_levels(&mut self, levels: &[String], kind: Kind) -> Result<Vec<Vec<Policy>>, Failure> {
        let paths = |level: &String| level.split(',').map(PathBuf::from).collect::<Vec<_>>();
        levels.iter().map(|level| self.read_all(&paths(level), kind)).collect()
    }

    fn read(&mut self, path: &Path, kind: Kind) -> Result<Option<Policy>, Failure> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
        let source = u16::try_from(self.sources.len())
            .map_err(|_| Failure::usage("more policy files than can be told apart"))?;
        match Policy::read(&text, kind) {
            Ok(policy) => {
                self.sources.push(SourceText::new(name.as_str(), text));
                Ok(Some(policy.named(&name)))
            }
            Err(error) => {
                self.mistakes.push(mistake(&error, &text, source));
                self.sources.push(SourceText::new(name, text));
                Ok(None)
            }
        }
    }

    /// An error when something was malformed.
    pub(super) fn refused(self) -> Result<(), Failure> {
        if self.mistakes.is_empty() {
            return Ok(());
        }
        let all = Diagnostics::new(self.sources, self.mistakes);
        Err(Failure::usage(all.render(Colour::default().on(Stream::Stderr))))
    }
}

fn mistake(error: &PolicyError, text: &str, source: u16) -> Diagnostic {
    let start = byte(text, error.at);
    let rest = &text[start..];
    // To the end of the word or text that begins there.
    let quoted = rest.strip_prefix('"').and_then(|rest| rest.find(['"', '\n'])).map(|at| at + 2);
    let width = quoted.unwrap_or_else(|| rest.chars().next().map_or(0, char::len_utf8));
    let place = Place::new(source, start, (start + width).min(text.len()));
    Diagnostic::error(error.problem.to_string(), place, "here")
}

/// Where in the text a position is.
fn byte(text: &str, at: Position) -> usize {
    let mut start = 0;
    for _ in 1..at.line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return text.len(),
        }
    }
    let column = usize::try_from(at.column).unwrap_or(usize::MAX).saturating_sub(1);
    text[start..].char_indices().nth(column).map_or(text.len(), |(offset, _)| start + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let text = "a\n  é\"x\"\n";
        let at = |line, column| byte(text, Position { line, column });
        assert_eq!((at(1, 1), at(2, 3), at(2, 4), at(3, 1), at(9, 9)), (0, 4, 6, 10, 10));
    }
}
