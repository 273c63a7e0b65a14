//! Requests that are made up from the description, mostly as it wants them and sometimes not.

use serde_json::{Map, Value, json};

use super::Wish;
use super::schema::{Description, Operation, types_of};

/// One value in so many is not what the schema wants.
const SPOILT: u64 = 30;

/// How deep made-up values are nested at most.
const MAX_DEPTH: u32 = 6;

/// How many ids of earlier answers are kept.
const MAX_KNOWN: usize = 4_000;

/// Texts that programs stumble over, and some that fit somewhere.
const TEXTS: [&str; 40] = [
    "",
    " ",
    "0",
    "-1",
    "null",
    "none",
    "Sở Y tế",
    "webshell",
    "high",
    "open",
    "all",
    "me",
    "vi",
    "en",
    "json",
    "csv",
    "2026-11-22",
    "2026-11-22T03:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "-009999-01-01T00:00:00Z",
    "2026-02-30",
    "24:00",
    "07:30",
    "192.0.2.66",
    "2001:db8::1",
    "198.51.100.0/24",
    "so-y-te",
    "lan@tinh.example",
    "https://hook.tinh.example/x",
    "' OR 1=1 --",
    "%",
    "_\\%",
    "\u{0}",
    "\u{202e}\u{1f9d1}\u{200d}\u{1f4bb}",
    "a\r\nb: c",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "../../etc/passwd",
    "((",
    "source.ip:* | count by source.ip",
];

/// Makes requests up from a seed.
pub struct Maker {
    state: u64,
    known: Vec<String>,
}

impl Maker {
    pub fn new(seed: u64) -> Maker {
        Maker { state: seed, known: vec!["a0".into(), "a1".into(), "a2".into()] }
    }

    /// Splitmix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.next() % many == 0
    }

    /// Keeps the ids that an answer names.
    pub fn learn(&mut self, body: &Option<Vec<u8>>) {
        let value = body.as_deref().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
        let mut waiting: Vec<&Value> = value.iter().collect();
        while let Some(value) = waiting.pop() {
            for (name, inner) in value.as_object().into_iter().flatten() {
                let is_id = name == "id" || name.ends_with("_id") || name.ends_with("cursor");
                if let Some(id) = inner.as_str().filter(|_| is_id && self.known.len() < MAX_KNOWN) {
                    if !self.known.iter().any(|known| known == id) {
                        self.known.push(id.to_owned());
                    }
                }
                waiting.push(inner);
            }
            waiting.extend(value.as_array().into_iter().flatten());
        }
    }

    /// A request to an operation.
    pub fn wish(&mut self, operation: &Operation, description: &Description) -> Wish {
        let mut path = operation.route.clone();
        let mut query = String::new();
        for parameter in operation.said["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            let value = self.value(&parameter["schema"], description, 0);
            let text = self.encoded(&value);
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), if text.is_empty() { "-" } else { &text }),
                Some("query") if parameter["required"] == true || self.one_in(3) => {
                    query.push_str(&format!("{}{name}={text}", if query.is_empty() { "?" } else { "&" }));
                }
                _ => {}
            }
        }
        let content = operation.said["requestBody"]["content"].as_object();
        let (kind, body) = match content.and_then(|content| content.iter().next()) {
            None => ("application/json", Vec::new()),
            Some((kind, media)) if kind == "application/json" => self.json(&media["schema"], description),
            Some(_) => ("application/octet-stream", self.sheet()),
        };
        Wish { method: operation.method.clone(), path: path + &query, kind, body }
    }

    fn json(&mut self, schema: &Value, description: &Description) -> (&'static str, Vec<u8>) {
        let value = self.value(schema, description, 0);
        let mut bytes = value.to_string().into_bytes();
        if self.one_in(SPOILT) {
            bytes = match self.below(4) {
                0 => b"{".repeat(5_000),
                1 => [b"\xff".as_slice(), &bytes].concat(),
                2 => bytes.get(..bytes.len() / 2).unwrap_or_default().to_vec(),
                _ => [b"[".repeat(5_000), b"]".repeat(5_000)].concat(),
            };
        }
        (if self.one_in(SPOILT) { "text/plain" } else { "application/json" }, bytes)
    }

    /// A table as people bring it, or what only looks like one.
    fn sheet(&mut self) -> Vec<u8> {
        let mut text = match self.below(4) {
            0 => b"PK\x03\x04".to_vec(),
            1 => b"\xef\xbb\xbf".to_vec(),
            _ => Vec::new(),
        };
        for _ in 0..self.below(6) {
            for _ in 0..self.below(9) {
                let cell = self.text();
                text.extend(cell.bytes());
                text.push([b',', b';', b'\t', b'"'][self.below(4)]);
            }
            text.extend(b"\r\n");
        }
        text
    }

    /// A value of a schema.
    fn value(&mut self, schema: &Value, description: &Description, depth: u32) -> Value {
        if self.one_in(SPOILT) || depth > MAX_DEPTH {
            return self.anything();
        }
        let schema = description.resolved(schema);
        if let Some(values) = schema["enum"].as_array().filter(|values| !values.is_empty()) {
            return values[self.below(values.len())].clone();
        }
        for either in ["oneOf", "anyOf"] {
            if let Some(parts) = schema[either].as_array().filter(|parts| !parts.is_empty()) {
                let at = self.below(parts.len());
                return self.value(&parts[at], description, depth + 1);
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut all = Map::new();
            for part in parts {
                let made = self.value(part, description, depth + 1);
                all.extend(made.as_object().cloned().unwrap_or_default());
            }
            return all.into();
        }
        let types = types_of(schema);
        match types.get(self.below(types.len())).copied() {
            Some("null") => Value::Null,
            Some("boolean") => self.one_in(2).into(),
            Some("integer") => self.integer(schema),
            Some("number") => json!([0.0, -1.5, 1e308, 1e-308][self.below(4)]),
            Some("string") => self.text().into(),
            Some("array") => {
                let many = if self.one_in(SPOILT) { 1_500 } else { self.below(4) };
                (0..many).map(|_| self.value(&schema["items"], description, depth + 1)).collect()
            }
            Some("object") => self.object(schema, description, depth),
            _ => self.anything(),
        }
    }

    fn object(&mut self, schema: &Value, description: &Description, depth: u32) -> Value {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut object = Map::new();
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let must = required.iter().any(|one| one.as_str() == Some(name));
            if if must { !self.one_in(SPOILT) } else { self.one_in(2) } {
                object.insert(name.clone(), self.value(inner, description, depth + 1));
            }
        }
        if schema["additionalProperties"].is_object() {
            for _ in 0..self.below(3) {
                let name = self.text();
                object.insert(name, self.value(&schema["additionalProperties"], description, depth + 1));
            }
        }
        object.into()
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let least = schema["minimum"].as_i64().unwrap_or(-3);
        match self.below(8) {
            0 => i64::MAX.into(),
            1 => i64::MIN.into(),
            2 => u64::MAX.into(),
            3 => least.saturating_sub(1).into(),
            _ => (least + self.below(40) as i64).into(),
        }
    }

    fn text(&mut self) -> String {
        match self.below(10) {
            0..=3 => {
                let at = self.below(self.known.len());
                self.known[at].clone()
            }
            4 => "ệ".repeat(self.below(5_000)),
            5 => format!("thu-{}", self.below(50)),
            _ => TEXTS[self.below(TEXTS.len())].to_owned(),
        }
    }

    fn anything(&mut self) -> Value {
        match self.below(7) {
            0 => Value::Null,
            1 => json!([]),
            2 => json!({}),
            3 => json!(true),
            4 => json!(1e300),
            5 => json!([[[{"a": [null, "b"]}]]]),
            _ => self.text().into(),
        }
    }

    /// A value as it stands in an address; sometimes bytes that are no text.
    fn encoded(&mut self, value: &Value) -> String {
        if self.one_in(SPOILT) {
            return ["%ff", "%00", "%c3%28", "%"][self.below(4)].to_owned();
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let parts = text.bytes().take(1_500).map(|byte| match safe(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        });
        parts.collect()
    }
}
