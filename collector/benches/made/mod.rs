//! Made-up events of the datasets dns, http, tls and flow, the same ones every time.

use luytre_events::{Catalogue, CommunityId, Event, EventId, FlowContext, Transport, Value};

/// When the first event happens.
pub const START_NS: i64 = 1_795_305_600_000_000_000;

/// The event of a number, so many nanoseconds behind the one before.
pub fn event(number: u64, apart_ns: i64) -> Event {
    let catalogue = Catalogue::current();
    let field = |name: &str| catalogue.field_id(name).expect("a field of the catalogue");
    let text = |text: String| Value::Str(text.into());
    // Spread like traffic: few servers, more clients, random ports (multiplication by the golden ratio).
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let ip = |a: u64, b: u64| format!("203.0.{}.{}", 113 + a % 2, b % 250 + 1).parse().expect("an address");
    let source = (ip(0, random), u16::try_from(random % 50_000 + 10_000).unwrap_or(0));
    let (dataset, port) =
        [("dns", 53), ("http", 80), ("tls", 443), ("flow", 443)][usize::try_from(number % 4).unwrap_or(0)];
    let destination = (ip(1, random >> 9), port);
    // One name in sixteen is nobody else's.
    let host = match number % 64 {
        0 => format!("x{number:09}.kho.example"),
        _ => format!("may-{}.tinh.example", (random >> 5) % 400),
    };
    let fields = match dataset {
        "dns" => vec![
            (field("dns.question.name"), text(host)),
            (field("dns.question.type"), text("A".into())),
            (field("dns.type"), text("answer".into())),
            (field("dns.response_code"), text("NOERROR".into())),
            (field("dns.resolved_ip"), Value::List(vec![Value::Ip(destination.0)])),
        ],
        "http" => vec![
            (field("http.request.method"), text("GET".into())),
            (field("url.domain"), text(host.clone())),
            (field("url.original"), text(format!("/dich-vu/{}/ho-so?id={}", random % 90, random % 9000))),
            (field("url.full"), text(format!("http://{host}/dich-vu/{}/ho-so?id={}", random % 90, random % 9000))),
            (field("user_agent.original"), text("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36".into())),
            (field("http.response.status_code"), Value::U64(200)),
            (field("http.response.mime_type"), text("text/html".into())),
        ],
        "tls" => vec![
            (field("tls.client.server_name"), text(host)),
            (field("tls.version"), text("1.3".into())),
            (field("tls.client.ja3"), text(format!("{:032x}", random % 60))),
            (field("tls.established"), Value::Bool(true)),
        ],
        _ => vec![
            (field("source.bytes"), Value::U64(random % 90_000)),
            (field("destination.bytes"), Value::U64(random % 900_000)),
            (field("network.bytes"), Value::U64(random % 990_000)),
            (field("event.duration"), Value::U64(random % 9_000_000_000)),
        ],
    };
    Event {
        id: EventId { sensor: "dc".into(), sequence: number + 1 },
        time_ns: START_NS + i64::try_from(number).unwrap_or(0) * apart_ns,
        dataset: catalogue.dataset_id(dataset).expect("a dataset of the catalogue"),
        flow: Some(FlowContext {
            source,
            destination,
            transport: Transport::TCP,
            vlan: None,
            community_id: CommunityId::new(source, destination, Transport::TCP, false),
            protocol: Some(dataset.into()),
        }),
        fields,
    }
}
