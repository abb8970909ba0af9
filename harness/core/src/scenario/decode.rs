//! Nodes into types: a serde deserializer over [`Node`] that keeps places, with errors that know theirs.
//!
//! Scalars are parsed by the type that asks for them. Enums are externally tagged: a bare name or one key.

mod fail;
mod spanned;

pub(crate) use fail::{Fail, Why};
use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
pub(crate) use spanned::Spanned;
use spanned::{PlacedValue, SPANNED};

use super::node::{Key, Node, Value};
use crate::diagnostics::Place;

/// Reads a type out of a node.
pub(crate) fn decode<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, Fail> {
    T::deserialize(Reader(node))
}

// === impl Reader ===

struct Reader<'de>(&'de Node);

impl<'de> Reader<'de> {
    fn number<T: std::str::FromStr>(&self, what: &str) -> Result<T, Fail> {
        self.0.text().and_then(|t| t.parse().ok()).ok_or_else(|| Fail::expected(what, self.0))
    }

    fn finish<T>(&self, result: Result<T, Fail>) -> Result<T, Fail> {
        result.map_err(|fail| fail.at(self.0.place))
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $what:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
            let number: $type = self.number($what)?;
            self.finish(visitor.$visit(number))
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fail;

    numbers! {
        deserialize_u8 visit_u64 u64, "a whole number";
        deserialize_u16 visit_u64 u64, "a whole number";
        deserialize_u32 visit_u64 u64, "a whole number";
        deserialize_u64 visit_u64 u64, "a whole number";
        deserialize_i8 visit_i64 i64, "a whole number";
        deserialize_i16 visit_i64 i64, "a whole number";
        deserialize_i32 visit_i64 i64, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_f32 visit_f64 f64, "a number";
        deserialize_f64 visit_f64 f64, "a number";
        deserialize_bool visit_bool bool, "true or false";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        let result = match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Scalar { text, quoted: true } => visitor.visit_borrowed_str(text),
            Value::Scalar { text, .. } => match text.as_str() {
                "true" => visitor.visit_bool(true),
                "false" => visitor.visit_bool(false),
                // Only numbers that print as they were written: 000012 and 1e3 stay text.
                text => match (text.parse::<i64>(), text.parse::<f64>()) {
                    (Ok(number), _) if number.to_string() == text => visitor.visit_i64(number),
                    (_, Ok(number)) if number.is_finite() && number.to_string() == text => {
                        visitor.visit_f64(number)
                    }
                    _ => visitor.visit_borrowed_str(text),
                },
            },
            Value::Map(entries) => visitor.visit_map(Entries::new(entries)),
            Value::Seq(elements) => visitor.visit_seq(Elements(elements.iter())),
        };
        self.finish(result)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        let text = self.0.text().ok_or_else(|| Fail::expected("text", self.0))?;
        self.finish(visitor.visit_borrowed_str(text))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        match self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fail> {
        let node = self.0;
        let result = match name {
            SPANNED => visitor.visit_seq(PlacedValue::new(node.place, Reader(node))),
            _ => visitor.visit_newtype_struct(Reader(node)),
        };
        self.finish(result)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        match &self.0.value {
            Value::Seq(elements) => self.finish(visitor.visit_seq(Elements(elements.iter()))),
            _ => Err(Fail::expected("a list", self.0)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fail> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        match &self.0.value {
            Value::Map(entries) => self.finish(visitor.visit_map(Entries::new(entries))),
            _ => Err(Fail::expected("a mapping", self.0)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fail> {
        match &self.0.value {
            Value::Map(entries) => self.finish(visitor.visit_map(Entries::new(entries))),
            _ if keys.is_empty() => Err(Fail::expected("an empty mapping, {}", self.0)),
            _ => Err(Fail::expected(format!("a mapping with {}", keys.join(", ")), self.0)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fail> {
        let result = match &self.0.value {
            Value::Scalar { text, .. } => {
                visitor.visit_enum(Choice { name: text, name_place: self.0.place, value: None })
            }
            Value::Map(entries) => match entries.as_slice() {
                [(key, node)] => {
                    visitor.visit_enum(Choice { name: &key.text, name_place: key.place, value: Some(node) })
                }
                [] => Err(Why::Choose(self.0.kind(), names).into()),
                [(first, _), (second, _), ..] => Err(Fail {
                    place: Some(second.place),
                    why: Why::Second(first.text.clone(), second.text.clone()),
                }),
            },
            _ => Err(Why::Choose(self.0.kind(), names).into()),
        };
        self.finish(result)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        visitor.visit_unit()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        match self.0.value {
            Value::Null => visitor.visit_unit(),
            _ => Err(Fail::expected("nothing", self.0)),
        }
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit_struct tuple_struct }
}

// === maps, lists, enums ===

struct Entries<'de> {
    rest: std::slice::Iter<'de, (Key, Node)>,
    value: Option<&'de Node>,
}

impl<'de> Entries<'de> {
    fn new(entries: &'de [(Key, Node)]) -> Self {
        Self { rest: entries.iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fail;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fail> {
        let Some((key, node)) = self.rest.next() else { return Ok(None) };
        self.value = Some(node);
        seed.deserialize(KeyReader(key)).map(Some).map_err(|fail| fail.at(key.place))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fail> {
        let node = self.value.take().expect("serde asks for a key first");
        seed.deserialize(Reader(node)).map_err(|fail| fail.at(node.place))
    }
}

struct Elements<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Fail;
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fail> {
        self.0.next().map(|node| seed.deserialize(Reader(node))).transpose()
    }
}

struct KeyReader<'de>(&'de Key);

impl<'de> Deserializer<'de> for KeyReader<'de> {
    type Error = Fail;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fail> {
        visitor.visit_borrowed_str(&self.0.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fail> {
        match name {
            SPANNED => visitor.visit_seq(PlacedValue::new(self.0.place, KeyReader(self.0))),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fail> {
        visitor.visit_enum(Choice { name: &self.0.text, name_place: self.0.place, value: None })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

struct Choice<'de> {
    name: &'de str,
    name_place: Place,
    value: Option<&'de Node>,
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Fail;
    type Variant = Self;
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fail> {
        let name: StrDeserializer<'_, Fail> = self.name.into_deserializer();
        let variant = seed.deserialize(name).map_err(|fail| fail.at(self.name_place))?;
        Ok((variant, self))
    }
}

impl<'de> Choice<'de> {
    fn parameters(&self) -> Result<Reader<'de>, Fail> {
        let name = self.name;
        self.value
            .map(Reader)
            .ok_or_else(|| Fail { place: Some(self.name_place), why: Why::Bare(name.to_owned()) })
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Fail;
    fn unit_variant(self) -> Result<(), Fail> {
        match self.value {
            None | Some(Node { value: Value::Null, .. }) => Ok(()),
            Some(node) => Err(Fail::expected(format!("`{}` alone, it takes no parameters", self.name), node)),
        }
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fail> {
        let reader = self.parameters()?;
        let place = reader.0.place;
        seed.deserialize(reader).map_err(|fail| fail.at(place))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fail> {
        self.parameters()?.deserialize_seq(visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fail> {
        self.parameters()?.deserialize_struct("", keys, visitor)
    }
}
