//! DNP3: kind, stations, function, number, indications, objects.

use serde_json::Value;

use super::{Compared, list, number, text};

/// How it is compared.
pub static COMPARED: Compared =
    Compared { ours: "dnp3", theirs: "dnp3", of_ours, of_theirs: |event| Some(eve_dnp3(event)) };

/// The reference does not tell confirmations.
fn of_ours(event: &Value) -> Option<String> {
    let texts = |pointer: &str| list(event, pointer).filter_map(Value::as_str).map(str::to_owned).collect();
    (number(event, "/dnp3/function_code") != "0").then(|| {
        dnp3_key(
            text(event, "/dnp3/type"),
            [number(event, "/dnp3/source"), number(event, "/dnp3/destination")],
            [number(event, "/dnp3/function_code"), number(event, "/dnp3/sequence")],
            texts("/dnp3/indicators"),
            texts("/dnp3/objects"),
        )
    })
}

fn eve_dnp3(event: &Value) -> String {
    let object = |object: &Value| format!("g{}v{}", number(object, "/group"), number(object, "/variation"));
    dnp3_key(
        &text(event, "/dnp3/type").replace('_', "-"),
        [number(event, "/dnp3/src"), number(event, "/dnp3/dst")],
        [number(event, "/dnp3/application/function_code"), number(event, "/dnp3/application/control/sequence")],
        list(event, "/dnp3/iin/indicators").filter_map(Value::as_str).map(str::to_owned).collect(),
        list(event, "/dnp3/application/objects").map(object).collect(),
    )
}

fn dnp3_key(
    kind: &str,
    [from, to]: [String; 2],
    [function, sequence]: [String; 2],
    mut indicators: Vec<String>,
    objects: Vec<String>,
) -> String {
    indicators.sort();
    format!("{kind} {from} > {to} {function} {sequence} [{}] {}", indicators.join(" "), objects.join(" "))
}
