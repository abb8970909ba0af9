//! The page of a shipped scenario: the comment at the head of its file.

use gatecrash_core::diagnostics::SourceText;

/// Parts of the page, in their order, as the comment names them.
pub const PARTS: [&str; 3] = ["Incident", "Must hold", "If it fails"];

/// What a scenario guards against, in Markdown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incident {
    /// Path below `scenarios/`, without the extension.
    pub file: String,
    /// The text of each of [`PARTS`]; none is empty.
    pub parts: [String; 3],
}

impl Incident {
    /// Reads the comment at the head of a scenario file; nothing where a part is missing.
    pub fn of(source: &SourceText) -> Option<Self> {
        let comment = source.text.lines().take_while(|line| line.starts_with('#'));
        let text: Vec<_> = comment.map(|line| line.trim_start_matches('#').trim()).collect();
        let text = text.join("\n");
        let starts: Vec<_> =
            PARTS.iter().map(|part| text.find(&format!("\n{part}: "))).collect::<Option<_>>()?;
        let ends = [starts[1], starts[2], text.len()];
        let part = |i: usize| {
            let begin = starts[i] + PARTS[i].len() + "\n: ".len();
            text.get(begin..ends[i]).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
        };
        let file = source.name.trim_start_matches("scenarios/").trim_end_matches(".yaml").to_owned();
        Some(Self { file, parts: [part(0)?, part(1)?, part(2)?] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Incident> {
        Incident::of(&SourceText::new("scenarios/theme/name.yaml".into(), text.into()))
    }

    #[test]
    fn the_head_of_a_file_is_its_page() {
        let page = read(
            "# $schema=x\n#\n# Incident: it broke\n# again.\n#\n# Must hold: all\n#\n# If it fails: mend\ngatecrash: 1\n# x",
        );
        let page = page.expect("a page");
        assert_eq!(page.file, "theme/name");
        assert_eq!(page.parts, ["it broke\nagain.", "all", "mend"]);
    }

    #[test]
    fn a_part_that_is_missing_or_out_of_place_makes_no_page() {
        assert_eq!(read("# Incident: it broke\ngatecrash: 1\n"), None);
        assert_eq!(read("#\n# Must hold: a\n# Incident: b\n# If it fails: c\n"), None);
        assert_eq!(read("#\n# Incident: b\n# Must hold:\n# If it fails: c\n"), None);
    }

    #[test]
    fn every_shipped_scenario_tells_what_it_guards_against() {
        let missing: Vec<_> = super::super::shipped()
            .into_iter()
            .filter(|s| !s.name.starts_with("scenarios/selftest/") && Incident::of(s).is_none())
            .map(|s| s.name)
            .collect();
        assert!(missing.is_empty(), "without `# {}:` and the other parts: {missing:?}", PARTS[0]);
    }
}
