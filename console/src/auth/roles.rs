//! What each role may do: one line per route. A route without a line is refused, and a test compares the table with the
//! API's description, so that a new route cannot be forgotten.

use axum::http::Method;

use crate::model::Role;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a session.
    Public,
    /// Anybody with a session.
    Session,
    /// These roles.
    Roles(&'static [Role]),
}

impl Access {
    /// Whether this role may.
    pub fn allows(self, role: Role) -> bool {
        match self {
            Access::Public | Access::Session => true,
            Access::Roles(roles) => roles.contains(&role),
        }
    }
}

/// Those who see the team's work.
const READERS: Access = Access::Roles(&[Role::Analyst, Role::Manager, Role::Auditor, Role::Admin]);
/// Those who decide on alerts.
const TRIAGE: Access = Access::Roles(&[Role::Analyst, Role::Admin]);
/// Those who work cases.
const CASES: Access = Access::Roles(&[Role::Analyst, Role::Manager, Role::Admin]);
/// Those who say who works when.
const LEAD: Access = Access::Roles(&[Role::Manager, Role::Admin]);
/// Those who verify.
const AUDIT: Access = Access::Roles(&[Role::Auditor, Role::Admin]);
/// Administrators.
const ADMIN: Access = Access::Roles(&[Role::Admin]);

/// Method, route, who may.
pub const TABLE: &[(Method, &str, Access)] = &[
    (Method::GET, "/api/v1/health", Access::Public),
    (Method::GET, "/api/v1/setup", Access::Public),
    (Method::POST, "/api/v1/setup", Access::Public),
    (Method::GET, "/api/v1/session", Access::Session),
    (Method::POST, "/api/v1/session", Access::Public),
    (Method::PATCH, "/api/v1/session", Access::Session),
    (Method::DELETE, "/api/v1/session", Access::Session),
    (Method::POST, "/api/v1/session/code", Access::Session),
    (Method::PUT, "/api/v1/session/code", Access::Session),
    (Method::DELETE, "/api/v1/session/code", Access::Session),
    (Method::GET, "/api/v1/tokens", READERS),
    (Method::POST, "/api/v1/tokens", READERS),
    (Method::DELETE, "/api/v1/tokens/{id}", READERS),
    (Method::GET, "/api/v1/alerts", READERS),
    (Method::GET, "/api/v1/alerts/groups", READERS),
    (Method::POST, "/api/v1/alerts/bulk", TRIAGE),
    (Method::POST, "/api/v1/acts/{id}/undo", TRIAGE),
    (Method::GET, "/api/v1/alerts/{id}", READERS),
    (Method::GET, "/api/v1/alerts/{id}/related", READERS),
    (Method::GET, "/api/v1/alerts/{id}/packets", TRIAGE),
    (Method::POST, "/api/v1/alerts/{id}/close", TRIAGE),
    (Method::POST, "/api/v1/alerts/{id}/reopen", TRIAGE),
    (Method::POST, "/api/v1/alerts/{id}/assign", TRIAGE),
    (Method::POST, "/api/v1/alerts/{id}/escalate", TRIAGE),
    (Method::POST, "/api/v1/alerts/{id}/notes", TRIAGE),
    (Method::POST, "/api/v1/alerts/{id}/watch", TRIAGE),
    (Method::GET, "/api/v1/views", READERS),
    (Method::POST, "/api/v1/views", CASES),
    (Method::DELETE, "/api/v1/views/{id}", CASES),
    (Method::GET, "/api/v1/suppressions", READERS),
    (Method::POST, "/api/v1/suppressions", TRIAGE),
    (Method::GET, "/api/v1/suppressions/preview", READERS),
    (Method::POST, "/api/v1/suppressions/{id}/end", TRIAGE),
    (Method::GET, "/api/v1/cases", READERS),
    (Method::POST, "/api/v1/cases", CASES),
    (Method::GET, "/api/v1/cases/{id}", READERS),
    (Method::PATCH, "/api/v1/cases/{id}", CASES),
    (Method::POST, "/api/v1/cases/{id}/notes", CASES),
    (Method::POST, "/api/v1/cases/{id}/alerts", CASES),
    (Method::GET, "/api/v1/case-data", READERS),
    (Method::POST, "/api/v1/cases/{id}/phase", CASES),
    (Method::POST, "/api/v1/cases/{id}/tasks", CASES),
    (Method::PATCH, "/api/v1/cases/{id}/tasks/{task}", CASES),
    (Method::POST, "/api/v1/cases/{id}/template", CASES),
    (Method::POST, "/api/v1/cases/{id}/events", CASES),
    (Method::POST, "/api/v1/cases/{id}/observables", CASES),
    (Method::DELETE, "/api/v1/cases/{id}/observables/{observable}", CASES),
    (Method::GET, "/api/v1/cases/{id}/observables/{observable}/sightings", READERS),
    (Method::POST, "/api/v1/cases/{id}/systems", CASES),
    (Method::DELETE, "/api/v1/cases/{id}/systems/{system}", CASES),
    (Method::PUT, "/api/v1/cases/{id}/access", CASES),
    (Method::POST, "/api/v1/cases/{id}/links", CASES),
    (Method::DELETE, "/api/v1/cases/{id}/links/{other}", CASES),
    (Method::POST, "/api/v1/cases/{id}/merge", CASES),
    (Method::GET, "/api/v1/cases/{id}/similar", READERS),
    (Method::POST, "/api/v1/cases/{id}/evidence", TRIAGE),
    (Method::POST, "/api/v1/cases/{id}/evidence/{evidence}/read", TRIAGE),
    (Method::POST, "/api/v1/cases/{id}/evidence/{evidence}/release", TRIAGE),
    (Method::GET, "/api/v1/tasks", READERS),
    (Method::GET, "/api/v1/inbox", Access::Session),
    (Method::POST, "/api/v1/inbox/seen", Access::Session),
    (Method::POST, "/api/v1/search", READERS),
    (Method::GET, "/api/v1/search/catalogue", READERS),
    (Method::GET, "/api/v1/sensors", READERS),
    (Method::POST, "/api/v1/sensors/tokens", ADMIN),
    (Method::POST, "/api/v1/sensors/{name}/revoke", ADMIN),
    (Method::GET, "/api/v1/ledger", READERS),
    (Method::GET, "/api/v1/rules", READERS),
    (Method::GET, "/api/v1/rules/{id}", READERS),
    (Method::GET, "/api/v1/agencies", READERS),
    (Method::POST, "/api/v1/agencies", CASES),
    (Method::GET, "/api/v1/agencies/{id}", READERS),
    (Method::PUT, "/api/v1/agencies/{id}", CASES),
    (Method::POST, "/api/v1/agencies/{id}/records", CASES),
    (Method::PUT, "/api/v1/agencies/{id}/records/{record}", CASES),
    (Method::DELETE, "/api/v1/agencies/{id}/records/{record}", CASES),
    (Method::POST, "/api/v1/agencies/{id}/records/{record}/verify", CASES),
    (Method::GET, "/api/v1/agency-records", READERS),
    (Method::GET, "/api/v1/register", READERS),
    (Method::GET, "/api/v1/register/export/{table}", READERS),
    (Method::POST, "/api/v1/register/import/{table}", CASES),
    (Method::GET, "/api/v1/users", READERS),
    (Method::POST, "/api/v1/users", ADMIN),
    (Method::PATCH, "/api/v1/users/{id}", ADMIN),
    (Method::GET, "/api/v1/reports", READERS),
    (Method::GET, "/api/v1/reports/{name}", READERS),
    (Method::GET, "/api/v1/audit", AUDIT),
    (Method::GET, "/api/v1/audit/chain", AUDIT),
    (Method::GET, "/api/v1/audit/verify", AUDIT),
    (Method::GET, "/api/v1/audit/export", AUDIT),
    (Method::GET, "/api/v1/notices", READERS),
    (Method::GET, "/api/v1/notice-alarms", READERS),
    (Method::GET, "/api/v1/notice-rules", READERS),
    (Method::POST, "/api/v1/notice-rules", ADMIN),
    (Method::PUT, "/api/v1/notice-rules/{id}", ADMIN),
    (Method::DELETE, "/api/v1/notice-rules/{id}", ADMIN),
    (Method::POST, "/api/v1/notice-rules/{id}/test", ADMIN),
    (Method::GET, "/api/v1/notice-channels", READERS),
    (Method::POST, "/api/v1/notice-channels", ADMIN),
    (Method::PUT, "/api/v1/notice-channels/{id}", ADMIN),
    (Method::DELETE, "/api/v1/notice-channels/{id}", ADMIN),
    (Method::POST, "/api/v1/notice-channels/{id}/test", ADMIN),
    (Method::GET, "/api/v1/notice-preview", READERS),
    (Method::GET, "/api/v1/notice-addresses", READERS),
    (Method::PUT, "/api/v1/notice-addresses/{user}", CASES),
    (Method::GET, "/api/v1/rosters", READERS),
    (Method::POST, "/api/v1/rosters", LEAD),
    (Method::PUT, "/api/v1/rosters/{id}", LEAD),
    (Method::DELETE, "/api/v1/rosters/{id}", LEAD),
    (Method::POST, "/api/v1/rosters/{id}/overrides", CASES),
    (Method::DELETE, "/api/v1/rosters/{id}/overrides/{override}", CASES),
    (Method::GET, "/api/v1/escalations", READERS),
    (Method::POST, "/api/v1/escalations/{id}/acknowledge", CASES),
    (Method::GET, "/api/v1/acknowledgement", Access::Public),
    (Method::POST, "/api/v1/acknowledgement", Access::Public),
    (Method::GET, "/api/v1/overview/work", READERS),
    (Method::GET, "/api/v1/overview/state", READERS),
    (Method::GET, "/api/v1/live", READERS),
];

/// Who may use this route; nothing when the table does not know it.
pub fn access(method: &Method, route: &str) -> Option<Access> {
    TABLE.iter().find(|(m, r, _)| m == method && *r == route).map(|(_, _, access)| *access)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_of_the_api_has_exactly_one_line() {
        let document: serde_json::Value = serde_json::from_str(&crate::api::document()).unwrap();
        let mut described = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                described.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        let listed: BTreeSet<String> = TABLE.iter().map(|(m, r, _)| format!("{m} {r}")).collect();
        assert_eq!(listed.len(), TABLE.len(), "a route is listed twice");
        assert_eq!(listed, described);
    }

    #[test]
    fn changes_are_never_public_except_logging_in_and_links() {
        for (method, route, access) in TABLE {
            let doors = ["/api/v1/session", "/api/v1/setup", "/api/v1/acknowledgement"];
            let is_door = doors.contains(route) && *method == Method::POST;
            if *method != Method::GET && !is_door {
                assert_ne!(*access, Access::Public, "{method} {route}");
            }
        }
    }

    #[test]
    fn auditors_change_nothing_and_agencies_see_only_themselves() {
        for (method, route, access) in TABLE {
            if let Access::Roles(roles) = access {
                assert!(!roles.contains(&Role::Agency), "{method} {route}");
                // One's own tokens change nothing of the team's work.
                let own = route.starts_with("/api/v1/tokens");
                let reads = own || *method == Method::GET || *route == "/api/v1/search";
                assert!(reads || !roles.contains(&Role::Auditor), "{method} {route}");
            }
        }
    }
}
