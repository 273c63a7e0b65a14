//! An event as rsigma asks for it: by field name, without making JSON of it.

use std::borrow::Cow;
use std::sync::OnceLock;

use ahash::AHashMap;
use luytre_events::{Catalogue, Event, FieldId, Value, ValueRef};
use rsigma_eval::EventValue;

/// An event with the names of its fields.
pub(super) struct View<'e> {
    event: &'e Event,
    names: &'static Names,
}

/// Where the value of a name is found.
#[derive(Debug, Clone, Copy)]
enum Place {
    Body(FieldId),
    Timestamp,
    Dataset,
    Kind,
    Id,
    Observer,
    SourceIp,
    SourcePort,
    DestinationIp,
    DestinationPort,
    Transport,
    Protocol,
    CommunityId,
    Vlan,
}

/// Names of the current catalogue, prepared once.
struct Names {
    places: AHashMap<&'static str, Place>,
    /// The first part of each field's name, by field id.
    roots: Vec<&'static str>,
}

/// First parts of the envelope's names.
const ENVELOPE_ROOTS: [&str; 2] = ["@timestamp", "observer"];
/// First parts of a flow's names.
const FLOW_ROOTS: [&str; 3] = ["source", "destination", "network"];

impl Names {
    fn get() -> &'static Names {
        static NAMES: OnceLock<Names> = OnceLock::new();
        NAMES.get_or_init(|| {
            let fields = Catalogue::current().fields();
            let place = |(name, id): (&'static str, u16)| (name, place_of(name, FieldId(id)));
            Names {
                places: fields.iter().map(|f| f.name.as_str()).zip(0..).map(place).collect(),
                roots: fields.iter().map(|f| f.name.split('.').next().unwrap_or_default()).collect(),
            }
        })
    }
}

fn place_of(name: &str, id: FieldId) -> Place {
    match name {
        "@timestamp" => Place::Timestamp,
        "event.dataset" => Place::Dataset,
        "event.kind" => Place::Kind,
        "event.id" => Place::Id,
        "observer.name" => Place::Observer,
        "source.ip" => Place::SourceIp,
        "source.port" => Place::SourcePort,
        "destination.ip" => Place::DestinationIp,
        "destination.port" => Place::DestinationPort,
        "network.transport" => Place::Transport,
        "network.protocol" => Place::Protocol,
        "network.community_id" => Place::CommunityId,
        "network.vlan.id" => Place::Vlan,
        _ => Place::Body(id),
    }
}

impl<'e> View<'e> {
    pub(super) fn new(event: &'e Event) -> View<'e> {
        View { event, names: Names::get() }
    }

    fn body(&self, id: FieldId) -> Option<&Value> {
        self.event.fields.iter().find(|(field, _)| *field == id).map(|(_, value)| value)
    }

    fn at(&self, place: Place) -> Option<EventValue<'_>> {
        let text = |text: String| Some(EventValue::Str(Cow::Owned(text)));
        let port = |port: u16| Some(EventValue::Int(port.into()));
        let flow = self.event.flow.as_ref();
        match place {
            Place::Body(id) => self.body(id).map(|v| borrowed(v.borrow())),
            Place::Timestamp => text(luytre_events::json::time_text(self.event.time_ns)),
            Place::Dataset => Some(EventValue::Str(self.event.dataset_name().into())),
            Place::Kind => Some(EventValue::Str("event".into())),
            Place::Id => text(self.event.id.to_string()),
            Place::Observer => Some(EventValue::Str(Cow::Borrowed(&self.event.id.sensor))),
            Place::SourceIp => text(flow?.source.0.to_string()),
            Place::SourcePort => port(flow?.source.1),
            Place::DestinationIp => text(flow?.destination.0.to_string()),
            Place::DestinationPort => port(flow?.destination.1),
            Place::Transport => Some(EventValue::Str(flow?.transport.name().into())),
            Place::Protocol => Some(EventValue::Str(Cow::Borrowed(flow?.protocol.as_deref()?))),
            Place::CommunityId => text(flow?.community_id.to_string()),
            Place::Vlan => port(flow?.vlan?),
        }
    }

    /// Calls `visit` with every text in the body until it answers true.
    fn any_text(&self, visit: &mut dyn FnMut(&str) -> bool) -> bool {
        fn within(value: &Value, visit: &mut dyn FnMut(&str) -> bool) -> bool {
            match value {
                Value::Str(text) => visit(text),
                Value::List(items) => items.iter().any(|item| within(item, visit)),
                _ => false,
            }
        }
        self.event.fields.iter().any(|(_, value)| within(value, visit))
    }
}

fn borrowed(value: ValueRef<'_>) -> EventValue<'_> {
    match value {
        ValueRef::Bool(v) => EventValue::Bool(v),
        ValueRef::U64(v) => i64::try_from(v).map_or(EventValue::Float(v as f64), EventValue::Int),
        ValueRef::I64(v) => EventValue::Int(v),
        ValueRef::F64(v) => EventValue::Float(v),
        ValueRef::Str(v) => EventValue::Str(Cow::Borrowed(v)),
        ValueRef::List(items) => EventValue::Array(items.iter().map(|item| borrowed(item.borrow())).collect()),
        other @ (ValueRef::Ip(_) | ValueRef::Time(_) | ValueRef::Bytes(_)) => EventValue::Str(other.to_text().into()),
    }
}

impl rsigma_eval::Event for View<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        self.at(*self.names.places.get(path)?)
    }

    fn any_string_value(&self, pred: &dyn Fn(&str) -> bool) -> bool {
        self.any_text(&mut |text| pred(text))
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        let mut all = Vec::new();
        self.visit_string_values(&mut |text| all.push(Cow::Owned(text.to_owned())));
        all
    }

    fn visit_string_values(&self, visit: &mut dyn FnMut(&str)) {
        self.any_text(&mut |text| {
            visit(text);
            false
        });
    }

    /// Only the id: the engine asks for JSON to remember which events a correlation stands on, and nothing else.
    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "id": self.event.id.to_string() })
    }

    fn visit_top_level_keys(&self, visit: &mut dyn FnMut(&str)) -> bool {
        let flow_roots = if self.event.flow.is_some() { FLOW_ROOTS.as_slice() } else { &[] };
        // `event` is in the envelope, and its name is also that of many body fields.
        let mut seen: Vec<&str> = vec!["event"];
        seen.extend(ENVELOPE_ROOTS);
        seen.extend(flow_roots);
        for (id, _) in &self.event.fields {
            let root = self.names.roots.get(usize::from(id.0)).copied().unwrap_or_default();
            if !seen.contains(&root) {
                seen.push(root);
            }
        }
        seen.iter().for_each(|root| visit(root));
        true
    }

    fn top_level_keys(&self) -> Option<Vec<Cow<'_, str>>> {
        let mut keys = Vec::new();
        self.visit_top_level_keys(&mut |key| keys.push(Cow::Owned(key.to_owned())));
        Some(keys)
    }
}
