//! Documents that clients send, as a tree; bounded in depth.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::xml::{Xml, resolve};

/// No document of S3 is deeper.
const DEPTH: usize = 16;

/// An element, without its namespace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Text of the element itself.
    pub(crate) text: String,
    /// Local names and values.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Node>,
}

impl Node {
    /// The root element of a document; none for what is no well-formed document.
    pub(crate) fn parse(document: &[u8]) -> Option<Self> {
        let document = std::str::from_utf8(document).ok().filter(|text| text.chars().all(may_stand))?;
        let mut reader = Reader::from_str(document);
        // The innermost open element is last; the first one stands for the document.
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) if open.len() <= DEPTH => open.push(Self::of(&start)?),
                Event::Start(_) => return None,
                Event::Empty(start) => {
                    let node = Self::of(&start)?;
                    open.last_mut()?.children.push(node);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
                Event::CData(data) => open.last_mut()?.text.push_str(&data.xml10_content()),
                Event::GeneralRef(reference) => open.last_mut()?.text.push_str(&resolve(&reference)?),
                Event::End(_) => {
                    let node = open.pop()?;
                    open.last_mut()?.children.push(node);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let mut outside = open.pop().filter(|_| open.is_empty())?;
        let root = outside.children.pop()?;
        (outside.children.is_empty() && outside.text.trim().is_empty()).then_some(root)
    }

    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of a name.
    pub(crate) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of a name, without blanks around it.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The document again, as S3 sends it: in its namespace, without blanks between elements.
    pub(crate) fn document(&self) -> String {
        let mut xml = Xml::root(&self.name);
        self.write_children(&mut xml);
        xml.close(&self.name);
        xml.finish()
    }

    fn write_children(&self, xml: &mut Xml) {
        for child in &self.children {
            if child.children.is_empty() {
                xml.text(&child.name, child.text.trim());
            } else {
                xml.open(&child.name);
                child.write_children(xml);
                xml.close(&child.name);
            }
        }
    }

    /// An element with text, to be added to a document.
    pub(crate) fn leaf(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), text: text.into(), ..Self::default() }
    }

    fn of(start: &BytesStart<'_>) -> Option<Self> {
        if !start.name().as_ref().split(':').all(is_name) {
            return None;
        }
        let mut node = Self { name: start.local_name().as_ref().to_owned(), ..Self::default() };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let name = attribute.key.local_name().as_ref().to_owned();
            let value = quick_xml::escape::unescape(&attribute.value).ok()?.into_owned();
            node.attributes.push((name, value));
        }
        Some(node)
    }
}

/// Whether a character may stand in a document as it is (XML 1.0, production 2).
fn may_stand(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether an element may be called so (XML 1.0, production 5, of ASCII: S3 has no other names).
fn is_name(name: &str) -> bool {
    let begins = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    name.bytes().next().is_some_and(begins)
        && name.bytes().all(|b| begins(b) || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_texts_and_attributes() {
        let document = br#"<?xml version="1.0"?>
            <Acl xmlns="x"><Grant><Grantee xmlns:xsi="y" xsi:type="Group"><URI> a&amp;b&#x41; </URI></Grantee></Grant>
            <Grant/><Key><![CDATA[<c>]]></Key></Acl>"#;
        let root = Node::parse(document).unwrap();
        assert_eq!((root.name.as_str(), root.all("Grant").count()), ("Acl", 2));
        let grantee = root.child("Grant").unwrap().child("Grantee").unwrap();
        assert_eq!((grantee.attribute("type"), grantee.value("URI")), (Some("Group"), Some("a&bA")));
        assert_eq!(root.value("Key"), Some("<c>"));
        assert_eq!(root.value("None"), None);
    }

    #[test]
    fn a_document_is_written_without_blanks_and_in_its_namespace() {
        let root = Node::parse(b"<Website>\n <Index>\n<Suffix> a&amp;b </Suffix></Index><Empty/></Website>")
            .unwrap();
        let expected = "<Website xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Index>\
            <Suffix>a&amp;b</Suffix></Index><Empty></Empty></Website>";
        assert_eq!(root.document().split_once('\n').unwrap().1, expected);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        for bad in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&nope;</a>",
            "<a",
            "<a b=c/>",
            "<a>\0</a>",
            "<a>\u{1}</a>",
            "<a<b:c></a<b:c>",
            &deep,
        ] {
            assert_eq!(Node::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
