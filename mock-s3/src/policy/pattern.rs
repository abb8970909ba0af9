//! Patterns: `*` (any text, also `/`), `?` (one character), and policy variables.

use std::borrow::Cow;

use super::actions::Reach;
use super::context::Key;
use super::scope::Scope;

/// One element of a pattern: a byte, or one of the two wildcards.
type Token = u16;
const ONE: Token = 256;
const MANY: Token = 257;

/// A compiled text of a policy. Most are plain, and compare without allocating.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Pattern {
    shape: Shape,
    /// Without regard to case.
    folds: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Shape {
    /// `*`.
    Anything,
    Exact(Box<str>),
    /// A plain text, then `*`.
    Prefix(Box<str>),
    Tokens(Box<[Token]>),
    Template(Box<[Piece]>),
}

/// A part of a pattern with variables.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Tokens(Vec<Token>),
    /// `${key}` or `${key, 'default'}`.
    Variable {
        key: Key,
        default: Option<Box<str>>,
    },
}

/// How a text of a policy is read.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// `*` and `?` are wildcards.
    pub(super) wild: bool,
    /// `${...}` is a variable (documents of Version 2012-10-17).
    pub(super) variables: bool,
    pub(super) folds: bool,
}

impl Pattern {
    /// An action with wildcards.
    pub(crate) fn action(text: &str) -> Self {
        Self::compile(text, Reading { wild: true, variables: false, folds: true })
    }

    pub(super) fn compile(text: &str, reading: Reading) -> Self {
        let mut pieces = pieces(text, reading);
        let plain = |tokens: &[Token]| -> Option<Box<str>> {
            let bytes = tokens.iter().map(|token| u8::try_from(*token).ok()).collect::<Option<Vec<_>>>()?;
            String::from_utf8(bytes).ok().map(String::into_boxed_str)
        };
        let shape = match pieces.as_mut_slice() {
            [] => Shape::Exact("".into()),
            [Piece::Tokens(tokens)] => match tokens.split_last() {
                Some((&MANY, [])) => Shape::Anything,
                Some((&MANY, before)) => {
                    plain(before).map_or_else(|| Shape::Tokens(tokens.as_slice().into()), Shape::Prefix)
                }
                _ => plain(tokens).map_or_else(|| Shape::Tokens(tokens.as_slice().into()), Shape::Exact),
            },
            _ => Shape::Template(pieces.into()),
        };
        Self { shape, folds: reading.folds }
    }

    /// Whether the whole text is meant. A variable without a value is like no text.
    pub(super) fn matches(&self, text: &str, scope: &Scope<'_>) -> bool {
        match &self.shape {
            Shape::Template(pieces) => expand(pieces, scope).is_some_and(|t| wild(&t, text, self.folds)),
            _ => self.matches_plain(text),
        }
    }

    /// As [`Pattern::matches`], for patterns that cannot have variables.
    pub(crate) fn matches_plain(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Anything => true,
            Shape::Exact(wanted) if self.folds => same_folded(wanted, text),
            Shape::Exact(wanted) => **wanted == *text,
            Shape::Prefix(wanted) => text.as_bytes().get(..wanted.len()).is_some_and(|start| {
                if self.folds {
                    start.eq_ignore_ascii_case(wanted.as_bytes())
                } else {
                    start == wanted.as_bytes()
                }
            }),
            Shape::Tokens(tokens) => wild(tokens, text, self.folds),
            Shape::Template(_) => false,
        }
    }

    /// Compares as ARNs: each of the six parts by itself, so that a wildcard stays in its part (IAM,
    /// "Amazon Resource Name (ARN) condition operators").
    pub(super) fn matches_arn(&self, arn: &str, scope: &Scope<'_>) -> bool {
        if self.shape == Shape::Anything {
            return true;
        }
        let Some(tokens) = self.tokens(scope) else { return false };
        let mut wanted = tokens.splitn(6, |token| *token == Token::from(b':'));
        let mut given = arn.splitn(6, ':');
        let mut parts = 0;
        loop {
            match (wanted.next(), given.next()) {
                (Some(tokens), Some(text)) if wild(tokens, text, false) => parts += 1,
                (None, None) => return parts == 6,
                _ => return false,
            }
        }
    }

    /// Whether it means one text only, whatever is asked.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self.shape, Shape::Exact(_))
    }

    /// Whether it can mean a bucket or something in it; variables can only stand for what is in it.
    pub(super) fn can_mean_of_bucket(&self, bucket: &str) -> bool {
        let arn = format!("arn:aws:s3:::{bucket}");
        let start: Vec<Token> = match &self.shape {
            Shape::Anything => return true,
            Shape::Exact(text) => literal(text).collect(),
            Shape::Prefix(text) => literal(text).chain([MANY]).collect(),
            Shape::Tokens(tokens) => tokens.to_vec(),
            Shape::Template(pieces) => match pieces.first() {
                Some(Piece::Tokens(tokens)) => tokens.iter().copied().chain([MANY]).collect(),
                _ => return false,
            },
        };
        // What is before the first slash names the bucket; stars in it also reach behind the slash.
        let slash = start.iter().position(|token| *token == Token::from(b'/'));
        let (name, _) = start.split_at(slash.unwrap_or(start.len()));
        wild(name, &arn, false)
    }

    /// Whether an ARN of S3 can mean buckets, and objects.
    pub(super) fn reach(&self) -> Reach {
        let within = |tokens: &[Token]| Reach {
            buckets: !tokens.contains(&Token::from(b'/')),
            objects: tokens.contains(&Token::from(b'/')) || tokens.contains(&MANY),
        };
        match &self.shape {
            Shape::Anything | Shape::Template(_) => Reach { buckets: true, objects: true },
            Shape::Exact(text) => within(&literal(text).collect::<Vec<_>>()),
            Shape::Prefix(text) => within(&literal(text).chain([MANY]).collect::<Vec<_>>()),
            Shape::Tokens(tokens) => within(tokens),
        }
    }

    /// The text, if it means one only.
    pub(super) fn exact(&self) -> Option<&str> {
        match &self.shape {
            Shape::Exact(text) => Some(text),
            _ => None,
        }
    }

    /// The plain text it begins with, when nothing but one wildcard follows.
    pub(super) fn fixed_start(&self) -> Option<&str> {
        match &self.shape {
            Shape::Exact(text) | Shape::Prefix(text) => Some(text),
            _ => None,
        }
    }

    fn tokens(&self, scope: &Scope<'_>) -> Option<Cow<'_, [Token]>> {
        Some(match &self.shape {
            Shape::Anything => Cow::Borrowed(&[MANY]),
            Shape::Exact(text) => Cow::Owned(literal(text).collect()),
            Shape::Prefix(text) => Cow::Owned(literal(text).chain([MANY]).collect()),
            Shape::Tokens(tokens) => Cow::Borrowed(tokens),
            Shape::Template(pieces) => Cow::Owned(expand(pieces, scope)?),
        })
    }
}

fn literal(text: &str) -> impl Iterator<Item = Token> {
    text.bytes().map(Token::from)
}

fn same_folded(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || (!(one.is_ascii() && other.is_ascii()) && one.to_lowercase() == other.to_lowercase())
}

/// Takes a text apart. A `${` without `}` is plain text.
fn pieces(text: &str, reading: Reading) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        if reading.variables
            && let Some((inside, behind)) = rest.strip_prefix("${").and_then(|r| r.split_once('}'))
        {
            match inside {
                "*" | "?" | "$" => tokens.extend(literal(inside)),
                _ => {
                    let (key, default) = variable(inside);
                    if !tokens.is_empty() {
                        pieces.push(Piece::Tokens(std::mem::take(&mut tokens)));
                    }
                    pieces.push(Piece::Variable { key, default: default.map(Into::into) });
                }
            }
            rest = behind;
            continue;
        }
        match first {
            b'*' if reading.wild && tokens.last() == Some(&MANY) => {}
            b'*' if reading.wild => tokens.push(MANY),
            b'?' if reading.wild => tokens.push(ONE),
            _ => {
                let width = rest.chars().next().map_or(1, char::len_utf8);
                tokens.extend(literal(&rest[..width]));
                rest = &rest[width..];
                continue;
            }
        }
        rest = &rest[1..];
    }
    if !tokens.is_empty() {
        pieces.push(Piece::Tokens(tokens));
    }
    pieces
}

/// `aws:PrincipalTag/team, 'company-wide'`: the key and the default.
fn variable(inside: &str) -> (Key, Option<&str>) {
    match inside.split_once(',') {
        Some((key, default)) => {
            let default = default.trim();
            let quoted = default.strip_prefix('\'').and_then(|d| d.strip_suffix('\''));
            (Key::new(key.trim()), Some(quoted.unwrap_or(default)))
        }
        None => (Key::new(inside.trim()), None),
    }
}

fn expand(pieces: &[Piece], scope: &Scope<'_>) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Tokens(plain) => tokens.extend(plain),
            Piece::Variable { key, default } => match (scope.variable(key), default) {
                (Some(value), _) => tokens.extend(literal(&value)),
                (None, Some(default)) => tokens.extend(literal(default)),
                (None, None) => return None,
            },
        }
    }
    Some(tokens)
}

/// Matches with one place to go back to: time is at most the product of both lengths.
fn wild(pattern: &[Token], text: &str, folds: bool) -> bool {
    let bytes = text.as_bytes();
    let width = |at: usize| text[at..].chars().next().map_or(1, char::len_utf8);
    let fold = |byte: u8| if folds { byte.to_ascii_lowercase() } else { byte };
    let same = |token: Token, byte: u8| u8::try_from(token).is_ok_and(|wanted| fold(wanted) == fold(byte));
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and the text it has not yet swallowed.
    let mut retry: Option<(usize, usize)> = None;
    while t < bytes.len() {
        match pattern.get(p) {
            Some(&MANY) => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&ONE) if text.is_char_boundary(t) => {
                p += 1;
                t += width(t);
            }
            Some(&token) if same(token, bytes[t]) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    let next = from + width(from);
                    retry = Some((after, next));
                    p = after;
                    t = next;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|token| *token == MANY)
}

#[cfg(test)]
mod tests {
    use super::super::Caller;
    use super::super::context::Entries;
    use super::*;

    const PLAIN: Reading = Reading { wild: true, variables: false, folds: false };
    const FULL: Reading = Reading { wild: true, variables: true, folds: false };

    #[test]
    fn stars_and_question_marks() {
        let table = [
            ("*", "", true),
            ("*", "a/b", true),
            ("", "", true),
            ("", "a", false),
            ("a*", "a", true),
            ("a*b", "a/x/b", true),
            ("a*b", "a/x/c", false),
            ("a**b*", "axxbyy", true),
            ("?", "", false),
            ("?", "é", true),
            ("a?c", "aéc", true),
            ("*?c", "éc", true),
            ("a?c", "ac", false),
            ("*a*b*c", "xaxbxc", true),
            ("*a*b*c", "xaxcxb", false),
            ("é*", "éa", true),
            ("A", "a", false),
            ("${aws:username}", "x", false),
            ("${aws:username}", "${aws:username}", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(Pattern::compile(pattern, PLAIN).matches_plain(text), expected, "{pattern} {text}");
        }
        assert!(Pattern::action("s3:get*").matches_plain("S3:GetObject"));
        assert!(Pattern::action("s3:G?tObject").matches_plain("s3:getobject"));
        assert!(Pattern::action("s3:getobject").matches_plain("s3:GetObject"));
    }

    #[test]
    fn variables_are_replaced_and_never_wild() {
        let entries = Entries::new().with("aws:username", ["a*b"]).with("s3:prefix", ["x", "y"]);
        let scope = Scope { caller: &Caller::anonymous(), context: &entries, missing: None };
        let table = [
            ("h/${aws:username}/*", "h/a*b/c", true),
            ("h/${aws:username}/*", "h/axb/c", false),
            ("${AWS:UserName}", "a*b", true),
            ("${aws:none}", "", false),
            ("${aws:none, 'all'}", "all", true),
            ("${aws:none,'a, b'}x", "a, bx", true),
            ("${s3:prefix}", "x", false),
            ("${*}${?}${$}", "*?$", true),
            ("${*}", "x", false),
            ("${open", "${open", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(Pattern::compile(pattern, FULL).matches(text, &scope), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn wildcards_stay_in_their_part_of_an_arn() {
        let entries = Entries::new().with("aws:principalarn", ["arn:aws:iam::1:user/a"]);
        let scope = Scope { caller: &Caller::anonymous(), context: &entries, missing: None };
        let table = [
            ("arn:aws:iam::*:user/a", "arn:aws:iam::1:user/a", true),
            ("arn:aws:iam::*", "arn:aws:iam::1:user/a", false),
            ("arn:aws:iam::1:*", "arn:aws:iam::1:user/a:b/c", true),
            ("${aws:PrincipalArn}", "arn:aws:iam::1:user/a", true),
            ("arn:*:user/a", "arn:aws:iam::1:user/a", false),
            ("*", "anything", true),
            ("a:b", "a:b", false),
        ];
        for (pattern, text, expected) in table {
            let compiled = Pattern::compile(pattern, FULL);
            assert_eq!(compiled.matches_arn(text, &scope), expected, "{pattern} {text}");
        }
    }
}
