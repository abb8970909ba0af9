//! Everything that is wrong with a file, said at once and at its place.
//!
//! A [`Diagnostic`] points into a [`SourceText`]; [`Diagnostics`] holds both and renders them like rustc
//! does, as plain text or in colour, or as JSON. Nothing here knows how a scenario looks.

mod nearest;
mod render;

pub use nearest::nearest;
use serde::Serialize;

/// A named piece of text that diagnostics point into: a file, a fragment, or one `--set` option.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SourceText {
    /// How the user named it.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// A range of bytes in one source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// Index of the source.
    pub source: u16,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing runs.
    Error,
    /// Worth a look.
    Warning,
}

/// What has to change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The file.
    #[default]
    File,
    /// The gateway: the file is right, but asks for what this gateway cannot do.
    Gateway,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// What has to change.
    pub subject: Subject,
    /// What is wrong: one lower-case line.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What stands under the caret; usually what was expected.
    pub label: String,
    /// What to do about it.
    pub help: Option<Box<str>>,
    /// Other places that belong to it, such as the first definition of a name.
    pub also: Vec<(Place, String)>,
    /// The name that leads nowhere, where that is what is wrong.
    pub unknown: Option<Box<str>>,
}

/// Diagnostics with the texts they point into.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Diagnostics {
    sources: Vec<SourceText>,
    list: Vec<Diagnostic>,
}

// === impl SourceText ===

impl SourceText {
    /// A named text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub fn position(&self, byte: u32) -> (u32, u32) {
        let byte = self.text.floor_char_boundary(byte as usize);
        let before = &self.text[..byte];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        (line as u32, before[line_start..].chars().count() as u32 + 1)
    }
}

// === impl Place ===

impl Place {
    /// A range of bytes.
    pub fn new(source: u16, start: usize, end: usize) -> Self {
        Self { source, start: start as u32, end: end as u32 }
    }

    /// The empty range at its beginning.
    pub fn head(self) -> Self {
        Self { end: self.start, ..self }
    }
}

// === impl Diagnostic ===

impl Diagnostic {
    /// Something that stops everything.
    pub fn error(message: impl Into<String>, place: Place, label: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            subject: Subject::File,
            message: message.into(),
            place,
            label: label.into(),
            help: None,
            also: Vec::new(),
            unknown: None,
        }
    }

    /// Something worth a look.
    pub fn warning(message: impl Into<String>, place: Place, label: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(message, place, label) }
    }

    /// About the gateway, not the file.
    pub fn of_gateway(self) -> Self {
        Self { subject: Subject::Gateway, ..self }
    }

    /// About a name that leads nowhere.
    pub fn of_unknown(self, name: &str) -> Self {
        Self { unknown: Some(name.into()), ..self }
    }

    /// With advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into().into_boxed_str());
        self
    }

    /// With a second place.
    pub fn also(mut self, place: Place, label: impl Into<String>) -> Self {
        self.also.push((place, label.into()));
        self
    }
}

// === impl Diagnostics ===

impl Diagnostics {
    /// Diagnostics in the order of their places, each once.
    pub fn new(sources: Vec<SourceText>, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|d| (d.place.source, d.place.start, d.level));
        let mut seen = std::collections::HashSet::new();
        list.retain(|d| seen.insert(d.clone()));
        Self { sources, list }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many are errors.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|d| d.level == Level::Error).count()
    }

    /// Whether the file is right and only the chosen gateway cannot do what it asks: another gateway could.
    pub fn is_about_the_gateway(&self) -> bool {
        !self.list.is_empty() && self.list.iter().all(|d| d.subject == Subject::Gateway)
    }

    /// `name:line:column` of a place.
    pub fn locate(&self, place: Place) -> (&str, u32, u32) {
        let source = &self.sources[usize::from(place.source)];
        let (line, column) = source.position(place.start);
        (&source.name, line, column)
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
