//! Modbus: number, device, function, what is read or written, exception.

use serde_json::Value;

use super::{Compared, number, text};

/// How it is compared.
pub static COMPARED: Compared = Compared {
    ours: "modbus",
    theirs: "modbus",
    of_ours: |event| Some(our_modbus(event)),
    of_theirs: |event| Some(eve_modbus(event)),
};

fn our_modbus(event: &Value) -> String {
    modbus_key(
        &number(event, "/modbus/transaction_id"),
        &number(event, "/modbus/unit_id"),
        &number(event, "/modbus/function_code"),
        &number(event, "/modbus/address"),
        !text(event, "/modbus/exception").is_empty(),
    )
}

fn eve_modbus(event: &Value) -> String {
    let address = match number(event, "/modbus/request/read/address") {
        none if none == "-" => number(event, "/modbus/request/write/address"),
        address => address,
    };
    modbus_key(
        &number(event, "/modbus/request/transaction_id"),
        &number(event, "/modbus/request/unit_id"),
        &number(event, "/modbus/request/function_raw"),
        &address,
        event.pointer("/modbus/response/exception").is_some(),
    )
}

fn modbus_key(transaction: &str, unit: &str, function: &str, address: &str, exception: bool) -> String {
    format!("{transaction} unit {unit} function {function} address {address} exception {exception}")
}
