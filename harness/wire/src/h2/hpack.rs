//! Field blocks (RFC 7541): decoded with the dynamic table, encoded by literals alone.
//!
//! Written here because a decoder has to be bounded and the encoder has to be able to break the rules; the
//! kept crates offer neither.

use std::collections::VecDeque;

use super::huffman;
use super::static_table::STATIC;

/// A field: name and value.
pub(crate) type Field = (Vec<u8>, Vec<u8>);

/// Bytes of dynamic table we offer (the initial SETTINGS_HEADER_TABLE_SIZE).
const TABLE: usize = 4096;
/// What an entry weighs beside its bytes (RFC 7541 4.1).
const OVERHEAD: usize = 32;
/// The heaviest list of fields that is decoded, [`OVERHEAD`] included: SETTINGS_MAX_HEADER_LIST_SIZE.
pub(crate) const LIST: usize = 64 * 1024;

/// The block cannot be decoded, or is too large: the connection is lost (RFC 9113 4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadBlock;

/// The decoding half of a connection.
#[derive(Debug)]
pub(crate) struct Decoder {
    entries: VecDeque<Field>,
    weight: usize,
    limit: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { entries: VecDeque::new(), weight: 0, limit: TABLE }
    }
}

impl Decoder {
    /// Decodes one whole block.
    pub(crate) fn decode(&mut self, block: &[u8]) -> Result<Vec<Field>, BadBlock> {
        let mut rest = Reader(block);
        let (mut fields, mut weight) = (Vec::new(), 0);
        while let Some(first) = rest.0.first().copied() {
            let field = match first {
                0x80.. => self.entry(rest.number(7)?)?,
                0x40.. => {
                    let field = self.literal(&mut rest, 6)?;
                    self.insert(field.clone());
                    field
                }
                0x20.. => {
                    let limit = rest.number(5)?;
                    if limit > TABLE || !fields.is_empty() {
                        return Err(BadBlock);
                    }
                    self.limit = limit;
                    self.shrink(limit);
                    continue;
                }
                _ => self.literal(&mut rest, 4)?,
            };
            weight += field.0.len() + field.1.len() + OVERHEAD;
            if weight > LIST {
                return Err(BadBlock);
            }
            fields.push(field);
        }
        Ok(fields)
    }

    fn literal(&self, rest: &mut Reader<'_>, prefix: u32) -> Result<Field, BadBlock> {
        let name = match rest.number(prefix)? {
            0 => rest.string()?,
            index => self.entry(index)?.0,
        };
        Ok((name, rest.string()?))
    }

    fn entry(&self, index: usize) -> Result<Field, BadBlock> {
        let index = index.checked_sub(1).ok_or(BadBlock)?;
        match STATIC.get(index) {
            Some((name, value)) => Ok((name.as_bytes().to_vec(), value.as_bytes().to_vec())),
            None => self.entries.get(index - STATIC.len()).cloned().ok_or(BadBlock),
        }
    }

    fn insert(&mut self, field: Field) {
        let weight = field.0.len() + field.1.len() + OVERHEAD;
        self.shrink(self.limit.saturating_sub(weight));
        if weight <= self.limit {
            self.weight += weight;
            self.entries.push_front(field);
        }
    }

    fn shrink(&mut self, to: usize) {
        while self.weight > to {
            let Some((name, value)) = self.entries.pop_back() else { return };
            self.weight -= name.len() + value.len() + OVERHEAD;
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// An integer (RFC 7541 5.1), up to 28 bits beyond its prefix.
    fn number(&mut self, prefix: u32) -> Result<usize, BadBlock> {
        let mask = (1_usize << prefix) - 1;
        let mut number = usize::from(self.byte()?) & mask;
        if number < mask {
            return Ok(number);
        }
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            number += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(BadBlock)
    }

    fn string(&mut self) -> Result<Vec<u8>, BadBlock> {
        let coded = self.0.first().ok_or(BadBlock)? & 0x80 != 0;
        let length = self.number(7)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(BadBlock)?;
        self.0 = rest;
        if coded { huffman::decode(bytes, LIST).ok_or(BadBlock) } else { Ok(bytes.to_vec()) }
    }

    fn byte(&mut self) -> Result<u8, BadBlock> {
        let (byte, rest) = self.0.split_first().ok_or(BadBlock)?;
        self.0 = rest;
        Ok(*byte)
    }
}

/// Appends a field as a literal without indexing, name and value in plain bytes (RFC 7541 6.2.2).
pub(crate) fn literal(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0);
    for text in [name, value] {
        length(block, text.len());
        block.extend_from_slice(text);
    }
}

fn length(block: &mut Vec<u8>, length: usize) {
    let Some(mut rest) = length.checked_sub(127) else { return block.push(length as u8) };
    block.push(127);
    while rest >= 128 {
        block.push((rest % 128) as u8 | 0x80);
        rest /= 128;
    }
    block.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    fn shown(fields: &[Field]) -> Vec<String> {
        let text = |(n, v): &Field| format!("{}: {}", n.escape_ascii(), v.escape_ascii());
        fields.iter().map(text).collect()
    }

    /// The request examples of RFC 7541, C.3 (plain) and C.4 (Huffman): three requests on one connection.
    #[test]
    fn the_requests_of_the_rfc() {
        let plain = [
            "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            "8286 84be 5808 6e6f 2d63 6163 6865",
            "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        ];
        let coded = [
            "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
            "8286 84be 5886 a8eb 1064 9cbf",
            "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        ];
        let first = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
        let third = [
            ":method: GET",
            ":scheme: https",
            ":path: /index.html",
            ":authority: www.example.com",
            "custom-key: custom-value",
        ];
        for blocks in [plain, coded] {
            let mut decoder = Decoder::default();
            assert_eq!(shown(&decoder.decode(&hex(blocks[0])).unwrap()), first);
            let second = decoder.decode(&hex(blocks[1])).unwrap();
            assert_eq!(shown(&second)[4], "cache-control: no-cache");
            assert_eq!(shown(&decoder.decode(&hex(blocks[2])).unwrap()), third);
            assert_eq!((decoder.weight, decoder.entries.len()), (164, 3));
        }
    }

    /// C.6: responses with Huffman, and a table of 256 bytes that has to forget.
    #[test]
    fn the_responses_of_the_rfc_evict() {
        let mut decoder = Decoder { limit: 256, ..Decoder::default() };
        decoder
            .decode(&hex(
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e \
                 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
            ))
            .unwrap();
        assert_eq!(decoder.weight, 222);
        assert_eq!(shown(&decoder.decode(&hex("4883 640e ffc1 c0bf")).unwrap())[0], ":status: 307");
        assert_eq!(decoder.weight, 222);
        let third = "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad \
                     94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 \
                     65c0 03ed 4ee5 b106 3d50 07";
        let fields = shown(&decoder.decode(&hex(third)).unwrap());
        assert_eq!(fields[5], "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1");
        assert_eq!((decoder.weight, decoder.entries.len()), (215, 3));
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut block = Vec::new();
        let long = vec![b'x'; 20_000];
        literal(&mut block, b":status", b"200");
        literal(&mut block, b"x-long", &long);
        let fields = Decoder::default().decode(&block).unwrap();
        assert_eq!(fields, [(b":status".to_vec(), b"200".to_vec()), (b"x-long".to_vec(), long)]);
    }

    #[test]
    fn bad_and_huge_blocks_are_told() {
        for bad in ["80", "ff ff ff ff ff 0f", "be", "40", "00 05 61", "82 20", "3f e2 1f", "7f"] {
            assert_eq!(Decoder::default().decode(&hex(bad)), Err(BadBlock), "{bad}");
        }
        let mut bomb = Vec::new();
        bomb.extend_from_slice(&hex("40 01 61 7f b9 1e"));
        bomb.extend_from_slice(&[b'x'; 4000]);
        bomb.extend_from_slice(&[0xbe; 100]);
        assert_eq!(Decoder::default().decode(&bomb), Err(BadBlock), "an entry named again and again");
    }
}
