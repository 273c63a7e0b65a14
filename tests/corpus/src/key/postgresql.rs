//! PostgreSQL: statements with what came of them, log-ins, wishes for encryption.

use serde_json::Value;

use super::{Compared, list, shown, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "postgresql", theirs: "pgsql", of_ours, of_theirs };

/// Characters of a statement that are compared.
const COMPARED_CHARS: usize = 200;

fn of_ours(event: &Value) -> Option<String> {
    match text(event, "/postgresql/command") {
        "query" => {
            let result = list(event, "/postgresql/results").last().and_then(Value::as_str).unwrap_or("");
            Some(statement(text(event, "/postgresql/statement"), result, text(event, "/error/code")))
        }
        "login" => Some(login(text(event, "/user/name"), text(event, "/postgresql/database"))),
        "ssl_request" => {
            let granted = event.pointer("/postgresql/encrypted").and_then(Value::as_bool);
            Some(format!("ssl {granted:?}"))
        }
        _ => None,
    }
}

fn of_theirs(event: &Value) -> Option<String> {
    let (request, response) = (event.pointer("/pgsql/request")?, event.pointer("/pgsql/response"));
    let response = response.unwrap_or(&Value::Null);
    if let Some(query) = request.get("simple_query").and_then(Value::as_str) {
        return Some(statement(&shown(query), text(response, "/command_completed"), text(response, "/code")));
    }
    if let Some(parameters) = request.get("startup_parameters") {
        let database = list(parameters, "/optional_parameters").find_map(|one| one.get("database"));
        let user = text(parameters, "/user");
        return Some(login(user, database.and_then(Value::as_str).unwrap_or(user)));
    }
    let granted = response.get("ssl_accepted").and_then(Value::as_bool);
    (text(request, "/message") == "SSL Request").then(|| format!("ssl {granted:?}"))
}

fn statement(words: &str, result: &str, error: &str) -> String {
    let words: String = words.chars().take(COMPARED_CHARS).collect();
    format!("{words} -> {result}{error}")
}

fn login(user: &str, database: &str) -> String {
    format!("login {user} {database}")
}
