//! Log-in with an identity provider (OpenID Connect, authorization code with PKCE), where the section `[openid]` of the
//! configuration names one.
//!
//! A browser begins ([`OpenId::begin`]) and is sent to the provider; it comes back to [`RETURN_PATH`] with a code and the
//! state. State, nonce and PKCE secret are of one browser and good once ([`flows`]); the ID token is checked in [`token`];
//! who that is here and what they may do is decided by links, mail addresses and [`claims`]. The provider being away never
//! keeps those out who have a password.

pub mod claims;
pub mod flows;
pub mod provider;
pub mod settings;
pub mod token;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use self::claims::Claims;
use self::flows::{Begun, Flow, Flows, Purpose};
use self::provider::{Provider, ProviderError};
use self::settings::OpenIdSettings;

/// The page to which the provider sends people back.
pub const RETURN_PATH: &str = "/openid";

/// The cookie that ties a log-in under way to its browser.
pub const COOKIE: &str = "luytre_openid";

/// The provider that is configured, and the log-ins under way.
#[derive(Debug)]
pub struct OpenId {
    /// What is configured.
    pub settings: OpenIdSettings,
    /// The provider.
    pub provider: Provider,
    /// The log-ins under way.
    pub flows: Flows,
    return_address: String,
    log_in_page: String,
}

impl OpenId {
    /// Ready to work; nothing where no provider is configured.
    pub fn new(settings: &OpenIdSettings, public_url: &str) -> anyhow::Result<Option<OpenId>> {
        if settings.issuer.is_empty() {
            return Ok(None);
        }
        anyhow::ensure!(
            !settings.make_accounts || !settings.grant.is_empty(),
            "openid.make_accounts: without an [[openid.grant]] nobody would know what a new account may do"
        );
        Ok(Some(OpenId {
            provider: Provider::new(settings)?,
            settings: settings.clone(),
            flows: Flows::default(),
            return_address: format!("{public_url}{RETURN_PATH}"),
            log_in_page: format!("{public_url}/login"),
        }))
    }

    /// What people call the provider.
    pub fn name(&self) -> &str {
        if self.settings.name.is_empty() { "OpenID Connect" } else { &self.settings.name }
    }

    /// Begins a log-in: where the browser goes, and what it keeps.
    pub async fn begin(
        &self,
        purpose: Purpose,
        network: String,
        now_us: i64,
    ) -> anyhow::Result<Result<(String, Begun), ProviderError>> {
        let begun = self.flows.begin(purpose, network, now_us)?;
        let scopes = [&["openid".to_owned()], self.settings.scopes.as_slice()].concat().join(" ");
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(begun.flow.verifier.as_bytes()));
        let parameters = [
            ("response_type", "code"),
            ("client_id", self.settings.client_id.as_str()),
            ("redirect_uri", self.return_address.as_str()),
            ("scope", scopes.as_str()),
            ("state", begun.state.as_str()),
            ("nonce", begun.flow.nonce.as_str()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        Ok(self.provider.log_in_address(&parameters, now_us).await.map(|address| (address, begun)))
    }

    /// Ends a log-in: what the provider says of the person.
    pub async fn finish(&self, flow: &Flow, code: &str, now_us: i64) -> Result<Claims, ProviderError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.return_address.as_str()),
            ("code_verifier", flow.verifier.as_str()),
        ];
        self.provider.claims(&form, &flow.nonce, now_us).await
    }

    /// Where somebody logs out of the provider too (OpenID Connect RP-Initiated Logout 1.0), where it has such a place.
    pub fn log_out_address(&self) -> Option<String> {
        let parameters =
            [("client_id", self.settings.client_id.as_str()), ("post_logout_redirect_uri", self.log_in_page.as_str())];
        self.provider.log_out_address(&parameters)
    }
}
