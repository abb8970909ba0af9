//! The Huffman code of HPACK (RFC 7541 5.2 and appendix B). It is canonical, so the lengths are the code.

use std::sync::LazyLock;

/// Bits of each symbol; the last one ends a string and must not occur in it.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6,
    6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6,
    6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22,
    20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23,
    22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22,
    23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22,
    25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];
/// The longest code.
const LONGEST: usize = 30;

/// The code by length: a code of `length` bits is symbol number `code - first[length]` among `symbols` from
/// `from[length]` on.
struct Code {
    first: [u32; LONGEST + 1],
    count: [u32; LONGEST + 1],
    from: [usize; LONGEST + 1],
    symbols: Vec<u16>,
}

static CODE: LazyLock<Code> = LazyLock::new(|| {
    let mut code = Code {
        first: [0; LONGEST + 1],
        count: [0; LONGEST + 1],
        from: [0; LONGEST + 1],
        symbols: Vec::with_capacity(LENGTHS.len()),
    };
    let mut next = 0;
    for length in 1..=LONGEST {
        next <<= 1;
        (code.first[length], code.from[length]) = (next, code.symbols.len());
        let of_length = (0..257_u16).filter(|symbol| usize::from(LENGTHS[usize::from(*symbol)]) == length);
        code.symbols.extend(of_length);
        code.count[length] = (code.symbols.len() - code.from[length]) as u32;
        next += code.count[length];
    }
    code
});

/// Decodes a string; `None` when it is none, or longer than `limit`.
pub(super) fn decode(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let table = &*CODE;
    let mut out = Vec::new();
    let (mut code, mut length) = (0_u32, 0);
    for byte in bytes {
        for bit in (0..8).rev() {
            code = code << 1 | u32::from(byte >> bit & 1);
            length += 1;
            if length > LONGEST {
                return None;
            }
            let place = code.wrapping_sub(table.first[length]);
            if code >= table.first[length] && place < table.count[length] {
                let symbol = table.symbols[table.from[length] + place as usize];
                out.push(u8::try_from(symbol).ok().filter(|_| out.len() < limit)?);
                (code, length) = (0, 0);
            }
        }
    }
    // What is left are the first bits of the end symbol, fewer than a byte: ones.
    (length < 8 && code == (1 << length) - 1).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    #[test]
    fn the_strings_of_the_rfc() {
        for (coded, text) in [
            ("f1e3 c2e5 f23a 6ba0 ab90 f4ff", "www.example.com"),
            ("a8eb 1064 9cbf", "no-cache"),
            ("25a8 49e9 5ba9 7d7f", "custom-key"),
            ("6402", "302"),
            ("d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff", "Mon, 21 Oct 2013 20:13:21 GMT"),
            ("9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3", "https://www.example.com"),
        ] {
            assert_eq!(decode(&hex(coded), 99).as_deref(), Some(text.as_bytes()));
        }
    }

    #[test]
    fn bad_endings_and_long_strings_are_told() {
        assert_eq!(decode(&hex("ffff ffff"), 99), None, "the end symbol");
        assert_eq!(decode(&hex("f1e3 c2e5 f23a 6ba0 ab90 f4ff ff"), 99), None, "more than seven bits");
        assert_eq!(decode(&hex("00"), 99), None, "padding of zeros");
        assert_eq!(decode(&hex("a8eb 1064 9cbf"), 7), None, "longer than the limit");
        assert_eq!(decode(&[], 0), Some(Vec::new()));
    }
}
