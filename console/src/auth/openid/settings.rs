//! The section `[openid]` of the configuration: which provider, and who its people are here.

use std::path::PathBuf;

use serde::Deserialize;

use crate::model::Role;

/// Log-in with an identity provider (OpenID Connect). It is off while `issuer` is empty.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpenIdSettings {
    /// The provider, as it names itself: what it publishes of itself is at `ISSUER/.well-known/openid-configuration`.
    pub issuer: String,
    /// How the provider knows the console.
    pub client_id: String,
    /// A file with the secret that the provider gave the console, readable by it only; a public client has none.
    pub client_secret_file: Option<PathBuf>,
    /// What people call the provider; stands on the button of the log-in page.
    pub name: String,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// An authority to trust besides the public ones, PEM.
    pub ca_file: Option<PathBuf>,
    /// Whether somebody may come in whose mail address, verified by the provider, is that of a user. Else only accounts
    /// that their users have linked come in.
    pub match_mail: bool,
    /// Whether an account is made for somebody whom nobody knows yet; needs a grant that fits.
    pub make_accounts: bool,
    /// The claim from which a new account takes its name.
    pub name_claim: String,
    /// Values of the claims `amr` and `acr` that say that the provider asked for a second factor.
    pub second_factor: Vec<String>,
    /// What somebody may do by what the provider says of them; the first that fits. Without any, roles and agencies are
    /// those that administrators give.
    pub grant: Vec<Grant>,
}

impl Default for OpenIdSettings {
    fn default() -> Self {
        OpenIdSettings {
            issuer: String::new(),
            client_id: String::new(),
            client_secret_file: None,
            name: String::new(),
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            ca_file: None,
            match_mail: false,
            make_accounts: false,
            name_claim: "preferred_username".to_owned(),
            second_factor: vec!["mfa".to_owned(), "otp".to_owned(), "hwk".to_owned()],
            grant: Vec::new(),
        }
    }
}

/// Who is given a role and an agency.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The claim to look at; dots lead into claims within claims.
    pub claim: String,
    /// The value it must have, or have among its values.
    pub value: String,
    /// The role that is given.
    pub role: Role,
    /// The id of the agency beyond which they see nothing.
    #[serde(default)]
    pub agency: Option<String>,
    /// The claim whose value is the id or the code of that agency.
    #[serde(default)]
    pub agency_claim: Option<String>,
}
