//! A page under construction: headings, wrapped paragraphs, code, tables.

/// Columns of wrapped text.
const WIDTH: usize = 110;

/// A Markdown document.
pub(crate) struct Page(String);

impl Page {
    /// A page with its title and an introduction.
    pub(crate) fn new(title: &str, introduction: &str) -> Self {
        let mut page = Self(format!(
            "<!-- Generated from the code by tests/generated. To change it, change the code and run\n     \
             GATECRASH_REWRITE=1 cargo test --test generated -->\n\n# {title}\n"
        ));
        page.text(introduction);
        page
    }

    /// A heading of level 2 or below.
    pub(crate) fn heading(&mut self, level: usize, text: &str) {
        self.0.push_str(&format!("\n{} {text}\n", "#".repeat(level)));
    }

    /// Paragraphs, separated by empty lines, wrapped.
    pub(crate) fn text(&mut self, text: &str) {
        for paragraph in text.split("\n\n") {
            self.0.push_str(&format!("\n{}\n", wrapped(paragraph)));
        }
    }

    /// A block of code.
    pub(crate) fn code(&mut self, language: &str, code: &str) {
        self.0.push_str(&format!("\n```{language}\n{}\n```\n", code.trim_end()));
    }

    /// A table; nothing without rows.
    pub(crate) fn table<const N: usize>(&mut self, head: [&str; N], rows: &[[String; N]]) {
        if rows.is_empty() {
            return;
        }
        self.0.push_str(&format!("\n| {} |\n|{}\n", head.join(" | "), "---|".repeat(N)));
        for row in rows {
            let cells: Vec<_> = row.iter().map(|cell| cell_text(cell)).collect();
            self.0.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

fn cell_text(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// `code`.
pub(crate) fn code(text: impl std::fmt::Display) -> String {
    format!("`{text}`")
}

/// `a`, `b`; or a dash for nothing.
pub(crate) fn codes<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<_> = items.into_iter().map(code).collect();
    if items.is_empty() { "–".into() } else { items.join(", ") }
}

/// A sentence: first letter large, full stop at the end.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// Where a heading of this text is linked to, as GitHub does it.
pub(crate) fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}
