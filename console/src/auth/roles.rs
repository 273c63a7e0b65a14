//! What each role may do, and how much of it within an agency: one line per route. A route without a line is refused, and a test compares the table with the
//! API's description, so that a new route cannot be forgotten.

use axum::http::Method;

use crate::model::Role;
use crate::store::reach::Named;

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

/// What is left of a route for somebody who reaches one agency and what stands under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// All of it: nothing in it belongs to agencies.
    Any,
    /// What is within reach; the question itself is narrowed.
    Narrowed,
    /// What it names, where that is within reach; the guard looks.
    Named(Named),
    /// The case it names, where they may see it; the guard looks.
    Case,
    /// Nothing.
    Whole,
}

/// Those who see the team's work.
const READERS: Access = Access::Roles(&[Role::Analyst, Role::Manager, Role::Auditor, Role::Admin]);
/// Those who decide on alerts.
const TRIAGE: Access = Access::Roles(&[Role::Analyst, Role::Admin]);
/// Those who work cases.
const CASES: Access = Access::Roles(&[Role::Analyst, Role::Manager, Role::Admin]);
/// Those who say who works when.
const LEAD: Access = Access::Roles(&[Role::Manager, Role::Admin]);
/// The people of agencies.
const AGENCIES: Access = Access::Roles(&[Role::Agency]);
/// Those who verify.
const AUDIT: Access = Access::Roles(&[Role::Auditor, Role::Admin]);
/// Administrators.
const ADMIN: Access = Access::Roles(&[Role::Admin]);

/// An alert, a case, an agency in the route.
const ALERT: Within = Within::Named(Named::Alert);
const AGENCY: Within = Within::Named(Named::Agency);
const CASE: Within = Within::Case;
const RECEIVED: Within = Within::Named(Named::AgencyNotice);

/// Method, route, who may, and what is left of it for somebody who does not reach everything.
pub const TABLE: &[(Method, &str, Access, Within)] = &[
    (Method::GET, "/api/v1/health", Access::Public, Within::Any),
    (Method::GET, "/api/v1/setup", Access::Public, Within::Any),
    (Method::POST, "/api/v1/setup", Access::Public, Within::Any),
    (Method::GET, "/api/v1/session", Access::Session, Within::Any),
    (Method::POST, "/api/v1/session", Access::Public, Within::Any),
    (Method::PATCH, "/api/v1/session", Access::Session, Within::Any),
    (Method::DELETE, "/api/v1/session", Access::Session, Within::Any),
    (Method::PUT, "/api/v1/session/password", Access::Session, Within::Any),
    (Method::POST, "/api/v1/session/code", Access::Session, Within::Any),
    (Method::PUT, "/api/v1/session/code", Access::Session, Within::Any),
    (Method::DELETE, "/api/v1/session/code", Access::Session, Within::Any),
    (Method::GET, "/api/v1/openid", Access::Public, Within::Any),
    (Method::POST, "/api/v1/openid", Access::Public, Within::Any),
    (Method::POST, "/api/v1/openid/session", Access::Public, Within::Any),
    (Method::GET, "/api/v1/session/identity", Access::Session, Within::Any),
    (Method::POST, "/api/v1/session/identity", Access::Session, Within::Any),
    (Method::PUT, "/api/v1/session/identity", Access::Session, Within::Any),
    (Method::DELETE, "/api/v1/session/identity", Access::Session, Within::Any),
    (Method::GET, "/api/v1/tokens", READERS, Within::Any),
    (Method::POST, "/api/v1/tokens", READERS, Within::Any),
    (Method::DELETE, "/api/v1/tokens/{id}", READERS, Within::Any),
    (Method::GET, "/api/v1/alerts", READERS, Within::Narrowed),
    (Method::GET, "/api/v1/alerts/groups", READERS, Within::Narrowed),
    (Method::POST, "/api/v1/alerts/bulk", TRIAGE, Within::Narrowed),
    (Method::POST, "/api/v1/acts/{id}/undo", TRIAGE, Within::Named(Named::Act)),
    (Method::GET, "/api/v1/alerts/{id}", READERS, ALERT),
    (Method::GET, "/api/v1/alerts/{id}/related", READERS, ALERT),
    (Method::GET, "/api/v1/alerts/{id}/packets", TRIAGE, ALERT),
    (Method::POST, "/api/v1/alerts/{id}/close", TRIAGE, ALERT),
    (Method::POST, "/api/v1/alerts/{id}/reopen", TRIAGE, ALERT),
    (Method::POST, "/api/v1/alerts/{id}/assign", TRIAGE, ALERT),
    (Method::POST, "/api/v1/alerts/{id}/escalate", TRIAGE, ALERT),
    (Method::POST, "/api/v1/alerts/{id}/notes", TRIAGE, ALERT),
    (Method::POST, "/api/v1/alerts/{id}/watch", TRIAGE, ALERT),
    (Method::GET, "/api/v1/views", READERS, Within::Narrowed),
    (Method::POST, "/api/v1/views", CASES, Within::Narrowed),
    (Method::DELETE, "/api/v1/views/{id}", CASES, Within::Any),
    (Method::GET, "/api/v1/suppressions", READERS, Within::Narrowed),
    (Method::POST, "/api/v1/suppressions", TRIAGE, Within::Narrowed),
    (Method::GET, "/api/v1/suppressions/preview", READERS, Within::Narrowed),
    (Method::POST, "/api/v1/suppressions/{id}/end", TRIAGE, Within::Named(Named::Suppression)),
    (Method::GET, "/api/v1/cases", READERS, Within::Narrowed),
    (Method::POST, "/api/v1/cases", CASES, Within::Narrowed),
    (Method::GET, "/api/v1/cases/{id}", READERS, CASE),
    (Method::PATCH, "/api/v1/cases/{id}", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/notes", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/alerts", CASES, CASE),
    (Method::GET, "/api/v1/case-data", READERS, Within::Any),
    (Method::POST, "/api/v1/cases/{id}/phase", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/tasks", CASES, CASE),
    (Method::PATCH, "/api/v1/cases/{id}/tasks/{task}", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/template", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/events", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/observables", CASES, CASE),
    (Method::DELETE, "/api/v1/cases/{id}/observables/{observable}", CASES, CASE),
    (Method::GET, "/api/v1/cases/{id}/observables/{observable}/sightings", READERS, CASE),
    (Method::POST, "/api/v1/cases/{id}/systems", CASES, CASE),
    (Method::DELETE, "/api/v1/cases/{id}/systems/{system}", CASES, CASE),
    (Method::PUT, "/api/v1/cases/{id}/access", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/links", CASES, CASE),
    (Method::DELETE, "/api/v1/cases/{id}/links/{other}", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/merge", CASES, CASE),
    (Method::GET, "/api/v1/cases/{id}/similar", READERS, CASE),
    (Method::POST, "/api/v1/cases/{id}/evidence", TRIAGE, CASE),
    (Method::POST, "/api/v1/cases/{id}/evidence/{evidence}/read", TRIAGE, CASE),
    (Method::POST, "/api/v1/cases/{id}/evidence/{evidence}/release", TRIAGE, CASE),
    (Method::POST, "/api/v1/cases/{id}/agency-notices", CASES, CASE),
    (Method::DELETE, "/api/v1/cases/{id}/agency-notices/{notice}", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/agency-notices/{notice}/send", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/agency-notices/{notice}/messages", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/agency-notices/{notice}/remind", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/agency-notices/{notice}/end", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/agency-notices/{notice}/files", CASES, CASE),
    (Method::GET, "/api/v1/cases/{id}/agency-notices/{notice}/files/{file}", READERS, CASE),
    (Method::PUT, "/api/v1/cases/{id}/agency-notices/{notice}/files/{file}", CASES, CASE),
    (Method::DELETE, "/api/v1/cases/{id}/agency-notices/{notice}/files/{file}", CASES, CASE),
    (Method::POST, "/api/v1/cases/{id}/agency-notices/{notice}/files/{file}/read", TRIAGE, CASE),
    (Method::GET, "/api/v1/agency-work", AGENCIES, Within::Narrowed),
    (Method::GET, "/api/v1/agency-work/{id}", AGENCIES, RECEIVED),
    (Method::POST, "/api/v1/agency-work/{id}/confirm", AGENCIES, RECEIVED),
    (Method::POST, "/api/v1/agency-work/{id}/answers", AGENCIES, RECEIVED),
    (Method::POST, "/api/v1/agency-work/{id}/remediation", AGENCIES, RECEIVED),
    (Method::POST, "/api/v1/agency-work/{id}/files", AGENCIES, RECEIVED),
    (Method::GET, "/api/v1/agency-work/{id}/files/{file}", AGENCIES, RECEIVED),
    (Method::PUT, "/api/v1/agency-work/{id}/files/{file}", AGENCIES, RECEIVED),
    (Method::DELETE, "/api/v1/agency-work/{id}/files/{file}", AGENCIES, RECEIVED),
    (Method::GET, "/api/v1/tasks", READERS, Within::Narrowed),
    (Method::GET, "/api/v1/inbox", Access::Session, Within::Narrowed),
    (Method::POST, "/api/v1/inbox/seen", Access::Session, Within::Any),
    (Method::POST, "/api/v1/search", READERS, Within::Narrowed),
    (Method::GET, "/api/v1/search/catalogue", READERS, Within::Any),
    (Method::GET, "/api/v1/sensors", READERS, Within::Whole),
    (Method::POST, "/api/v1/sensors/tokens", ADMIN, Within::Whole),
    (Method::POST, "/api/v1/sensors/{name}/revoke", ADMIN, Within::Whole),
    (Method::GET, "/api/v1/ledger", READERS, Within::Whole),
    (Method::GET, "/api/v1/rules", READERS, Within::Any),
    (Method::GET, "/api/v1/rules/{id}", READERS, Within::Any),
    (Method::GET, "/api/v1/agencies", READERS, Within::Narrowed),
    (Method::POST, "/api/v1/agencies", CASES, Within::Narrowed),
    (Method::GET, "/api/v1/agencies/{id}", READERS, AGENCY),
    (Method::PUT, "/api/v1/agencies/{id}", CASES, AGENCY),
    (Method::POST, "/api/v1/agencies/{id}/records", CASES, AGENCY),
    (Method::PUT, "/api/v1/agencies/{id}/records/{record}", CASES, AGENCY),
    (Method::DELETE, "/api/v1/agencies/{id}/records/{record}", CASES, AGENCY),
    (Method::POST, "/api/v1/agencies/{id}/records/{record}/verify", CASES, AGENCY),
    (Method::GET, "/api/v1/agency-records", READERS, Within::Narrowed),
    (Method::GET, "/api/v1/register", READERS, Within::Any),
    (Method::GET, "/api/v1/register/export/{table}", READERS, Within::Narrowed),
    (Method::POST, "/api/v1/register/import/{table}", CASES, Within::Whole),
    (Method::GET, "/api/v1/users", READERS, Within::Narrowed),
    (Method::POST, "/api/v1/users", ADMIN, Within::Whole),
    (Method::PATCH, "/api/v1/users/{id}", ADMIN, Within::Whole),
    (Method::GET, "/api/v1/reports", READERS, Within::Any),
    (Method::GET, "/api/v1/reports/{name}", READERS, Within::Whole),
    (Method::GET, "/api/v1/audit", AUDIT, Within::Whole),
    (Method::GET, "/api/v1/audit/chain", AUDIT, Within::Whole),
    (Method::GET, "/api/v1/audit/verify", AUDIT, Within::Whole),
    (Method::GET, "/api/v1/audit/export", AUDIT, Within::Whole),
    (Method::GET, "/api/v1/notices", READERS, Within::Whole),
    (Method::GET, "/api/v1/notice-alarms", READERS, Within::Whole),
    (Method::GET, "/api/v1/notice-rules", READERS, Within::Whole),
    (Method::POST, "/api/v1/notice-rules", ADMIN, Within::Whole),
    (Method::PUT, "/api/v1/notice-rules/{id}", ADMIN, Within::Whole),
    (Method::DELETE, "/api/v1/notice-rules/{id}", ADMIN, Within::Whole),
    (Method::POST, "/api/v1/notice-rules/{id}/test", ADMIN, Within::Whole),
    (Method::GET, "/api/v1/notice-channels", READERS, Within::Whole),
    (Method::POST, "/api/v1/notice-channels", ADMIN, Within::Whole),
    (Method::PUT, "/api/v1/notice-channels/{id}", ADMIN, Within::Whole),
    (Method::DELETE, "/api/v1/notice-channels/{id}", ADMIN, Within::Whole),
    (Method::POST, "/api/v1/notice-channels/{id}/test", ADMIN, Within::Whole),
    (Method::GET, "/api/v1/notice-preview", READERS, Within::Whole),
    (Method::GET, "/api/v1/notice-addresses", READERS, Within::Whole),
    (Method::PUT, "/api/v1/notice-addresses/{user}", CASES, Within::Whole),
    (Method::GET, "/api/v1/rosters", READERS, Within::Whole),
    (Method::POST, "/api/v1/rosters", LEAD, Within::Whole),
    (Method::PUT, "/api/v1/rosters/{id}", LEAD, Within::Whole),
    (Method::DELETE, "/api/v1/rosters/{id}", LEAD, Within::Whole),
    (Method::POST, "/api/v1/rosters/{id}/overrides", CASES, Within::Whole),
    (Method::DELETE, "/api/v1/rosters/{id}/overrides/{override}", CASES, Within::Whole),
    (Method::GET, "/api/v1/shift", READERS, Within::Whole),
    (Method::GET, "/api/v1/handovers", READERS, Within::Whole),
    (Method::POST, "/api/v1/handovers", CASES, Within::Whole),
    (Method::GET, "/api/v1/handovers/{id}", READERS, Within::Whole),
    (Method::POST, "/api/v1/handovers/{id}/answer", CASES, Within::Whole),
    (Method::POST, "/api/v1/handovers/{id}/withdraw", CASES, Within::Whole),
    (Method::GET, "/api/v1/escalations", READERS, Within::Whole),
    (Method::POST, "/api/v1/escalations/{id}/acknowledge", CASES, Within::Whole),
    (Method::GET, "/api/v1/acknowledgement", Access::Public, Within::Any),
    (Method::POST, "/api/v1/acknowledgement", Access::Public, Within::Any),
    (Method::GET, "/api/v1/overview/work", READERS, Within::Whole),
    (Method::GET, "/api/v1/overview/state", READERS, Within::Whole),
    (Method::GET, "/api/v1/live", READERS, Within::Narrowed),
];

/// Who may use this route and what is left of it within reach; nothing when the table does not know it.
pub fn access(method: &Method, route: &str) -> Option<(Access, Within)> {
    TABLE.iter().find(|(m, r, ..)| m == method && *r == route).map(|(.., access, within)| (*access, *within))
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
        let listed: BTreeSet<String> = TABLE.iter().map(|(m, r, ..)| format!("{m} {r}")).collect();
        assert_eq!(listed.len(), TABLE.len(), "a route is listed twice");
        assert_eq!(listed, described);
    }

    #[test]
    fn what_a_route_names_is_looked_for_within_reach() {
        for (method, route, access, within) in TABLE {
            let own = ["/api/v1/tokens/{id}", "/api/v1/views/{id}"].contains(route);
            let everybodys = ["/api/v1/rules/{id}"].contains(route);
            if route.contains("{id}") && !own && !everybodys && *access != Access::Public {
                assert!(!matches!(within, Within::Any | Within::Narrowed), "{method} {route}");
            }
        }
    }

    #[test]
    fn changes_are_never_public_except_logging_in_and_links() {
        for (method, route, access, _) in TABLE {
            let openid = ["/api/v1/openid", "/api/v1/openid/session"];
            let doors = ["/api/v1/session", "/api/v1/setup", "/api/v1/acknowledgement", openid[0], openid[1]];
            let is_door = doors.contains(route) && *method == Method::POST;
            if *method != Method::GET && !is_door {
                assert_ne!(*access, Access::Public, "{method} {route}");
            }
        }
    }

    #[test]
    fn auditors_change_nothing_and_agencies_see_only_themselves() {
        for (method, route, access, within) in TABLE {
            if let Access::Roles(roles) = access {
                // What was addressed to them, in routes of their own that nobody else has.
                let own = route.starts_with("/api/v1/agency-work");
                assert_eq!(roles.contains(&Role::Agency), own, "{method} {route}");
                assert!(
                    !own || *access == AGENCIES && matches!(*within, Within::Narrowed | RECEIVED),
                    "{method} {route}"
                );
                // One's own tokens change nothing of the team's work.
                let own = route.starts_with("/api/v1/tokens");
                let reads = own || *method == Method::GET || *route == "/api/v1/search";
                assert!(reads || !roles.contains(&Role::Auditor), "{method} {route}");
            }
        }
    }
}
