//! `record!`: a parser's typed record, its field definitions and the way into an event, from one declaration.

/// Declares a record: a struct whose fields each carry their catalogue name, kind, index hint and meaning.
///
/// ```
/// luytre_events::record! {
///     /// One question asked of a name server.
///     pub struct Question in "dns" {
///         /// The name asked for, in lower case, without the last dot.
///         name: String = "dns.question.name", Keyword, Column;
///         /// Addresses in the answer.
///         ips: Vec<std::net::IpAddr> = "dns.resolved_ip", Ip list, Term;
///     }
/// }
/// ```
///
/// Absent values (`None`, empty lists) are left out of the event. The names must be in `catalogue.json`: after a change
/// run `cargo xtask generate`.
#[macro_export]
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $Record:ident in $dataset:literal {
            $(
                $(#[doc = $fdoc:literal])*
                $field:ident: $type:ty = $name:literal, $kind:ident $($list:ident)?, $hint:ident;
            )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Default, Clone)]
        $vis struct $Record {
            $($(#[doc = $fdoc])* pub $field: $type,)*
        }

        impl $Record {
            /// The dataset this record belongs to, with its fields.
            pub const DATASET: $crate::DatasetDef = $crate::DatasetDef {
                name: $dataset,
                doc: concat!($($doc,)* ""),
                fields: &[$($crate::FieldDef {
                    name: $name,
                    kind: $crate::Kind::$kind,
                    list: $crate::record!(@list $($list)?),
                    index: $crate::IndexHint::$hint,
                    doc: concat!($($fdoc,)* ""),
                },)*],
            };

            /// The dataset's id and the fields that are present, ready for an event.
            #[allow(clippy::vec_init_then_push, reason = "one push per declared field")]
            pub fn into_body(self) -> ($crate::DatasetId, Vec<($crate::FieldId, $crate::Value)>) {
                static IDS: std::sync::OnceLock<($crate::DatasetId, Vec<$crate::FieldId>)> = std::sync::OnceLock::new();
                let (dataset, ids) = IDS.get_or_init(|| $crate::Catalogue::current().resolve(&$Record::DATASET));
                let mut body = Vec::with_capacity(ids.len());
                let mut ids = ids.iter();
                $(
                    if let (Some(id), Some(value)) = (ids.next(), $crate::value::IntoValue::into_value(self.$field)) {
                        body.push((*id, value));
                    }
                )*
                (*dataset, body)
            }
        }
    };
    (@list list) => { true };
    (@list) => { false };
}
