//! The value of a field.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// An owned value. The order of the variants is part of the wire form: add at the end only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// An unsigned number.
    U64(u64),
    /// A signed number.
    I64(i64),
    /// A floating point number.
    F64(f64),
    /// Text. Bytes that were not UTF-8 are written as `\xNN` by the parser that made it.
    Str(Box<str>),
    /// An address.
    Ip(IpAddr),
    /// Nanoseconds since 1970-01-01 UTC.
    Time(i64),
    /// Raw bytes.
    Bytes(Box<[u8]>),
    /// Several values of one kind. Lists do not nest: bytes from elsewhere cannot make the decoder recurse.
    List(#[serde(deserialize_with = "flat_list")] Vec<Value>),
}

/// What a list may hold: the variants of [`Value`] before the list, in the same order.
#[derive(Deserialize)]
enum Single {
    Bool(bool),
    U64(u64),
    I64(i64),
    F64(f64),
    Str(Box<str>),
    Ip(IpAddr),
    Time(i64),
    Bytes(Box<[u8]>),
}

impl From<Single> for Value {
    fn from(single: Single) -> Value {
        match single {
            Single::Bool(v) => Value::Bool(v),
            Single::U64(v) => Value::U64(v),
            Single::I64(v) => Value::I64(v),
            Single::F64(v) => Value::F64(v),
            Single::Str(v) => Value::Str(v),
            Single::Ip(v) => Value::Ip(v),
            Single::Time(v) => Value::Time(v),
            Single::Bytes(v) => Value::Bytes(v),
        }
    }
}

fn flat_list<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
    Ok(Vec::<Single>::deserialize(deserializer)?.into_iter().map(Value::from).collect())
}

/// A borrowed value, as [`Event::get`](crate::Event::get) and the visitors hand it out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// True or false.
    Bool(bool),
    /// An unsigned number.
    U64(u64),
    /// A signed number.
    I64(i64),
    /// A floating point number.
    F64(f64),
    /// Text.
    Str(&'a str),
    /// An address.
    Ip(IpAddr),
    /// Nanoseconds since 1970-01-01 UTC.
    Time(i64),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// Several values.
    List(&'a [Value]),
}

impl Value {
    /// The same value, borrowed.
    pub fn borrow(&self) -> ValueRef<'_> {
        match self {
            Value::Bool(v) => ValueRef::Bool(*v),
            Value::U64(v) => ValueRef::U64(*v),
            Value::I64(v) => ValueRef::I64(*v),
            Value::F64(v) => ValueRef::F64(*v),
            Value::Str(v) => ValueRef::Str(v),
            Value::Ip(v) => ValueRef::Ip(*v),
            Value::Time(v) => ValueRef::Time(*v),
            Value::Bytes(v) => ValueRef::Bytes(v),
            Value::List(v) => ValueRef::List(v),
        }
    }
}

impl ValueRef<'_> {
    /// The value as one line of plain text: what a person would copy and what a keyword term is made of. Items of a
    /// list are joined by a comma and a space.
    pub fn to_text(&self) -> String {
        match self {
            ValueRef::Bool(v) => v.to_string(),
            ValueRef::U64(v) => v.to_string(),
            ValueRef::I64(v) => v.to_string(),
            ValueRef::F64(v) => v.to_string(),
            ValueRef::Str(v) => (*v).to_owned(),
            ValueRef::Ip(v) => v.to_string(),
            ValueRef::Time(v) => crate::json::time_text(*v),
            ValueRef::Bytes(v) => crate::json::base64_text(v),
            ValueRef::List(v) => v.iter().map(|item| item.borrow().to_text()).collect::<Vec<_>>().join(", "),
        }
    }
}

/// What a record field may hold. Absent values (`None`, empty lists) are not written.
pub trait IntoValue {
    /// The value, or nothing where there is nothing to say.
    fn into_value(self) -> Option<Value>;
}

macro_rules! into_value {
    ($($type:ty => |$v:ident| $make:expr;)*) => {$(
        impl IntoValue for $type {
            fn into_value(self) -> Option<Value> {
                let $v = self;
                Some($make)
            }
        }
    )*};
}

into_value! {
    bool => |v| Value::Bool(v);
    u8 => |v| Value::U64(v.into());
    u16 => |v| Value::U64(v.into());
    u32 => |v| Value::U64(v.into());
    u64 => |v| Value::U64(v);
    i64 => |v| Value::I64(v);
    f64 => |v| Value::F64(v);
    String => |v| Value::Str(v.into_boxed_str());
    Box<str> => |v| Value::Str(v);
    &str => |v| Value::Str(v.into());
    IpAddr => |v| Value::Ip(v);
    Box<[u8]> => |v| Value::Bytes(v);
    Value => |v| v;
}

/// A moment in nanoseconds since 1970-01-01 UTC, for record fields of kind [`Kind::Date`](crate::Kind::Date).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeNs(pub i64);

impl IntoValue for TimeNs {
    fn into_value(self) -> Option<Value> {
        Some(Value::Time(self.0))
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Option<Value> {
        self.and_then(IntoValue::into_value)
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Option<Value> {
        let mut items = Vec::with_capacity(self.len());
        items.extend(self.into_iter().filter_map(IntoValue::into_value));
        (!items.is_empty()).then_some(Value::List(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_a_list_is_refused_however_deep_it_is() {
        let flat = Value::List(vec![Value::U64(7), Value::Str("a".into())]);
        let bytes = postcard::to_stdvec(&flat).unwrap();
        assert_eq!(postcard::from_bytes::<Value>(&bytes).unwrap(), flat);
        // The variant's number and a length of one, over and over: a recursive reader would run out of stack.
        let deep = [8u8, 1].repeat(1 << 20);
        assert!(postcard::from_bytes::<Value>(&deep).is_err());
        let nested = postcard::to_stdvec(&Value::List(vec![flat])).unwrap();
        assert!(postcard::from_bytes::<Value>(&nested).is_err());
    }
}
