//! The three listings of objects and that of buckets, as clients page through them.
