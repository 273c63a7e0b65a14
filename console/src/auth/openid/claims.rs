//! What a provider says of somebody: reading claims, and what the grants of the configuration make of them.

use serde_json::Value;

use super::settings::Grant;
use crate::model::Role;

/// The longest text that is taken from a claim, in characters.
const MAX_TEXT: usize = 255;

/// The claims of a checked token.
#[derive(Debug, Clone)]
pub struct Claims(pub(super) Value);

/// What somebody is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The role.
    pub role: Role,
    /// The agency, by id or code.
    pub agency: Option<String>,
}

impl Claims {
    /// A claim by its name, or along a path of names with dots between.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let whole = self.0.get(name);
        whole.or_else(|| name.split('.').try_fold(&self.0, |value, part| value.get(part)))
    }

    /// A claim that is a text which fits on a line.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.get(name)?.as_str()?.trim();
        let fits = !text.is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control);
        fits.then_some(text)
    }

    /// Who it is at the provider.
    pub fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// The mail address, where the provider vouches for it.
    pub fn verified_mail(&self) -> Option<String> {
        let verified = self.get("email_verified").is_some_and(|value| *value == true);
        self.text("email").filter(|_| verified).map(str::to_lowercase)
    }

    /// Whether the provider asked for a second factor.
    pub fn is_strong(&self, values: &[String]) -> bool {
        ["amr", "acr"].iter().any(|claim| values.iter().any(|value| self.has(claim, value)))
    }

    /// What the first grant that fits gives.
    pub fn given(&self, grants: &[Grant]) -> Option<Given> {
        let grant = grants.iter().find(|grant| self.has(&grant.claim, &grant.value))?;
        let agency = match (&grant.agency, &grant.agency_claim) {
            (Some(agency), _) => Some(agency.clone()),
            // An agency is wanted: without one they would see everything.
            (None, Some(claim)) => Some(self.text(claim)?.to_owned()),
            (None, None) => None,
        };
        Some(Given { role: grant.role, agency })
    }

    /// Whether a claim is this value, or has it among its values.
    fn has(&self, claim: &str, value: &str) -> bool {
        match self.get(claim) {
            Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(value)),
            Some(Value::String(text)) => text == value,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn grant(claim: &str, value: &str, role: Role, agency_claim: Option<&str>) -> Grant {
        let agency_claim = agency_claim.map(str::to_owned);
        Grant { claim: claim.into(), value: value.into(), role, agency: None, agency_claim }
    }

    #[test]
    fn the_first_grant_that_fits_decides() {
        let grants = [
            grant("groups", "truong-ca", Role::Manager, None),
            grant("realm_access.roles", "dau-moi", Role::Agency, Some("don_vi")),
            grant("groups", "soc", Role::Analyst, None),
        ];
        let given = |claims: Value| Claims(claims).given(&grants).map(|given| (given.role, given.agency));
        assert_eq!(given(json!({"groups": ["soc", "truong-ca"]})), Some((Role::Manager, None)));
        assert_eq!(given(json!({"groups": "soc"})), Some((Role::Analyst, None)));
        let contact = json!({"realm_access": {"roles": ["dau-moi"]}, "don_vi": "syt"});
        assert_eq!(given(contact), Some((Role::Agency, Some("syt".into()))));
        assert_eq!(given(json!({"realm_access": {"roles": ["dau-moi"]}})), None, "an agency is missing");
        assert_eq!(given(json!({"groups": ["soc2"], "soc": true})), None);
    }

    #[test]
    fn only_a_mail_address_that_was_verified_counts() {
        let mail =
            |verified: Value| Claims(json!({"email": "Lan@tinh.example", "email_verified": verified})).verified_mail();
        assert_eq!(mail(json!(true)).as_deref(), Some("lan@tinh.example"));
        for other in [json!(false), json!("true"), json!(1), Value::Null] {
            assert_eq!(mail(other), None);
        }
    }

    #[test]
    fn a_second_factor_is_what_the_provider_says_it_asked_for() {
        let wanted = ["mfa".to_owned()];
        assert!(Claims(json!({"amr": ["pwd", "mfa"]})).is_strong(&wanted));
        assert!(Claims(json!({"acr": "mfa"})).is_strong(&wanted));
        assert!(!Claims(json!({"amr": ["pwd"], "acr": "1"})).is_strong(&wanted));
    }
}
