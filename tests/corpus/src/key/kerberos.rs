//! Kerberos: replies and errors with their names and encryption. The reference makes an event of each message, we make
//! one of a request with its reply: requests are not compared by themselves.

use serde_json::Value;

use super::{Compared, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "kerberos", theirs: "krb5", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    let service = text(event, "/kerberos/service");
    match event.pointer("/kerberos/success").and_then(Value::as_bool)? {
        true => Some(format!(
            "{}_REP {} {} {service} {} {}",
            text(event, "/kerberos/request"),
            text(event, "/kerberos/client"),
            text(event, "/kerberos/realm"),
            text(event, "/kerberos/encryption"),
            text(event, "/kerberos/ticket_encryption"),
        )),
        false => Some(format!("ERROR {} {service}", text(event, "/kerberos/error"))),
    }
}

fn of_theirs(event: &Value) -> Option<String> {
    let known = |pointer| Some(text(event, pointer)).filter(|text| !text.starts_with('<')).unwrap_or("");
    let service = known("/krb5/sname");
    match text(event, "/krb5/msg_type") {
        "KRB_ERROR" => Some(format!("ERROR {} {service}", text(event, "/krb5/error_code"))),
        reply @ ("KRB_AS_REP" | "KRB_TGS_REP") => Some(format!(
            "{} {} {} {service} {} {}",
            reply.trim_start_matches("KRB_"),
            known("/krb5/cname"),
            known("/krb5/realm"),
            known("/krb5/encryption"),
            known("/krb5/ticket_encryption"),
        )),
        _ => None,
    }
}
