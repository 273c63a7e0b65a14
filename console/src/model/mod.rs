//! The console's own words: what people do with alerts. Plain types that the store returns and the API sends; times are
//! RFC 3339 UTC texts. What the collector says has its own types in `luytre_collector_api`.

pub mod access;
pub mod agencies;
pub mod agency_notices;
pub mod alerts;
pub mod case_work;
pub mod cases;
pub mod collector_views;
pub mod handovers;
pub mod notices;
pub mod overview;
pub mod records;
pub mod rosters;
pub mod suppressions;
pub mod triage;
pub mod users;

pub use access::*;
pub use agencies::*;
pub use agency_notices::*;
pub use alerts::*;
pub use case_work::*;
pub use cases::*;
pub use collector_views::*;
pub use handovers::*;
pub use notices::*;
pub use overview::*;
pub use records::*;
pub use rosters::*;
pub use suppressions::*;
pub use triage::*;
pub use users::*;

/// The wire name of an enum value (`snake_case`), as the database keeps it.
pub fn wire_name<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// The enum value of a wire name, or nothing when there is no such value.
pub fn from_wire_name<T: serde::de::DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        assert_eq!(wire_name(&Verdict::FalsePositive), "false_positive");
        assert_eq!(from_wire_name::<Verdict>("false_positive"), Some(Verdict::FalsePositive));
        assert_eq!(from_wire_name::<Verdict>("nonsense"), None);
    }
}
