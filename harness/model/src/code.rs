//! Enums with a frozen one-byte code and a frozen name, as records and reports need them.

/// Declares an enum whose variants have a stable code (stored) and a stable name (shown, matched in scenarios).
macro_rules! code_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal => $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant = $code,)+ }

        impl $name {
            /// Every variant, in order of code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The stable code.
            pub const fn code(self) -> u8 { self as u8 }

            /// The variant of a code; unknown codes (a newer writer) read as the first variant.
            pub fn from_code(code: u8) -> Self {
                Self::ALL.iter().copied().find(|v| *v as u8 == code).unwrap_or_default()
            }

            /// The variant of a name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.name() == name)
            }
        }

        impl Default for $name {
            fn default() -> Self { Self::ALL[0] }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::from_name(&text).ok_or_else(|| {
                    serde::de::Error::unknown_variant(&text, &[$($text,)+])
                })
            }
        }

        impl crate::records::Field for $name {
            const LEN: usize = 1;
            fn put(&self, out: &mut Vec<u8>) { out.push(*self as u8); }
            fn take(input: &mut &[u8]) -> Option<Self> { u8::take(input).map(Self::from_code) }
        }
    };
}
pub(crate) use code_enum;
