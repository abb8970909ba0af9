//! The stored form of a record list: a header line, then records of fixed size. A torn last record is ignored.

use gatecrash_model::Record;

/// First bytes of every record file.
const MAGIC: &[u8; 8] = b"gcrec\0v1";

/// Why a record file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Not a record file, or of another kind or version.
    #[error("not a {expected} file of version 1")]
    Header {
        /// Record kind that was wanted.
        expected: &'static str,
    },
}

/// The header of a file of `R` records.
pub fn encode_header<R: Record>() -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&(R::SIZE as u32).to_le_bytes());
    let mut name = [0; 20];
    let text = R::NAME.as_bytes();
    let len = text.len().min(20);
    name[..len].copy_from_slice(&text[..len]);
    out.extend_from_slice(&name);
    out
}

/// All whole records of a file.
pub fn decode_all<R: Record>(bytes: &[u8]) -> Result<Vec<R>, StoreError> {
    let header = encode_header::<R>();
    let mut rest = bytes.strip_prefix(header.as_slice()).ok_or(StoreError::Header { expected: R::NAME })?;
    let mut out = Vec::with_capacity(rest.len() / R::SIZE);
    while let Some(record) = R::decode(&mut rest) {
        out.push(record);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatecrash_model::{ClientRecord, FiringRecord};

    #[test]
    fn records_survive_and_a_torn_tail_is_ignored() {
        let records: Vec<_> =
            (0..10).map(|k| ClientRecord { k, intended: u64::from(k) * 7, ..Default::default() }).collect();
        let mut bytes = encode_header::<ClientRecord>();
        records.iter().for_each(|r| r.encode(&mut bytes));
        bytes.extend_from_slice(&[1, 2, 3]);
        assert_eq!(decode_all::<ClientRecord>(&bytes), Ok(records));
        assert!(decode_all::<FiringRecord>(&bytes).is_err());
    }
}
