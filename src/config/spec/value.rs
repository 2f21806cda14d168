//! The shapes of single values, each with the words that tell what was expected. Visitors are written by hand, since
//! serde's `untagged` and `flatten` lose places.

use std::{fmt, marker::PhantomData, ops::Deref};

use serde::{
    Deserialize, Deserializer,
    de::{self, value::MapAccessDeserializer},
};
use toml::Spanned;

macro_rules! text {
    ($($(#[$doc:meta])* $name:ident: $expected:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) struct $name(pub(crate) String);

        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        Ok($name(text.to_owned()))
                    }
                }
                from.deserialize_str(Visitor)
            }
        }
    )*};
}

text! {
    /// A word, a name, a path.
    Text: "text in quotes";
    /// A duration.
    DurationText: "a duration in quotes, such as \"250ms\" or \"1m30s\"";
    /// A size.
    SizeText: "a size in quotes, such as \"4MiB\"";
    /// A share.
    ShareText: "a share in quotes, such as \"50%\"";
    /// A distance.
    DistanceText: "a distance in quotes, such as \"500km\"";
}

/// A whole number. One beyond 64 bits is kept as the largest or smallest: no key takes either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) i64);

/// A number with or without a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Real(pub(crate) f64);

/// A text, a number, or yes or no, as JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar(pub(crate) String);

/// A number, or a word in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NumberOr {
    Number(i64),
    Word(String),
}

/// One text, or a list of texts.
#[derive(Clone, Debug)]
pub(crate) enum List {
    One(String),
    Many(Vec<Spanned<Text>>),
}

impl List {
    /// The texts with their places; `whole` is the place of the value.
    pub(crate) fn items(whole: &Spanned<Self>) -> Vec<Spanned<String>> {
        match whole.get_ref() {
            Self::One(text) => vec![Spanned::new(whole.span(), text.clone())],
            Self::Many(items) => items.iter().map(|item| Spanned::new(item.span(), item.get_ref().0.clone())).collect(),
        }
    }
}

/// A table without keys: what it stands under says all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nothing;

/// A word, or a table in its place.
#[derive(Clone, Debug)]
pub(crate) enum TableOr<T> {
    Word(String),
    Table(T),
}

fn held<E>(number: i128) -> Result<i64, E> {
    Ok(number.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
}

macro_rules! whole_numbers {
    ($make:expr) => {
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok($make(number))
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            held(number.into()).map($make)
        }
        fn visit_i128<E: de::Error>(self, number: i128) -> Result<Self::Value, E> {
            held(number).map($make)
        }
        fn visit_u128<E: de::Error>(self, _number: u128) -> Result<Self::Value, E> {
            Ok($make(i64::MAX))
        }
    };
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Whole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }
            whole_numbers!(Whole);
        }
        from.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for NumberOr {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = NumberOr;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or text in quotes")
            }
            whole_numbers!(NumberOr::Number);
            fn visit_str<E: de::Error>(self, text: &str) -> Result<NumberOr, E> {
                Ok(NumberOr::Word(text.to_owned()))
            }
        }
        from.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Real;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Real, E> {
                Ok(Real(number))
            }
            whole_numbers!(|number: i64| Real(number as f64));
        }
        from.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes, a number, true or false")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(serde_json::Value::from(text).to_string()))
            }
            fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Scalar, E> {
                Ok(Scalar(yes.to_string()))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar(serde_json::Value::from(number).to_string()))
            }
            whole_numbers!(|number: i64| Scalar(number.to_string()));
        }
        from.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Nothing;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an empty table, `{}`")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut from: A) -> Result<Nothing, A::Error> {
                match from.next_key::<String>()? {
                    Some(_) => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
                    None => Ok(Nothing),
                }
            }
        }
        from.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = List;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts in quotes")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<List, E> {
                Ok(List::One(text.to_owned()))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut from: A) -> Result<List, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = from.next_element()? {
                    items.push(item);
                }
                Ok(List::Many(items))
            }
        }
        from.deserialize_any(Visitor)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TableOr<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = TableOr<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes or a table")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<TableOr<T>, E> {
                Ok(TableOr::Word(text.to_owned()))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, from: A) -> Result<TableOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(from)).map(TableOr::Table)
            }
        }
        from.deserialize_any(Visitor(PhantomData))
    }
}
