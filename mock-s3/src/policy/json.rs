//! JSON (RFC 8259) with the position of every value, bounded in depth; names may not repeat in an object.

use super::error::{PolicyError, Problem};
use super::span::{Position, Span};

/// Far more than any policy needs.
const MAX_DEPTH: u32 = 16;

/// A value and where it is.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Json,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// A name of an object, with its value.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) at: Position,
    pub(super) value: Node,
}

struct Reader<'t> {
    rest: std::str::Chars<'t>,
    here: Position,
}

type Result<T> = std::result::Result<T, PolicyError>;

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Result<Node> {
    let mut reader = Reader { rest: text.chars(), here: Position::default() };
    reader.blanks();
    let node = reader.value(0)?;
    reader.blanks();
    match reader.peek() {
        None => Ok(node),
        Some(_) => reader.wrong("there is text behind its end"),
    }
}

// === impl Node ===

impl Node {
    /// The text of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A scalar as text: policies may write `true` and `10` without quotes.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Json::Text(text) | Json::Number(text) => Some(text),
            Json::Bool(true) => Some("true"),
            Json::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The items of a list, or the one value that stands for a list of one.
    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Json::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The members of an object.
    pub(super) fn members(&self) -> Option<&[Member]> {
        match &self.value {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }
}

// === impl Reader ===

impl Reader<'_> {
    fn wrong<T>(&self, why: &'static str) -> Result<T> {
        Err(PolicyError::new(Problem::Json(why), self.here))
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        match next {
            '\n' => self.here = Position { line: self.here.line + 1, column: 1 },
            _ => self.here.column += 1,
        }
        Some(next)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.next();
        }
    }

    fn value(&mut self, depth: u32) -> Result<Node> {
        if depth > MAX_DEPTH {
            return self.wrong("it is nested too deeply");
        }
        let start = self.here;
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Json::Text(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            Some('a'..='z') => self.word()?,
            _ => return self.wrong("a value is missing"),
        };
        Ok(Node { value, span: Span { start, end: self.here } })
    }

    fn object(&mut self, depth: u32) -> Result<Json> {
        self.next();
        let mut members: Vec<Member> = Vec::new();
        self.blanks();
        if self.take('}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            let at = self.here;
            if self.peek() != Some('"') {
                return self.wrong("a name in quotes is missing");
            }
            let name = self.string()?;
            if members.iter().any(|member| member.name == name) {
                return Err(PolicyError::new(Problem::Twice(name), at));
            }
            self.blanks();
            if !self.take(':') {
                return self.wrong("a colon is missing");
            }
            self.blanks();
            let value = self.value(depth + 1)?;
            members.push(Member { name, at, value });
            self.blanks();
            if self.take('}') {
                return Ok(Json::Object(members));
            }
            if !self.take(',') {
                return self.wrong("a comma or } is missing");
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<Json> {
        self.next();
        let mut items = Vec::new();
        self.blanks();
        if self.take(']') {
            return Ok(Json::List(items));
        }
        loop {
            self.blanks();
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.take(']') {
                return Ok(Json::List(items));
            }
            if !self.take(',') {
                return self.wrong("a comma or ] is missing");
            }
        }
    }

    fn string(&mut self) -> Result<String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.peek() {
                Some('"') => {
                    self.next();
                    return Ok(text);
                }
                Some('\\') => {
                    self.next();
                    text.push(self.escaped()?);
                }
                Some('\0'..='\u{1f}') => return self.wrong("a control character in a string"),
                Some(plain) => {
                    self.next();
                    text.push(plain);
                }
                None => return self.wrong("a string has no end"),
            }
        }
    }

    fn escaped(&mut self) -> Result<char> {
        Ok(match self.next() {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.code_point(),
            _ => return self.wrong("an unknown escape"),
        })
    }

    /// `\uXXXX`, or two of them for what is beyond 16 bits.
    fn code_point(&mut self) -> Result<char> {
        let first = self.unit()?;
        let point = match first {
            0xd800..=0xdbff if self.take('\\') && self.take('u') => match self.unit()? {
                second @ 0xdc00..=0xdfff => 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                _ => return self.wrong("half a surrogate pair"),
            },
            other => other,
        };
        match char::from_u32(point) {
            Some(found) => Ok(found),
            None => self.wrong("half a surrogate pair"),
        }
    }

    fn unit(&mut self) -> Result<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            match self.next().and_then(|digit| digit.to_digit(16)) {
                Some(digit) => unit = unit * 16 + digit,
                None => return self.wrong("four hexadecimal digits are missing"),
            }
        }
        Ok(unit)
    }

    fn digits(&mut self, into: &mut String) -> Result<()> {
        let before = into.len();
        while let Some(digit @ '0'..='9') = self.peek() {
            self.next();
            into.push(digit);
        }
        if into.len() == before { self.wrong("a digit is missing") } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Json> {
        let mut text = String::new();
        if self.take('-') {
            text.push('-');
        }
        if self.take('0') {
            text.push('0');
        } else {
            self.digits(&mut text)?;
        }
        if self.take('.') {
            text.push('.');
            self.digits(&mut text)?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next();
            text.push('e');
            if let Some(sign @ ('+' | '-')) = self.peek() {
                self.next();
                text.push(sign);
            }
            self.digits(&mut text)?;
        }
        Ok(Json::Number(text))
    }

    fn word(&mut self) -> Result<Json> {
        for (word, value) in [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)]
        {
            if self.rest.as_str().starts_with(word) {
                for _ in word.chars() {
                    self.next();
                }
                return Ok(value);
            }
        }
        self.wrong("an unknown word")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_know_where_they_are() {
        let node = parse("{\n  \"é\": [1, \"a\\u00e9\\ud83d\\ude00\\n\"],\n  \"b\": {}\n}\n").unwrap();
        let members = node.members().unwrap();
        assert_eq!(node.span.end, Position { line: 4, column: 2 });
        assert_eq!((members[0].name.as_str(), members[0].at), ("é", Position { line: 2, column: 3 }));
        let items = members[0].value.items();
        assert_eq!(items[0].span.start, Position { line: 2, column: 9 });
        assert_eq!((items[0].scalar(), items[1].text()), (Some("1"), Some("aé😀\n")));
        assert_eq!(members[1].value.span.start, Position { line: 3, column: 8 });
        assert_eq!(members[1].value.span.end, Position { line: 3, column: 10 });
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        let deep = "[".repeat(40);
        let table = [
            ("", 1),
            ("{", 2),
            ("[1,]", 4),
            ("{\"a\" 1}", 6),
            ("{\"a\":1,}", 8),
            ("\"a", 3),
            ("01", 2),
            ("1.", 3),
            ("nul", 1),
            ("\"\\x\"", 4),
            ("\"\\ud800\"", 8),
            ("{} {}", 4),
            ("{\"a\":1,\"a\":2}", 8),
            ("\"\u{1}\"", 2),
            (&deep, 18),
        ];
        for (text, column) in table {
            assert_eq!(parse(text).unwrap_err().at, Position { line: 1, column }, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_agrees_with_serde(text in r#"[\[\]{}":,a\\u0-9. tn-]{0,40}"#) {
            if parse(&text).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }
    }
}
