//! Diagnostics as text (like rustc's) and as JSON.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level as Shown, Renderer, Snippet};
use serde_json::{Value, json};

use super::{Diagnostic, Diagnostics, Level, Place};

impl Diagnostics {
    /// Everything as text with snippets, one empty line between two.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let texts: Vec<_> = self.list.iter().map(|d| self.render_one(&renderer, d)).collect();
        texts.join("\n")
    }

    /// A JSON list: level, subject, message, file, line, column, label, help.
    pub fn to_json(&self) -> Value {
        let place = |place: Place, label: &str| {
            let (file, line, column) = self.locate(place);
            json!({ "file": file, "line": line, "column": column, "label": label })
        };
        let one = |d: &Diagnostic| {
            let mut value = place(d.place, &d.label);
            value["level"] = json!(d.level);
            value["subject"] = json!(d.subject);
            value["message"] = json!(d.message);
            value["help"] = json!(d.help);
            value["also"] = d.also.iter().map(|(p, label)| place(*p, label)).collect();
            value
        };
        self.list.iter().map(one).collect()
    }

    fn render_one(&self, renderer: &Renderer, d: &Diagnostic) -> String {
        let level = match d.level {
            Level::Error => Shown::ERROR,
            Level::Warning => Shown::WARNING,
        };
        let source = &self.sources[usize::from(d.place.source)];
        let (near, far): (Vec<_>, Vec<_>) = d.also.iter().partition(|(p, _)| p.source == d.place.source);
        let mut snippet = Snippet::source(source.text.as_str())
            .path(source.name.as_str())
            .annotation(AnnotationKind::Primary.span(self.visible(d.place)).label(d.label.as_str()));
        for (place, label) in near {
            snippet =
                snippet.annotation(AnnotationKind::Context.span(self.visible(*place)).label(label.as_str()));
        }
        let mut group = level.primary_title(d.message.as_str()).element(snippet);
        for (place, label) in far {
            let other = &self.sources[usize::from(place.source)];
            group = group.element(
                Snippet::source(other.text.as_str())
                    .path(other.name.as_str())
                    .annotation(AnnotationKind::Context.span(self.visible(*place)).label(label.as_str())),
            );
        }
        if let Some(help) = &d.help {
            group = group.element(Shown::HELP.message(&**help));
        }
        format!("{}\n", renderer.render(&[group]))
    }

    /// The part of a place on its first line, so that a long block is not painted whole.
    fn visible(&self, place: Place) -> std::ops::Range<usize> {
        let text = &self.sources[usize::from(place.source)].text;
        let start = text.floor_char_boundary(place.start as usize);
        let end = text.floor_char_boundary((place.end as usize).max(start));
        let line = text[start..].find(['\n', '\r']).map_or(text.len(), |at| start + at);
        start..end.min(line)
    }
}
