//! `multipart/form-data` with one file (RFC 7578), read without copying the file.

use bytes::Bytes;

use crate::auth::missing_field;
use crate::errors::S3Error;
use crate::store::Data;

/// What comes before the file has at most this many bytes.
const PRE_DATA: usize = 20 << 10;
/// The same with the headers of the file.
const FRONT: u64 = (PRE_DATA + (4 << 10)) as u64;

/// The fields before the file, and the file. What follows the file is ignored.
#[derive(Debug)]
pub(super) struct Form {
    /// Names in lower case, in order.
    pub(super) fields: Vec<(String, String)>,
    pub(super) file: Data,
    /// Without a path.
    pub(super) file_name: String,
}

/// The head of one part.
struct Part {
    name: String,
    file_name: Option<String>,
    /// Where its content begins.
    content: usize,
}

impl Form {
    /// Reads a body of this content type.
    pub(super) fn read(body: &Data, content_type: Option<&str>, pool: &Bytes) -> Result<Self, S3Error> {
        let boundary = content_type.and_then(boundary).ok_or_else(|| {
            S3Error::of("PreconditionFailed")
                .extra("Condition", "Bucket POST must be of the enclosure-type multipart/form-data")
        })?;
        let opening = format!("--{boundary}");
        let delimiter = format!("\r\n{opening}");
        let front = body.slice(0, body.length().min(FRONT)).to_bytes(pool);
        let too_much = || match body.length() > FRONT {
            true => S3Error::of("MaxPostPreDataLengthExceededError"),
            false => malformed(),
        };
        let blanks = front.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let mut at = front[blanks..].starts_with(opening.as_bytes()).then(|| blanks + opening.len());
        let mut fields = Vec::new();
        loop {
            let start = at.ok_or_else(malformed)?;
            if front[start..].starts_with(b"--") {
                return Err(no_file());
            }
            let part = Part::read(&front, start).ok_or_else(too_much)?;
            if part.name == "file" {
                let begin = part.content as u64;
                let end = end_of(body, begin, delimiter.as_bytes(), pool).ok_or_else(malformed)?;
                let file_name = part.file_name.as_deref().map_or("", base_name).to_owned();
                return Ok(Self { fields, file: body.slice(begin, end - begin), file_name });
            }
            let end = find(&front[part.content..], delimiter.as_bytes()).ok_or_else(too_much)?;
            let end = part.content + end;
            if end > PRE_DATA {
                return Err(S3Error::of("MaxPostPreDataLengthExceededError"));
            }
            let value = String::from_utf8_lossy(&front[part.content..end]).into_owned();
            fields.push((part.name, value));
            at = Some(end + delimiter.len());
        }
    }

    /// The first field of a name, which is in lower case.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The key, with the file's name where the form asks for it.
    pub(super) fn key(&self) -> Result<String, S3Error> {
        let key =
            self.field("key").ok_or_else(|| missing_field("key"))?.replace("${filename}", &self.file_name);
        match key.is_empty() {
            true => Err(S3Error::of("InvalidArgument")
                .message("User key must have a length greater than 0.")
                .extra("ArgumentName", "key")
                .extra("ArgumentValue", "")),
            false => Ok(key),
        }
    }
}

fn malformed() -> S3Error {
    S3Error::of("MalformedPOSTRequest")
}

fn no_file() -> S3Error {
    S3Error::of("InvalidArgument")
        .message("POST requires exactly one file upload per request.")
        .extra("ArgumentName", "file")
        .extra("ArgumentValue", "0")
}

/// The boundary of a form's content type (RFC 2046: 1 to 70 characters).
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = parameters.split(';').filter_map(|parameter| parameter.trim().split_once('='));
    let mut boundaries = named.filter(|(name, _)| name.eq_ignore_ascii_case("boundary"));
    let boundary = boundaries.next()?.1.trim_matches('"');
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

impl Part {
    /// Reads the head that begins behind a delimiter; none if it does not end, or has no name.
    fn read(front: &[u8], start: usize) -> Option<Self> {
        // Blanks may follow a delimiter.
        let line = start + front[start..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let rest = front[line..].strip_prefix(b"\r\n")?;
        let length = find(rest, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&rest[..length]);
        let disposition = head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
        })?;
        let (mut name, mut file_name) = (None, None);
        for (parameter, value) in parameters(disposition) {
            match parameter.as_str() {
                "name" => name = Some(value.to_ascii_lowercase()),
                "filename" => file_name = Some(value),
                _ => {}
            }
        }
        Some(Self { name: name?, file_name, content: line + 2 + length + 4 })
    }
}

/// `; name="value"; other=value`, with quotes inside quotes behind a backslash.
fn parameters(disposition: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Some((_, mut rest)) = disposition.split_once(';') else { return found };
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', '\t', ';']).to_ascii_lowercase();
        let after = after.trim_start();
        let mut value = String::new();
        rest = match after.strip_prefix('"') {
            None => {
                let end = after.find(';').unwrap_or(after.len());
                value.push_str(after[..end].trim());
                &after[end..]
            }
            Some(quoted) => {
                let mut end = quoted.len();
                let mut letters = quoted.char_indices().peekable();
                while let Some((at, letter)) = letters.next() {
                    match letter {
                        '\\' if letters.peek().is_some_and(|(_, next)| *next == '"') => {
                            value.push('"');
                            letters.next();
                        }
                        '"' => {
                            end = at + 1;
                            break;
                        }
                        other => value.push(other),
                    }
                }
                &quoted[end..]
            }
        };
        found.push((name, value));
    }
    found
}

/// What follows the last slash or backslash of a path.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|b| *b == first) {
        if haystack[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// Where the delimiter is, at `begin` or behind it.
fn end_of(body: &Data, begin: u64, delimiter: &[u8], pool: &Bytes) -> Option<u64> {
    let mut chunks = body.slice(begin, body.length() - begin).chunks();
    // The last bytes of one chunk may be the beginning of the delimiter.
    let (mut window, mut start): (Vec<u8>, u64) = (Vec::new(), begin);
    while let Some(chunk) = chunks.next(1 << 16, pool) {
        window.extend_from_slice(&chunk);
        if let Some(at) = find(&window, delimiter) {
            return Some(start + at as u64);
        }
        let done = window.len().saturating_sub(delimiter.len() - 1);
        window.drain(..done);
        start += done as u64;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=\"b1\"";

    fn read(body: &[u8]) -> Result<Form, S3Error> {
        Form::read(&Data::memory(body.to_vec()), Some(TYPE), &Bytes::new())
    }

    fn part(disposition: &str, content: &str) -> String {
        format!("--b1\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    }

    #[test]
    fn fields_and_the_file() {
        let body = part("name=\"kEy\"", "up/${filename}")
            + &part("name=acl; filename=x", "private")
            + &part("filename=\"C:\\dir\\a \\\"b\\\".txt\"; name=\"file\"", "one\r\n--b\r\ntwo")
            + &part("name=\"late\"", "x")
            + "--b1--\r\n";
        let form = read(body.as_bytes()).unwrap();
        assert_eq!(form.fields, [("key".into(), "up/${filename}".into()), ("acl".into(), "private".into())]);
        assert_eq!(&form.file.to_bytes(&Bytes::new())[..], b"one\r\n--b\r\ntwo");
        assert_eq!(
            (form.file_name.as_str(), form.key().unwrap().as_str()),
            ("a \"b\".txt", "up/a \"b\".txt")
        );
        let empty = read((part("name=file", "") + "--b1--").as_bytes()).unwrap();
        assert_eq!(empty.file.length(), 0);
        assert_eq!(empty.key().unwrap_err().extras[0].1, "key");
    }

    #[test]
    fn a_long_file_ends_where_the_delimiter_lies_across_pieces() {
        let file = "x\r\n".repeat(50_000);
        let body = part("name=file", &file) + "--b1--";
        for cut in [70, 65_536, body.len() - 10, body.len() - 8] {
            let parts = [&body.as_bytes()[..cut], &body.as_bytes()[cut..]];
            let data = Data::joined(parts.map(|part| Data::memory(part.to_vec())));
            let form = Form::read(&data, Some(TYPE), &Bytes::new()).unwrap();
            assert_eq!(form.file.length(), file.len() as u64, "{cut}");
        }
    }

    #[test]
    fn bad_forms_have_s3_codes() {
        let long = part("name=a", &"x".repeat(30_000)) + &part("name=file", "y") + "--b1--";
        let just = part("name=a", &"x".repeat(21_000)) + &part("name=file", "y") + "--b1--";
        let table = [
            (String::new(), "MalformedPOSTRequest"),
            ("nonsense".into(), "MalformedPOSTRequest"),
            ("--b1".into(), "MalformedPOSTRequest"),
            ("--b1\r\n\r\n".into(), "MalformedPOSTRequest"),
            (part("name=a", "x"), "MalformedPOSTRequest"),
            (part("name=a", "x") + "--b1--", "InvalidArgument"),
            (
                "--b1\r\nContent-Disposition: form-data; name=file\r\n\r\nendless".into(),
                "MalformedPOSTRequest",
            ),
            (long, "MaxPostPreDataLengthExceededError"),
            (just, "MaxPostPreDataLengthExceededError"),
        ];
        for (body, code) in table {
            assert_eq!(read(body.as_bytes()).unwrap_err().code, code, "{}", &body[..body.len().min(60)]);
        }
        for kind in
            [None, Some("text/plain"), Some("multipart/form-data"), Some("multipart/form-data; boundary=")]
        {
            let error = Form::read(&Data::memory(""), kind, &Bytes::new()).unwrap_err();
            assert_eq!(error.code, "PreconditionFailed", "{kind:?}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in "(--b1|\r\n|\r\n\r\n|Content-Disposition: form-data; |name=|file|\"|;|\\\\|é|x){0,40}") {
            let _ = read(body.as_bytes());
        }
    }
}
