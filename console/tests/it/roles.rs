//! What each role may do, tried over the wire for every route of the table.

use axum::http::StatusCode;
use luytre_console::auth::roles::{Access, TABLE};
use luytre_console::model::Role;
use serde_json::json;

use crate::harness::{Browser, Console};

#[tokio::test]
async fn every_route_lets_in_whom_the_table_names_and_nobody_else() {
    let console = Console::start().await;
    for role in Role::ALL {
        let name = format!("{role:?}").to_lowercase();
        let browser = console.user(&name, role).await;
        for (method, route, access, _) in TABLE {
            if *access == Access::Public || (*route == "/api/v1/session" && method.as_str() == "DELETE") {
                continue;
            }
            let path = filled(route);
            let answer = console.send(&browser, method.clone(), &path, json!({})).await.status();
            let refused = answer == StatusCode::FORBIDDEN;
            assert_eq!(!refused, access.allows(role), "{role:?} {method} {route}: {answer}");
        }
    }
}

#[tokio::test]
async fn without_a_session_only_public_routes_answer() {
    let console = Console::start().await;
    for (method, route, access, _) in TABLE {
        let path = filled(route);
        let answer = console.send(&Browser::default(), method.clone(), &path, json!({})).await.status();
        assert_eq!(answer == StatusCode::UNAUTHORIZED, *access != Access::Public, "{method} {route}: {answer}");
    }
}

#[tokio::test]
async fn routes_that_do_not_exist_are_not_found() {
    let console = Console::start().await;
    assert_eq!(console.get(&Browser::default(), "/api/v1/nonsense").await.status, StatusCode::NOT_FOUND);
}

/// A route with nothing that exists in its places.
fn filled(route: &str) -> String {
    let parts = route.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
