//! The description of the API as the test uses it: its operations, and whether a value fits a schema (as much of JSON
//! Schema 2020-12 as the description uses).

use axum::http::{Method, StatusCode};
use serde_json::Value;

/// How deep schemas are followed into each other.
const MAX_DEPTH: usize = 64;

/// The whole description.
pub struct Description {
    document: Value,
    /// Its operations, in its order.
    pub operations: Vec<Operation>,
}

/// One method of one route.
pub struct Operation {
    pub method: Method,
    pub route: String,
    /// What the description says of it.
    pub said: Value,
}

impl Operation {
    /// What an answer of this status may contain, by media type; nothing where it is not described.
    pub fn answer(&self, status: StatusCode) -> Option<&Value> {
        let answers = &self.said["responses"];
        let exact = answers.get(status.as_str());
        let found = exact.or_else(|| answers.get("default").filter(|_| !status.is_success()))?;
        Some(&found["content"])
    }
}

impl Description {
    pub fn read(text: &str) -> Description {
        let document: Value = serde_json::from_str(text).unwrap();
        let mut operations = Vec::new();
        for (route, methods) in document["paths"].as_object().unwrap() {
            for (method, said) in methods.as_object().unwrap() {
                let method = method.to_uppercase().parse().unwrap();
                operations.push(Operation { method, route: route.clone(), said: said.clone() });
            }
        }
        Description { document, operations }
    }

    /// The schema itself, where this one only names it.
    pub fn resolved<'d>(&'d self, mut schema: &'d Value) -> &'d Value {
        for _ in 0..MAX_DEPTH {
            let Some(name) = schema["$ref"].as_str() else { break };
            schema = self.document.pointer(name.trim_start_matches('#')).expect("a schema that is named is there");
        }
        schema
    }

    /// Why a value does not fit a schema.
    pub fn fits(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let schema = self.resolved(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.fits(part, value, at)?;
        }
        for either in ["oneOf", "anyOf"] {
            if let Some(parts) = schema[either].as_array() {
                let mut reasons = parts.iter().map(|part| self.fits(part, value, at));
                if !reasons.any(|reason| reason.is_ok()) {
                    return Err(format!("{at}: none of the {} alternatives fits {value}", parts.len()));
                }
            }
        }
        if let Some(values) = schema["enum"].as_array().filter(|values| !values.contains(value)) {
            return Err(format!("{at}: {value} is none of {values:?}"));
        }
        let types = types_of(schema);
        if !types.is_empty() && !types.iter().any(|name| is_of(name, value)) {
            return Err(format!("{at}: {value} is not {types:?}"));
        }
        let least = schema["minimum"].as_f64().zip(value.as_f64());
        if least.is_some_and(|(least, value)| value < least) {
            return Err(format!("{at}: {value} is below {}", schema["minimum"]));
        }
        for (n, item) in value.as_array().into_iter().flatten().enumerate() {
            self.fits(&schema["items"], item, &format!("{at}/{n}"))?;
        }
        let Some(object) = value.as_object() else { return Ok(()) };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                return Err(format!("{at}: `{name}` is missing"));
            }
        }
        for (name, inner) in object {
            let known = schema["properties"].get(name);
            if known.is_none() && schema["additionalProperties"] == false {
                return Err(format!("{at}: `{name}` is not described"));
            }
            let inner_schema = known.unwrap_or(&schema["additionalProperties"]);
            self.fits(inner_schema, inner, &format!("{at}/{name}"))?;
        }
        Ok(())
    }
}

/// The types a schema allows; any where it names none.
pub fn types_of(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[test]
fn what_does_not_fit_is_told() {
    let document = r##"{"paths": {}, "components": {"schemas": {"Pair": {"type": "object", "required": ["n"], "additionalProperties": false,
        "properties": {"n": {"type": "integer", "minimum": 0}, "next": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Pair"}]}}}}}}"##;
    let description = Description::read(document);
    let pair = serde_json::json!({"$ref": "#/components/schemas/Pair"});
    let fits = |text: &str| description.fits(&pair, &serde_json::from_str(text).unwrap(), "");
    assert_eq!(fits(r#"{"n": 1, "next": {"n": 2, "next": null}}"#), Ok(()));
    for wrong in
        [r#"{}"#, r#"{"n": "1"}"#, r#"{"n": -1}"#, r#"{"n": 1, "next": {"n": null}}"#, r#"{"n": 1, "m": 2}"#, "[]"]
    {
        assert!(fits(wrong).is_err(), "{wrong}");
    }
}
