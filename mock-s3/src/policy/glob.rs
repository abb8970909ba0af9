//! Patterns with `*` (any text, also `/`) and `?` (one character).

/// A compiled pattern. Actions compare without case, resources with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Glob {
    pattern: Box<[u8]>,
    fold_case: bool,
}

impl Glob {
    pub(crate) fn action(pattern: &str) -> Self {
        Self { pattern: pattern.to_ascii_lowercase().into_bytes().into(), fold_case: true }
    }

    pub(crate) fn resource(pattern: &str) -> Self {
        Self { pattern: pattern.as_bytes().into(), fold_case: false }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (&*self.pattern, text.as_bytes());
        let (mut p, mut t) = (0, 0);
        // Where to go back to: behind the last star, and the text it has not yet swallowed.
        let mut retry: Option<(usize, usize)> = None;
        while t < text.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    retry = Some((p + 1, t));
                    p += 1;
                }
                Some(want) if *want == b'?' || *want == self.fold(text[t]) => {
                    p += 1;
                    t += 1;
                }
                _ => match retry {
                    Some((after, from)) => {
                        retry = Some((after, from + 1));
                        p = after;
                        t = from + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|b| *b == b'*')
    }

    fn fold(&self, byte: u8) -> u8 {
        if self.fold_case { byte.to_ascii_lowercase() } else { byte }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        let table = [
            ("*", "", true),
            ("*", "a/b", true),
            ("a*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("a*b*c", "a/b/b/c", true),
            ("*.csv", "r/1.csv", true),
            ("r/?.csv", "r/1.csv", true),
            ("r/?.csv", "r/10.csv", false),
            ("r/1", "R/1", false),
            ("", "", true),
            ("", "a", false),
            ("**a", "ba", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(Glob::resource(pattern).matches(text), expected, "{pattern} ~ {text}");
        }
    }

    #[test]
    fn actions_have_no_case() {
        assert!(Glob::action("S3:get*").matches("s3:GetObject"));
        assert!(!Glob::action("s3:Get*").matches("s3:PutObject"));
    }
}
