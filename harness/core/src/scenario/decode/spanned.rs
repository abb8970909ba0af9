//! Values with their places.

use serde::de::value::U32Deserializer;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, SeqAccess, Visitor};

use super::Fail;
use crate::diagnostics::Place;

/// A value with its place.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

// === impl Spanned ===

/// The name by which [`Spanned`] asks a [`Reader`] for the place.
pub(super) const SPANNED: &str = "$gatecrash::Spanned";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Placed<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Placed<T> {
            type Value = Spanned<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
                Ok(Spanned { value: T::deserialize(d)?, place: Place::default() })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut part = || seq.next_element::<u32>().map(Option::unwrap_or_default);
                let place = Place { source: part()? as u16, start: part()?, end: part()? };
                let value = seq.next_element()?.ok_or_else(|| de::Error::custom("no value"))?;
                Ok(Spanned { value, place })
            }
        }
        deserializer.deserialize_newtype_struct(SPANNED, Placed(std::marker::PhantomData))
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

/// Hands out the three numbers of a place, then the value.
pub(super) struct PlacedValue<D> {
    numbers: std::array::IntoIter<u32, 3>,
    value: Option<D>,
}

impl<D> PlacedValue<D> {
    pub(super) fn new(place: Place, value: D) -> Self {
        let numbers = [u32::from(place.source), place.start, place.end].into_iter();
        Self { numbers, value: Some(value) }
    }
}

impl<'de, D: Deserializer<'de, Error = Fail>> SeqAccess<'de> for PlacedValue<D> {
    type Error = Fail;
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fail> {
        if let Some(number) = self.numbers.next() {
            let number: U32Deserializer<Fail> = number.into_deserializer();
            return seed.deserialize(number).map(Some);
        }
        self.value.take().map(|value| seed.deserialize(value)).transpose()
    }
}
