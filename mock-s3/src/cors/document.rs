//! The `CORSConfiguration` document.

use super::{Cors, Pattern, Rule};
use crate::errors::S3Error;
use crate::xml_tree::Node;

/// The methods rules may allow.
pub(super) const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];
/// S3 takes this many rules.
const MOST: usize = 100;
/// And ids of this length.
const ID: usize = 255;

impl Cors {
    /// Reads the document.
    pub(crate) fn read(given: &Node) -> Result<Self, S3Error> {
        let malformed = || S3Error::of("MalformedXML");
        if given.children.is_empty() || given.children.iter().any(|child| child.name != "CORSRule") {
            return Err(malformed());
        }
        if given.children.len() > MOST {
            return Err(refused("The number of CORS rules should not exceed allowed limit of 100 rules."));
        }
        let rules = given.children.iter().map(Rule::read).collect::<Result<_, _>>()?;
        Ok(Self { rules, text: given.document() })
    }
}

impl Rule {
    fn read(rule: &Node) -> Result<Self, S3Error> {
        let malformed = || S3Error::of("MalformedXML");
        let texts = |name| rule.all(name).map(|node| node.text.trim().to_owned()).collect::<Vec<_>>();
        let (origins, methods) = (texts("AllowedOrigin"), texts("AllowedMethod"));
        if origins.is_empty() || methods.is_empty() {
            return Err(malformed());
        }
        if rule.value("ID").is_some_and(|id| id.len() > ID) {
            return Err(refused("The ID of a CORS rule should not exceed allowed limit of 255 characters."));
        }
        if let Some(method) = methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return Err(refused(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )));
        }
        let exposed = texts("ExposeHeader");
        if let Some(name) = exposed.iter().find(|name| name.contains('*')) {
            return Err(refused(format!(
                "ExposeHeader \"{name}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            )));
        }
        let headers = texts("AllowedHeader").iter().map(|name| name.to_ascii_lowercase()).collect();
        let max_age = rule.value("MaxAgeSeconds").map(str::parse).transpose().map_err(|_| malformed())?;
        Ok(Self {
            origins: patterns("AllowedOrigin", origins)?,
            methods,
            headers: patterns("AllowedHeader", headers)?,
            exposed,
            max_age,
        })
    }
}

fn patterns(element: &str, texts: Vec<String>) -> Result<Vec<Pattern>, S3Error> {
    let parse = |text: String| {
        Pattern::parse(&text)
            .ok_or_else(|| refused(format!("{element} \"{text}\" can not have more than one wildcard.")))
    };
    texts.into_iter().map(parse).collect()
}

fn refused(message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::of("InvalidRequest").message(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_documents() {
        let rule =
            |inner: &str| format!("<CORSConfiguration><CORSRule>{inner}</CORSRule></CORSConfiguration>");
        let basic = "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>";
        let table = [
            ("<CORSConfiguration/>".to_owned(), "MalformedXML"),
            (rule("<AllowedMethod>GET</AllowedMethod>"), "MalformedXML"),
            (rule("<AllowedOrigin>*</AllowedOrigin>"), "MalformedXML"),
            (rule("<AllowedMethod>PATCH</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"), "InvalidRequest"),
            (rule("<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*a*</AllowedOrigin>"), "InvalidRequest"),
            (rule(&format!("{basic}<AllowedHeader>*-*</AllowedHeader>")), "InvalidRequest"),
            (rule(&format!("{basic}<ExposeHeader>x-*</ExposeHeader>")), "InvalidRequest"),
            (rule(&format!("{basic}<MaxAgeSeconds>soon</MaxAgeSeconds>")), "MalformedXML"),
        ];
        for (text, code) in table {
            let node = Node::parse(text.as_bytes()).unwrap();
            assert_eq!(Cors::read(&node).unwrap_err().code, code, "{text}");
        }
    }
}
