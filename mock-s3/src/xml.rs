//! The XML documents of S3: written element by element, read as a flat list of events.

use quick_xml::events::Event;
use quick_xml::reader::Reader;

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

/// The texts of the named elements, wherever they stand, in order; `None` for what is no XML document.
pub(crate) fn texts(document: &[u8], names: &[&'static str]) -> Option<Vec<(&'static str, String)>> {
    let document = std::str::from_utf8(document).ok()?;
    let mut reader = Reader::from_str(document);
    let mut found = Vec::new();
    let mut open: Option<(&'static str, String)> = None;
    let mut depth = 0_usize;
    let mut roots = 0;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                roots += usize::from(depth == 0);
                depth += 1;
                let name = start.local_name();
                let wanted = names.iter().copied().find(|wanted| *wanted == name.as_ref());
                open = wanted.map(|name| (name, String::new()));
            }
            Event::Empty(_) => roots += usize::from(depth == 0),
            Event::Text(text) => {
                if let Some((_, gathered)) = &mut open {
                    gathered.push_str(&text.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                if let Some((_, gathered)) = &mut open {
                    gathered.push_str(&resolve(&reference)?);
                }
            }
            Event::CData(data) => {
                if let Some((_, gathered)) = &mut open {
                    gathered.push_str(&data.xml10_content());
                }
            }
            Event::End(_) => {
                depth = depth.checked_sub(1)?;
                found.extend(open.take());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    (depth == 0 && roots == 1).then_some(found)
}

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
    fn texts_are_found_at_any_depth() {
        let document =
            b"<?xml version=\"1.0\"?><Delete xmlns=\"x\"><Object><Key>a&amp;b&#x41;</Key></Object>\
            <Quiet>true</Quiet><Object><Key><![CDATA[<c>]]></Key></Object></Delete>";
        let got = texts(document, &["Key", "Quiet"]).unwrap();
        let expected = [("Key", "a&bA"), ("Quiet", "true"), ("Key", "<c>")];
        assert_eq!(got.iter().map(|(n, t)| (*n, t.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for bad in ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&nope;</a"] {
            assert_eq!(texts(bad.as_bytes(), &["Key"]), None, "{bad}");
        }
    }

    #[test]
    fn text_is_escaped() {
        let mut xml = Xml::root("R");
        xml.text("Key", "<&>");
        xml.text("Key", "a\u{1}\r\n");
        xml.close("R");
        assert!(xml.finish().ends_with("<Key>&lt;&amp;&gt;</Key><Key>a&#x1;&#xd;\n</Key></R>"));
    }
}
