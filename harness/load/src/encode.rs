//! Percent-encoding as SigV4 wants it, which is also what goes on the wire: everything but the unreserved
//! characters of RFC 3986, and in paths the slash.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// Query names and values.
pub(crate) const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Paths.
pub(crate) const PATH: &AsciiSet = &QUERY.remove(b'/');
