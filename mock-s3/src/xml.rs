//! The XML documents of S3, written element by element.

/// Namespace of every result document.
pub(crate) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// How every document begins.
pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A document under construction.
pub(crate) struct Xml(String);

impl Xml {
    pub(crate) fn new() -> Self {
        Self(DECLARATION.to_owned())
    }

    /// Opens the root element of a result.
    pub(crate) fn root(name: &str) -> Self {
        let mut xml = Self::new();
        xml.0.push_str(&format!("<{name} xmlns=\"{NAMESPACE}\">"));
        xml
    }

    pub(crate) fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    pub(crate) fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// An element with text. What XML 1.0 has no place for is written as references all the same, as S3 does:
    /// listings of such keys are read with `encoding-type=url`.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.open(name);
        push_escaped(&mut self.0, text);
        self.close(name);
    }

    /// Text inside the open element.
    pub(crate) fn characters(&mut self, text: &str) {
        push_escaped(&mut self.0, text);
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// Escapes what has a meaning in a document, and control characters.
fn push_escaped(document: &mut String, text: &str) {
    let special = |c: char| match c {
        '<' | '>' | '&' | '"' | '\'' | '\u{FFFE}' | '\u{FFFF}' => true,
        '\t' | '\n' => false,
        other => other < ' ',
    };
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        document.push_str(&rest[..at]);
        let mut behind = rest[at..].chars();
        match behind.next() {
            Some('<') => document.push_str("&lt;"),
            Some('>') => document.push_str("&gt;"),
            Some('&') => document.push_str("&amp;"),
            Some('"') => document.push_str("&quot;"),
            Some('\'') => document.push_str("&apos;"),
            Some(other) => document.push_str(&format!("&#x{:x};", u32::from(other))),
            None => {}
        }
        rest = behind.as_str();
    }
    document.push_str(rest);
}

/// What a reference stands for; none for one that no document of ours may have.
pub(crate) fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character.to_string());
    }
    quick_xml::escape::resolve_predefined_entity(reference).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut xml = Xml::root("R");
        xml.text("Key", "<&>");
        xml.text("Key", "a\u{1}\r\n");
        xml.close("R");
        assert!(xml.finish().ends_with("<Key>&lt;&amp;&gt;</Key><Key>a&#x1;&#xd;\n</Key></R>"));
    }
}
