//! Search compared with the plain path, paging, stages, facets, and queries that are wrong.

mod fast;

use std::net::IpAddr;
use std::sync::OnceLock;

use luytre_events::{CommunityId, Event, EventId, FlowContext, Transport, Value};
use proptest::prelude::*;

use super::*;
use crate::index::filing::DAY_NS;
use crate::index::{IndexSettings, Mark, Writer};

const START_NS: i64 = 1_795_305_600_000_000_000; // 2026-11-22T00:00:00Z
/// When all events of these tests were received.
const RECEIVED_NS: i64 = START_NS + 7 * DAY_NS;
const EVENTS: usize = 1500;

/// A small generator, so that the same events come out every time (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.next(of.len() as u64)).unwrap()]
    }
}

const HOSTS: [&str; 6] = [
    "cong.tinh.example",
    "mail.so-y-te.example",
    "C2.Sinkhole.Example",
    "a1.b2.c3.tunnel.example",
    "sở-tài-chính.example",
    "",
];
const PATHS: [&str; 6] =
    ["/", "/dang-nhap", "/upload/anh.php?cmd=id", "/tim?q=S%E1%BB%9F", "/Báo cáo/Đường đi.pdf", "/a b\"c\\d*"];
const AGENTS: [&str; 4] =
    ["curl/8.5.0", "sqlmap/1.8 (https://sqlmap.org)", "Mozilla/5.0 (X11; Linux x86_64)", "Trình duyệt Việt"];
const ADDRESSES: [&str; 7] = [
    "192.0.2.66",
    "192.0.2.99",
    "198.51.100.10",
    "203.0.113.5",
    "203.0.113.33",
    "2001:db8:cafe::5",
    "2001:db8:cafe:1::9",
];

pub(crate) fn event_of(sensor: &str, sequence: u64, time_ns: i64, dataset: &str, fields: &[(&str, Value)]) -> Event {
    let catalogue = Catalogue::current();
    Event {
        id: EventId { sensor: sensor.into(), sequence },
        time_ns,
        dataset: catalogue.dataset_id(dataset).unwrap(),
        flow: None,
        fields: fields.iter().map(|(name, value)| (catalogue.field_id(name).unwrap(), value.clone())).collect(),
    }
}

fn text(text: &str) -> Value {
    Value::Str(text.into())
}

fn events() -> &'static [Event] {
    static EVENTS_MADE: OnceLock<Vec<Event>> = OnceLock::new();
    EVENTS_MADE.get_or_init(|| {
        let mut random = Random(0x1234_5678_9abc_def1);
        (0..EVENTS).map(|n| make(&mut random, n as u64)).collect()
    })
}

fn make(random: &mut Random, number: u64) -> Event {
    let address = |random: &mut Random| -> IpAddr { random.pick(&ADDRESSES).parse().unwrap() };
    let mut fields: Vec<(&str, Value)> = Vec::new();
    let dataset = random.pick(&["dns", "http", "tls", "flow"]);
    match dataset {
        "dns" => {
            fields.push(("dns.question.name", text(random.pick(&HOSTS))));
            fields.push(("dns.question.entropy", Value::F64(random.next(50) as f64 / 10.0)));
            let ips = (0..random.next(4)).map(|_| Value::Ip(address(random))).collect::<Vec<_>>();
            if !ips.is_empty() {
                fields.push(("dns.resolved_ip", Value::List(ips)));
            }
            fields.push(("dns.malformed", Value::Bool(random.next(9) == 0)));
        }
        "http" => {
            fields.push(("url.domain", text(random.pick(&HOSTS))));
            fields.push(("url.original", text(random.pick(&PATHS))));
            fields.push(("url.path", text(random.pick(&PATHS))));
            fields.push(("user_agent.original", text(random.pick(&AGENTS))));
            fields.push(("http.response.status_code", Value::U64(random.pick(&[200, 302, 404, 500]))));
            fields.push(("http.response.reason", text("OK")));
            let names = (0..random.next(3)).map(|_| text(random.pick(&AGENTS))).collect::<Vec<_>>();
            if !names.is_empty() {
                fields.push(("http.request.headers", Value::List(names)));
            }
        }
        "tls" => {
            fields.push(("tls.client.server_name", text(random.pick(&HOSTS))));
            fields.push((
                "tls.server.not_before",
                Value::Time(START_NS + i64::try_from(random.next(9)).unwrap() * 3_600_000_000_000),
            ));
        }
        _ => {
            fields.push(("source.bytes", Value::U64(random.next(5000))));
            fields.push(("network.bytes", Value::U64(random.next(u64::MAX >> 34))));
        }
    }
    // Three days, several events at the same moment.
    let time_ns = START_NS + i64::try_from(random.next(1000)).unwrap() * 259_200_000_000;
    let mut event = event_of(random.pick(&["dc", "wan:1"]), number + 1, time_ns, dataset, &fields);
    if random.next(10) > 0 {
        let source = (address(random), u16::try_from(random.next(60_000)).unwrap());
        let destination = (address(random), random.pick(&[53u16, 80, 443, 8443]));
        event.flow = Some(FlowContext {
            source,
            destination,
            transport: random.pick(&[Transport::TCP, Transport::UDP]),
            vlan: (random.next(3) == 0).then_some(7),
            community_id: CommunityId::new(source, destination, Transport::TCP, false),
            protocol: Some(dataset.into()),
        });
    }
    event
}

fn small() -> IndexSettings {
    IndexSettings { memory_mb: 15, ..IndexSettings::default() }
}

fn store_with(events: &[Event], batch: usize) -> (tempfile::TempDir, Search) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut writer = Writer::live(store.clone(), &small());
    for (number, batch) in (1..).zip(events.chunks(batch)) {
        writer.add(batch, RECEIVED_NS, Mark { segment: 1, offset: number }).unwrap();
        writer.commit().unwrap();
    }
    (dir, Search::new(store, SearchSettings::default()))
}

fn shared() -> &'static Search {
    static SHARED: OnceLock<(tempfile::TempDir, Search)> = OnceLock::new();
    &SHARED.get_or_init(|| store_with(events(), 700)).1
}

fn request(query: &str) -> SearchRequest {
    SearchRequest { query: query.to_owned(), limit: Some(10_000), ..SearchRequest::default() }
}

fn run(query: &str) -> SearchAnswer {
    shared().run(&request(query), START_NS).unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn ids(answer: &SearchAnswer) -> Vec<String> {
    answer.events.iter().map(|e| e.0["event"]["id"].as_str().unwrap().to_owned()).collect()
}

/// What the plain path says, newest first.
fn plainly(query: &str) -> Vec<String> {
    let context = parser::Context { catalogue: Catalogue::current(), now_ns: START_NS };
    let filter = parser::parse(query, context).unwrap_or_else(|error| panic!("{query}: {error}")).filter;
    let mut found: Vec<&Event> = events().iter().filter(|event| plain::matches(&filter, event)).collect();
    found.sort_by(|a, b| (b.time_ns, b.id.sequence, &b.id.sensor).cmp(&(a.time_ns, a.id.sequence, &a.id.sensor)));
    found.iter().map(|event| event.id.to_string()).collect()
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn arb_term() -> impl Strategy<Value = String> {
    let of = |list: &'static [&'static str]| proptest::sample::select(list);
    prop_oneof![
        (of(&["dns.question.name", "tls.client.server_name", "url.domain"]), of(&HOSTS))
            .prop_map(|(f, v)| format!("{f}:{}", quoted(v))),
        (of(&["url.original", "url.path"]), of(&PATHS)).prop_map(|(f, v)| format!("{f}:{}", quoted(v))),
        of(&[
            "url.original:/dang*",
            "url.path:*.php?cmd*",
            "dns.question.name:*.EXAMPLE",
            "url.domain:?ong.*",
            "url.path:\\*",
            "http.request.headers:*sqlmap*",
            "url.path:~\"^/dang.*$\"",
            "url.path:~\"[?&]CMD=\"",
            "dns.question.name:~\"^[a-z]+\\.example$\"",
            "tls.client.server_name:~\"(cong|mot)\"",
            "http.request.headers:~\"sql.ap\""
        ])
        .prop_map(str::to_owned),
        of(&[
            "curl",
            "\"duong di\"",
            "so",
            "đường",
            "tinh.example",
            "sqlm*",
            "Trình",
            "\"viet trinh\"",
            "example",
            "8.5",
            "b?o"
        ])
        .prop_map(str::to_owned),
        (of(&["source.ip", "destination.ip", "dns.resolved_ip"]), of(&ADDRESSES)).prop_map(|(f, v)| format!("{f}:{v}")),
        (
            of(&["source.ip", "dns.resolved_ip"]),
            of(&["192.0.2.0/24", "203.0.113.0/27", "2001:db8:cafe::/48", "0.0.0.0/0", "[192.0.2.1 TO 198.51.100.99]"])
        )
            .prop_map(|(f, v)| format!("{f}:{v}")),
        of(&ADDRESSES).prop_map(str::to_owned),
        of(&["203.0.113.0/24", "2001:db8::/32"]).prop_map(str::to_owned),
        (0u64..5000, 0u64..5000).prop_map(|(a, b)| format!("source.bytes:[{} TO {}}}", a.min(b), a.max(b))),
        (0u64..5000).prop_map(|n| format!("source.bytes:>={n}")),
        of(&[
            "network.vlan.id:7",
            "http.response.status_code:(200 OR 404)",
            "http.response.status_code:<400",
            "destination.port:443"
        ])
        .prop_map(str::to_owned),
        (0u32..50).prop_map(|n| format!("dns.question.entropy:<{}", f64::from(n) / 10.0)),
        of(&[
            "dns.malformed:true",
            "dns.malformed:false",
            "event.dataset:dns",
            "event.dataset:(http OR tls)",
            "observer.name:DC",
            "network.protocol:tls"
        ])
        .prop_map(str::to_owned),
        of(&[
            "dns.resolved_ip:*",
            "network.community_id:*",
            "http.request.headers:*",
            "http.response.reason:*",
            "source.ip:*",
            "url.original:*"
        ])
        .prop_map(str::to_owned),
        of(&[
            "@timestamp:2026-11-23",
            "@timestamp:>=2026-11-23T06:00",
            "@timestamp:[now TO now+1d]",
            "tls.server.not_before:<2026-11-22T04:00:00Z"
        ])
        .prop_map(str::to_owned),
        (1u64..1500).prop_map(|n| format!("event.id:(dc:{n} OR wan:1:{n})")),
    ]
}

fn arb_query() -> impl Strategy<Value = String> {
    arb_term().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} -{b}")),
            inner.clone().prop_map(|a| format!("NOT ({a})")),
        ]
    })
}

/// Found by chance: an intersection below a negation makes the engine look backwards in a column of addresses.
#[test]
fn what_is_outside_a_network_is_found() {
    let query = "NOT (source.ip:* AND source.ip:192.0.2.0/24)";
    let answer = run(query);
    assert_eq!(ids(&answer), plainly(query));
    assert!(answer.partial.is_empty(), "{:?}", answer.partial);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_index_finds_what_the_plain_path_finds(query in arb_query()) {
        let answer = run(&query);
        let expected = plainly(&query);
        prop_assert_eq!(answer.total, expected.len() as u64, "{}", query);
        prop_assert_eq!(ids(&answer), expected, "{}", query);
        prop_assert!(answer.partial.is_empty());
    }

    #[test]
    fn no_text_makes_the_parser_panic_and_errors_point_into_it(query in "[a-z0-9.:*?()\\[\\]{}\"|<>= AORNDTt\\\\-]{0,60}") {
        let context = parser::Context { catalogue: Catalogue::current(), now_ns: START_NS };
        if let Err(error) = parser::parse(&query, context) {
            prop_assert!(error.position as usize <= query.chars().count(), "{} at {}", error, error.position);
            prop_assert!(!error.message.is_empty());
        }
    }
}

#[test]
fn each_term_finds_something() {
    for query in [
        "curl",
        "\"duong di\"",
        "192.0.2.0/24",
        "dns.resolved_ip:*",
        "url.path:*.php?cmd*",
        "http.response.reason:*",
        "sqlm*",
    ] {
        assert!(run(query).total > 0, "{query}");
    }
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition() {
    let all = ids(&run("event.dataset:(dns OR http)"));
    let mut paged = Vec::new();
    let mut cursor = None;
    loop {
        let page = SearchRequest { limit: Some(97), cursor, ..request("event.dataset:(dns OR http)") };
        let answer = shared().run(&page, START_NS).unwrap();
        assert_eq!(answer.total, all.len() as u64);
        paged.extend(ids(&answer));
        cursor = answer.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, all);
}

#[test]
fn counts_sums_facets_and_timelines_add_up() {
    let table = run("event.dataset:http | count by url.domain, http.response.status_code | top 1000").table.unwrap();
    assert_eq!(table.columns, ["url.domain", "http.response.status_code", "count"]);
    let sum: u64 = table.rows.iter().map(|row| row[2].as_u64().unwrap()).sum();
    assert_eq!(sum, run("event.dataset:http").total);
    let counts: Vec<u64> = table.rows.iter().map(|row| row[2].as_u64().unwrap()).collect();
    assert!(counts.windows(2).all(|w| w[0] >= w[1]));

    // A field without a column, with several values an event.
    let table = run("* | count by http.request.headers").table.unwrap();
    for row in &table.rows {
        let agent = row[0].as_str().unwrap();
        let expected = plainly(&format!("http.request.headers:{}", quoted(agent))).len() as u64;
        assert_eq!(row[1].as_u64().unwrap(), expected, "{agent}");
    }
    assert_eq!(table.rows.len(), AGENTS.len());

    let bytes = |event: &Event| match event.get_named("network.bytes") {
        Some(Value::U64(bytes)) => bytes,
        _ => 0,
    };
    let expected: u64 = events().iter().map(bytes).sum();
    let table = run("event.dataset:flow | sum network.bytes by event.dataset").table.unwrap();
    assert_eq!(table.rows[0][1].as_u64().unwrap(), expected);

    let faceted = SearchRequest { facets: vec!["source.ip".into()], timeline_bars: Some(30), ..request("curl") };
    let answer = shared().run(&faceted, START_NS).unwrap();
    let ip = &answer.facets[0].values[0];
    assert_eq!(ip.count, run(&format!("curl AND source.ip:{}", ip.value)).total);
    let timeline = answer.timeline.unwrap();
    assert_eq!(timeline.bars.iter().map(|bar| bar.count).sum::<u64>(), answer.total);
    assert!((10..=31).contains(&timeline.bars.len()), "{}", timeline.bars.len());
    let timeline = run("curl | timeline 1d").timeline.unwrap();
    assert_eq!(timeline.bars.iter().map(|bar| bar.count).sum::<u64>(), answer.total);
    assert_eq!(timeline.bars[0].start, "2026-11-22T00:00:00.000000000Z");
}

#[test]
fn measures_tell_what_plain_arithmetic_does() {
    let bytes: Vec<(String, u64)> = events()
        .iter()
        .filter_map(|event| match event.get_named("network.bytes") {
            Some(Value::U64(bytes)) => Some((event.id.sensor.to_string(), bytes)),
            _ => None,
        })
        .collect();
    let query = "event.dataset:flow | count, sum network.bytes, avg network.bytes, min network.bytes, max network.bytes, \
                 p50 network.bytes, distinct network.bytes, first by observer.name";
    let table = run(query).table.unwrap();
    assert_eq!(table.columns[1..4], ["count", "sum(network.bytes)", "avg(network.bytes)"]);
    assert_eq!(table.columns[6..], ["p50(network.bytes)", "distinct(network.bytes)", "first"]);
    assert_eq!(table.rows.len(), 2);
    for row in &table.rows {
        let sensor = row[0].as_str().unwrap();
        let mut of_sensor: Vec<u64> = bytes.iter().filter(|(s, _)| s == sensor).map(|(_, b)| *b).collect();
        of_sensor.sort_unstable();
        let sum: u64 = of_sensor.iter().sum();
        assert_eq!((&row[1], &row[2]), (&of_sensor.len().into(), &sum.into()));
        assert_eq!((&row[4], &row[5]), (&of_sensor[0].into(), &of_sensor[of_sensor.len() - 1].into()));
        let mean = sum as f64 / of_sensor.len() as f64;
        assert!((row[3].as_f64().unwrap() - mean).abs() < mean * 1e-9);
        let middle = of_sensor[of_sensor.len().div_ceil(2) - 1] as f64;
        assert!((row[6].as_f64().unwrap() - middle).abs() <= middle * 0.0101, "{} for {middle}", row[6]);
        of_sensor.dedup();
        assert_eq!(row[7], of_sensor.len());
        let newest_first = run(&format!("event.dataset:flow AND observer.name:{}", quoted(sensor)));
        assert_eq!(row[8], newest_first.events.last().unwrap().0["@timestamp"]);
    }
}

#[test]
fn the_rarest_come_first_when_wanted() {
    let most = run("* | count by source.ip | top 1000").table.unwrap();
    let rare = run("* | count by source.ip | rare 3").table.unwrap();
    let mut counts: Vec<u64> = most.rows.iter().map(|row| row[1].as_u64().unwrap()).collect();
    counts.reverse();
    let rarest: Vec<u64> = rare.rows.iter().map(|row| row[1].as_u64().unwrap()).collect();
    assert_eq!(rarest, counts[..3]);
}

#[test]
fn a_table_shows_the_fields_asked_for() {
    let events = run("event.dataset:http");
    let answer = run("event.dataset:http | table url.path, http.response.status_code, dns.question.name");
    let table = answer.table.unwrap();
    assert_eq!((answer.total, table.rows.len()), (events.total, events.events.len()));
    for (row, event) in table.rows.iter().zip(&events.events) {
        assert_eq!(row[0], event.0["url"]["path"]);
        assert_eq!(row[1], event.0["http"]["response"]["status_code"]);
        assert!(row[2].is_null());
    }
}

#[test]
fn events_are_joined_by_a_shared_value() {
    let shared = |field: &str, other: &str| -> Vec<String> {
        let table = run(&format!("{other} | count by {field} | top 10000")).table.unwrap();
        table.rows.iter().map(|row| row[0].as_str().map_or_else(|| row[0].to_string(), str::to_owned)).collect()
    };
    for (field, mine, other) in [
        ("source.ip", "event.dataset:dns", "event.dataset:http AND http.response.status_code:500"),
        ("url.path", "http.response.status_code:200", "http.response.status_code:404 AND source.ip:192.0.2.0/24"),
        ("network.community_id", "event.dataset:tls", "event.dataset:flow"),
        ("source.port", "event.dataset:tls", "event.dataset:flow"),
    ] {
        let values = shared(field, other);
        let joined = ids(&run(&format!("{mine} | join {field} ({other})")));
        let expected: Vec<String> = run(mine)
            .events
            .iter()
            .filter(|event| {
                let value = event_value(event, field);
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                values.contains(&text)
            })
            .map(|event| event.0["event"]["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(joined, expected, "{field}");
        let counted = run(&format!("{mine} | join {field} ({other}) | count")).table.unwrap();
        assert_eq!(counted.rows[0][0], expected.len(), "{field}");
    }
    assert_eq!(run("event.dataset:dns | join source.ip (source.ip:203.0.113.99)").total, 0);
}

#[test]
fn wrong_stages_say_what_was_expected_and_where() {
    let error = |query: &str| match shared().run(&request(query), START_NS) {
        Err(SearchError::Query(error)) => (error.position, error.message),
        other => panic!("{query}: {other:?}"),
    };
    assert_eq!(error("* | median source.bytes").0, 4);
    assert!(error("* | avg url.path").1.contains("is not a number"));
    assert!(error("* | top 5").1.contains("before `top`"));
    assert!(error("* | count | join source.ip (dns)").1.contains("expected `join` before"));
    assert!(error("* | join source.ip dns").1.contains("in brackets"));
    assert!(error("* | count | table url.path").1.contains("only one table"));
    assert!(error("url.path:~\"(\"").1.starts_with("this is no regular expression"));
    assert!(error("source.port:~\"8\"").1.contains("is no text"));
    assert_eq!(error("a ~\"b").0, 3, "a quotation mark that is never closed");
}

#[test]
fn a_time_range_bounds_the_search() {
    let bounded = SearchRequest {
        from: Some("2026-11-22T12:00:00Z".to_owned()),
        to: Some("2026-11-23T12:00:00Z".to_owned()),
        ..request("")
    };
    let found = shared().run(&bounded, START_NS).unwrap();
    assert_eq!(ids(&found), plainly("@timestamp:[2026-11-22T12:00:00Z TO 2026-11-23T12:00:00Z}"));
}

#[test]
fn one_event_by_its_id() {
    let event = &events()[17];
    let found = shared().event(&event.id).unwrap().unwrap();
    assert_eq!(serde_json::Value::Object(found.0), luytre_events::json::event_value(event));
    let missing = EventId { sensor: "dc".into(), sequence: 999_999 };
    assert!(shared().event(&missing).unwrap().is_none());
}

#[test]
fn wrong_queries_say_where_and_what_was_expected() {
    let cases = [
        ("source.ipp:1", 0, "did you mean `source.ip`"),
        ("zzzzzzzzzzzzzz:1", 0, "quotation marks"),
        ("a AND", 5, "expected a term"),
        ("(a OR b", 7, "expected `)`"),
        ("a) b", 1, "closes nothing"),
        ("source.ip:banana", 10, "expected an address"),
        ("source.ip:192.0.2.*", 10, "192.0.2.0/24"),
        ("source.port:[1 TO x]", 12, "whole number"),
        ("event.dataset:>5", 14, "no order"),
        ("dns.malformed:yes", 14, "true or false"),
        ("@timestamp:yesterday", 11, "2026-11-22"),
        ("a | cuont by source.ip", 4, "expected count"),
        ("a | count by sourceip", 13, "did you mean `source.ip`"),
        ("a | top 5", 4, "before `top`"),
        ("a | timeline soon", 13, "expected a step"),
        ("http.response.reason:OK", 21, "not searchable"),
        ("\"--\"", 0, "no word"),
        ("source.ip:(192.0.2.1 OR source.port:5)", 24, "expected an address"),
    ];
    for (query, position, says) in cases {
        match shared().run(&request(query), START_NS) {
            Err(SearchError::Query(error)) => {
                assert!(error.message.contains(says), "{query}: {}", error.message);
                assert_eq!(error.position, position, "{query}: {}", error.message);
            }
            other => panic!("{query}: {other:?}"),
        }
    }
    assert!(matches!(shared().run(&request(&"(".repeat(500)), 0), Err(SearchError::Query(_))));
    let elsewhere = SearchRequest { set: Some("nowhere".into()), ..request("a") };
    assert!(matches!(shared().run(&elsewhere, 0), Err(SearchError::Set(_))));
    let paged = SearchRequest { cursor: Some("!".into()), ..request("a") };
    assert!(matches!(shared().run(&paged, 0), Err(SearchError::Request(_))));
}

#[test]
fn a_search_that_takes_too_long_is_given_up() {
    let (_dir, search) = store_with(&events()[..100], 100);
    let hasty = Search { settings: SearchSettings { timeout_ms: 0, ..SearchSettings::default() }, ..search };
    assert!(matches!(hasty.run(&request("*"), 0), Err(SearchError::Late(0))));
}

/// Many different words on several days.
fn wordy(count: u64, days: u64) -> Vec<Event> {
    let day_ns = |n: u64| i64::try_from(n % days).unwrap() * DAY_NS;
    let name = |n: u64| text(&format!("a{n:06}.tunnel.example"));
    (1..=count).map(|n| event_of("dc", n, START_NS + day_ns(n), "dns", &[("dns.question.name", name(n))])).collect()
}

#[test]
fn wildcards_stop_at_the_limit_of_words_over_all_partitions_and_say_so() {
    let (_dir, search) = store_with(&wordy(400, 4), 100);
    let query = request("dns.question.name:*tunnel*");
    let whole = search.run(&query, START_NS).unwrap();
    assert_eq!((whole.total, whole.partial.len()), (400, 0));
    let bounded = Search { settings: SearchSettings { terms: 150, ..SearchSettings::default() }, ..search };
    let cut = bounded.run(&query, START_NS).unwrap();
    assert_eq!(cut.total, 150);
    assert!(cut.partial[0].contains("more than 150 different words"), "{:?}", cut.partial);
    let exact = bounded.run(&request("dns.question.name:a000007*"), START_NS).unwrap();
    assert_eq!((exact.total, exact.partial.len()), (1, 0));
}

#[test]
fn groups_have_one_limit_for_the_whole_search() {
    let (_dir, search) = store_with(&wordy(400, 8), 50);
    let context = parser::Context { catalogue: Catalogue::current(), now_ns: 0 };
    let query = parser::parse("* | count by dns.question.name | top 1000", context).unwrap();
    let partitions = search.store.partitions(LIVE).unwrap();
    let everything = (i64::MIN, i64::MAX);
    let plan = search.plan(&request(""), &query, everything, &partitions, Instant::now()).unwrap();
    assert_eq!(plan.groups_max, GROUPS_MAX);
    let plan = Plan { groups_max: 120, ..plan };
    let found = search.gather(LIVE, &query.filter, everything, &plan, partitions, &mut Vec::new()).unwrap();
    assert_eq!((found.all.total, found.all.tables[0].len(), found.all.groups_cut), (400, 120, true));
    let mut partial = Vec::new();
    search.notes(&found.all, &plan, &mut partial);
    assert!(partial[0].contains("more than 120 different values"), "{partial:?}");
}

#[test]
fn a_replayed_batch_is_not_indexed_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let batches: Vec<&[Event]> = events()[..1000].chunks(100).collect();
    let mark = |n: usize| Mark { segment: 1, offset: n as u64 };
    let mut writer = Writer::live(store.clone(), &small());
    for (n, batch) in batches[..6].iter().enumerate() {
        writer.add(batch, RECEIVED_NS, mark(n + 1)).unwrap();
    }
    writer.commit().unwrap();
    writer.add(batches[6], RECEIVED_NS, mark(7)).unwrap();
    // The program dies here: the seventh batch is not committed anywhere.
    drop(writer);
    // And an older position is all that is left of the position file.
    std::fs::write(dir.path().join("live.position.json"), r#"{"segment":1,"offset":2}"#).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut writer = Writer::live(store.clone(), &small());
    assert_eq!(writer.resume_from(), mark(2));
    for (n, batch) in batches.iter().enumerate().skip(2) {
        writer.add(batch, RECEIVED_NS, mark(n + 1)).unwrap();
    }
    writer.commit().unwrap();
    assert_eq!(store.events(), 1000);
}

#[test]
fn many_days_are_written_through_few_writers() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut writer = Writer::live(store.clone(), &small());
    let day = |n: u64| START_NS - i64::try_from(n % 7).unwrap() * 86_400_000_000_000;
    let events: Vec<Event> = (1..=70).map(|n| event_of("dc", n, day(n), "dns", &[])).collect();
    writer.add(&events, RECEIVED_NS, Mark { segment: 1, offset: 1 }).unwrap();
    writer.commit().unwrap();
    // The same batch again, as after a crash before the position was written.
    let mut again = Writer::live(store.clone(), &small());
    drop(writer);
    again.add(&events, RECEIVED_NS, Mark { segment: 1, offset: 1 }).unwrap();
    again.commit().unwrap();
    assert_eq!(store.events(), 70);
    assert_eq!(store.partitions(LIVE).unwrap().len(), 7);
}

#[test]
fn a_replay_that_batches_differently_adds_each_record_where_it_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let on_day = |sequence, day: i64| event_of("dc", sequence, START_NS + day * DAY_NS, "dns", &[]);
    let mark = |n| Mark { segment: 1, offset: n };
    let records = [[on_day(1, 0), on_day(2, 1)], [on_day(3, 0), on_day(4, 2)], [on_day(5, 0), on_day(6, 3)]];
    let mut writer = Writer::live(store.clone(), &small());
    // The third record's fourth day pushes the first days out, which commits them; then the program dies.
    for (n, record) in (1..).zip(&records) {
        writer.add(record, RECEIVED_NS, mark(n)).unwrap();
    }
    drop(writer);
    let store = Store::open(dir.path()).unwrap();
    assert!(store.events() > 0, "something was committed before the position was");
    let mut writer = Writer::live(store.clone(), &small());
    assert_eq!(writer.resume_from(), Mark::default());
    for (n, record) in (1..).zip(&records) {
        writer.add(record, RECEIVED_NS, mark(n)).unwrap();
    }
    writer.commit().unwrap();
    assert_eq!(store.events(), 6);
}

#[test]
fn forged_times_make_no_partitions_and_live_no_longer_than_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut writer = Writer::live(store.clone(), &small());
    let forged = |n: i64| START_NS + if n % 2 == 0 { n * 50 * DAY_NS } else { -n * 181 * DAY_NS };
    for n in 1..=40i64 {
        let events = [event_of("dc", n.unsigned_abs(), forged(n), "dns", &[])];
        writer.add(&events, START_NS, Mark { segment: 1, offset: n.unsigned_abs() }).unwrap();
    }
    writer.commit().unwrap();
    let partitions = store.partitions(LIVE).unwrap();
    assert_eq!(partitions.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["2026-11-22"]);
    assert_eq!(store.filed.all(), [("ahead", 20), ("outlived", 20), ("days", 0)]);
    // Each keeps the time that it was given and is found by it.
    let search = Search::new(store.clone(), SearchSettings::default());
    let far = luytre_events::json::time_text(forged(40));
    let found = search.run(&SearchRequest { from: Some(far), ..request("*") }, 0).unwrap();
    assert_eq!(found.total, 1);
    // A newer partition, so that this one may go; its last event claims to be years ahead.
    let next = [event_of("dc", 100, START_NS + DAY_NS, "dns", &[])];
    writer.add(&next, START_NS + DAY_NS, Mark { segment: 2, offset: 0 }).unwrap();
    writer.commit().unwrap();
    let later = crate::clock::now_ns().max(START_NS) + 200 * DAY_NS;
    assert_eq!(store.retire(&IndexSettings { keep_days: 180, ..small() }, later), 1);
}

#[test]
fn a_damaged_partition_is_set_aside_and_the_others_go_on() {
    let (dir, search) = store_with(events(), 1000);
    let before = search.run(&request("*"), 0).unwrap();
    assert_eq!(before.total, EVENTS as u64);
    drop(search);
    let victim = dir.path().join("live/2026-11-23");
    std::fs::write(victim.join("meta.json"), "{ not json").unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.problems().len(), 1, "{:?}", store.problems());
    assert!(store.problems()[0].contains("2026-11-23"));
    let search = Search::new(store.clone(), SearchSettings::default());
    let after = search.run(&request("*"), 0).unwrap();
    assert_eq!(after.total, plainly("NOT @timestamp:2026-11-23").len() as u64);
    // New events of that day go into a new partition.
    let mut writer = Writer::live(store.clone(), &small());
    let late = event_of("dc", 1_000_000, START_NS + 86_400_000_000_001, "dns", &[]);
    writer.add(&[late], RECEIVED_NS, Mark { segment: 9, offset: 0 }).unwrap();
    writer.commit().unwrap();
    assert_eq!(search.run(&request("*"), 0).unwrap().total, after.total + 1);
}

#[test]
fn files_damaged_under_a_running_store_are_reported_and_set_aside() {
    let (dir, search) = store_with(events(), 1000);
    drop(search);
    // Flip bytes in the middle of every file of one day.
    for file in std::fs::read_dir(dir.path().join("live/2026-11-23")).unwrap().flatten() {
        let is_data = file.path().extension().is_some_and(|e| e != "json" && e != "lock");
        if is_data {
            let mut bytes = std::fs::read(file.path()).unwrap();
            let middle = bytes.len() / 2;
            for byte in bytes.iter_mut().skip(middle.saturating_sub(64)).take(128) {
                *byte ^= 0xa5;
            }
            std::fs::write(file.path(), bytes).unwrap();
        }
    }
    let store = Store::open(dir.path()).unwrap();
    store.verify();
    assert_eq!(store.problems().len(), 1, "{:?}", store.problems());
    let search = Search::new(store, SearchSettings::default());
    let found = search.run(&request("*"), 0).unwrap();
    assert_eq!(found.total, plainly("NOT @timestamp:2026-11-23").len() as u64);
}

#[test]
fn old_and_too_many_partitions_go() {
    let (dir, search) = store_with(events(), 1000);
    let store = Store::open(dir.path()).unwrap();
    drop(search);
    let day_ns = 86_400_000_000_000;
    let settings = |keep_days, keep_bytes| crate::index::IndexSettings { keep_days, keep_bytes, ..Default::default() };
    let far = crate::clock::now_ns().max(START_NS) + 400 * day_ns;
    assert_eq!(store.retire(&settings(500, 0), far), 0);
    assert_eq!(store.retire(&settings(500, 1), far), 2, "the newest stays");
    assert_eq!(store.partitions(LIVE).unwrap().len(), 1);
}

#[test]
fn nothing_that_can_be_written_reaches_another_agency() {
    let event = |number: u64, agency: Option<&str>, host: &str| {
        let mut fields = vec![("url.domain", text(host)), ("url.original", text("/x"))];
        fields.extend(agency.map(|id| ("organization.id", text(id))));
        event_of("s", number, START_NS + i64::try_from(number).unwrap(), "http", &fields)
    };
    let events =
        [event(1, Some("syt"), "mine.example"), event(2, Some("stc"), "other.example"), event(3, None, "none.example")];
    let (_folder, search) = store_with(&events, 10);
    let mine = |query: &str, agencies: &[&str]| {
        let agencies = Some(agencies.iter().map(|id| (*id).to_owned()).collect());
        SearchRequest { agencies, facets: vec!["url.domain".into()], ..request(query) }
    };
    let everything = search.run(&request("*"), RECEIVED_NS).unwrap();
    assert_eq!(everything.total, 3);
    let escapes = [
        "",
        "*",
        "* OR *",
        "organization.id:stc OR organization.id:syt",
        "NOT organization.id:syt",
        "(url.original:\"/x\") OR (organization.id:stc)",
        "organization.id:* | count by organization.id",
        "* | join url.original (organization.id:stc)",
        "* | join url.original (*) | count by url.domain",
        "* | table organization.id, url.domain",
        "* | timeline 1d",
        "event.id:\"s:2\"",
        ") OR (*",
        "*) OR (*",
        "\") OR (*) OR (\"",
        "* #",
        "* --",
        "* | count by organization.id | count by url.domain",
    ];
    for query in escapes {
        for (agencies, most) in [(&["syt"][..], 1), (&[][..], 0), (&["syt\" OR \"stc"][..], 0)] {
            // What is no query is refused; what is one finds nothing of others.
            let Ok(answer) = search.run(&mine(query, agencies), RECEIVED_NS) else { continue };
            assert!(answer.total <= most, "{query} for {agencies:?} finds {}", answer.total);
            let said = serde_json::to_string(&answer).unwrap();
            for theirs in ["other.example", "none.example", "stc"] {
                assert!(!said.contains(theirs), "{query} for {agencies:?} tells of {theirs}: {said}");
            }
        }
    }
    assert_eq!(search.run(&mine("*", &["syt"]), RECEIVED_NS).unwrap().total, 1);
    assert_eq!(search.run(&mine("*", &["SYT", "stc"]), RECEIVED_NS).unwrap().total, 2);
}
