//! Documents that clients send, as a tree; bounded in depth.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::xml::resolve;

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
        let document = std::str::from_utf8(document).ok()?;
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

    fn of(start: &BytesStart<'_>) -> Option<Self> {
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
    fn what_is_no_document_is_refused() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        for bad in ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&nope;</a>", "<a", "<a b=c/>", &deep] {
            assert_eq!(Node::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
