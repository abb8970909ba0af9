//! The stored layout of a record: its fields in order, little-endian.

/// One field of a record.
pub trait Field: Sized {
    /// Bytes it takes.
    const LEN: usize;
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);
    /// Takes it off the front; `None` at the end of input.
    fn take(input: &mut &[u8]) -> Option<Self>;
}

/// A record of fixed size.
pub trait Record: Sized {
    /// Stored size in bytes, at most 64.
    const SIZE: usize;
    /// File name stem in the run directory.
    const NAME: &'static str;
    /// Appends the stored form.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads one record off the front; `None` when less than a whole record is left.
    fn decode(input: &mut &[u8]) -> Option<Self>;
}

macro_rules! integer {
    ($($t:ty)*) => {$(
        impl Field for $t {
            const LEN: usize = size_of::<$t>();
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn take(input: &mut &[u8]) -> Option<Self> {
                let (head, rest) = input.split_first_chunk()?;
                *input = rest;
                Some(<$t>::from_le_bytes(*head))
            }
        }
    )*};
}
integer!(u8 u16 u32 u64);

impl Field for crate::ids::StrId {
    const LEN: usize = 4;
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
    fn take(input: &mut &[u8]) -> Option<Self> {
        u32::take(input).map(Self)
    }
}

macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* pub $field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $name { $($(#[$fmeta])* pub $field: $type,)+ }

        impl Record for $name {
            const SIZE: usize = 0 $(+ <$type as Field>::LEN)+;
            const NAME: &'static str = stringify!($name);
            fn encode(&self, out: &mut Vec<u8>) {
                $(Field::put(&self.$field, out);)+
            }
            fn decode(input: &mut &[u8]) -> Option<Self> {
                if input.len() < Self::SIZE {
                    return None;
                }
                Some(Self { $($field: Field::take(input)?,)+ })
            }
        }

        const _: () = assert!(<$name as Record>::SIZE <= 64 && size_of::<$name>() <= 64);
    };
}
pub(super) use record;
