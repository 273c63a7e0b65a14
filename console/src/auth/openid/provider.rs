//! The provider: what it publishes of itself, its keys, and the exchange of a code for an ID token.
//!
//! What it publishes is asked for anew after [`KNOWN_FOR_US`]; its keys also when a token names one that is not known, but
//! not more often than every [`KEYS_AGAIN_US`]. Where the provider does not answer, what was known goes on; where nothing
//! is known, the next try waits [`SULK_US`].

use anyhow::Context as _;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::claims::Claims;
use super::settings::OpenIdSettings;
use super::token::{self, Keys, TokenError, Wanted};
use crate::collector::path_part;
use crate::outside::{Outside, check_address};

/// How long what the provider publishes is believed, microseconds.
pub const KNOWN_FOR_US: i64 = 3_600 * 1_000_000;

/// How often the keys are asked for at most, microseconds.
pub const KEYS_AGAIN_US: i64 = 10 * 1_000_000;

/// How long a provider that did not answer is left alone, microseconds.
pub const SULK_US: i64 = 5 * 1_000_000;

/// Why the provider was of no help. The texts are for the log.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer, or not as it must.
    #[error("ask the identity provider: {0:#}")]
    Unreachable(anyhow::Error),
    /// It does not take the code.
    #[error("the identity provider refused the code: {0}")]
    Refused(String),
    /// Its token is not taken.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// What a provider publishes (OpenID Connect Discovery 1.0, 3).
#[derive(Debug, Clone, Deserialize)]
struct Published {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Debug, Clone)]
struct Known {
    published: Published,
    keys: Keys,
    read_us: i64,
    keys_read_us: i64,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    failed_us: Option<i64>,
}

/// The provider that is configured.
pub struct Provider {
    issuer: String,
    client_id: String,
    secret: Option<String>,
    outside: Outside,
    state: Mutex<State>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Provider {
    /// Checks the configuration; asks nobody yet.
    pub fn new(settings: &OpenIdSettings) -> anyhow::Result<Provider> {
        check_address(&settings.issuer).map_err(|error| anyhow::anyhow!("openid.issuer: {error}"))?;
        anyhow::ensure!(!settings.client_id.is_empty(), "openid.client_id: say how the provider knows the console");
        let secret = match &settings.client_secret_file {
            Some(path) => {
                let text = std::fs::read_to_string(path);
                let text = text.with_context(|| format!("openid.client_secret_file: read {}", path.display()))?;
                anyhow::ensure!(!text.trim().is_empty(), "openid.client_secret_file: {} is empty", path.display());
                Some(text.trim().to_owned())
            }
            None => None,
        };
        Ok(Provider {
            issuer: settings.issuer.clone(),
            client_id: settings.client_id.clone(),
            secret,
            outside: Outside::new(settings.ca_file.as_deref(), "openid.ca_file")?,
            state: Mutex::default(),
        })
    }

    /// The address at which somebody logs in.
    pub async fn log_in_address(&self, parameters: &[(&str, &str)], now_us: i64) -> Result<String, ProviderError> {
        let known = self.known(now_us).await?;
        Ok(with_parameters(&known.published.authorization_endpoint, parameters))
    }

    /// The address at which somebody logs out of the provider, where it has one and has been asked already.
    pub fn log_out_address(&self, parameters: &[(&str, &str)]) -> Option<String> {
        // While the provider is being asked, it is better not known than waited for.
        let state = self.state.try_lock().ok()?;
        let address = state.known.as_ref()?.published.end_session_endpoint.clone()?;
        Some(with_parameters(&address, parameters))
    }

    /// Exchanges the code of a log-in for what the provider says of the person.
    pub async fn claims(&self, form: &[(&str, &str)], nonce: &str, now_us: i64) -> Result<Claims, ProviderError> {
        let known = self.known(now_us).await?;
        let token = self.id_token(&known.published, form).await?;
        let wanted = Wanted { issuer: &self.issuer, client_id: &self.client_id, nonce, now_s: now_us / 1_000_000 };
        match token::check(&token, &known.keys, wanted) {
            Err(TokenError::UnknownKey) => {
                let keys = self.keys_again(now_us).await?;
                Ok(token::check(&token, &keys, wanted)?)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Whether it answers, for `luytre-console check`.
    pub async fn works(&self, now_us: i64) -> Result<(), ProviderError> {
        self.known(now_us).await.map(|_| ())
    }

    async fn id_token(&self, published: &Published, form: &[(&str, &str)]) -> Result<String, ProviderError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let mut form = form.to_vec();
        form.push(("client_id", &self.client_id));
        if let Some(secret) = &self.secret {
            // Without a word of it, `client_secret_basic` is the rule (Discovery, 3).
            let methods = published.token_endpoint_auth_methods_supported.as_ref();
            if methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic")) {
                let pair = format!("{}:{}", path_part(&self.client_id), path_part(secret));
                let value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)));
                let mut value = value.map_err(|error| ProviderError::Unreachable(error.into()))?;
                value.set_sensitive(true);
                headers.insert(header::AUTHORIZATION, value);
            } else {
                form.push(("client_secret", secret));
            }
        }
        let answer = self.outside.send(Method::POST, &published.token_endpoint, headers, encoded(&form)).await;
        let (status, body) = answer.map_err(ProviderError::Unreachable)?;
        let said: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        if let Some(error) = said["error"].as_str() {
            return Err(ProviderError::Refused(crate::words::one_line(error, 100)));
        }
        match said["id_token"].as_str().filter(|_| (200..300).contains(&status)) {
            Some(token) => Ok(token.to_owned()),
            None => Err(ProviderError::Unreachable(anyhow::anyhow!("it answered {status} without an ID token"))),
        }
    }

    async fn known(&self, now_us: i64) -> Result<Known, ProviderError> {
        let mut state = self.state.lock().await;
        if let Some(known) = state.known.as_ref().filter(|known| now_us - known.read_us < KNOWN_FOR_US) {
            return Ok(known.clone());
        }
        if state.failed_us.is_some_and(|failed_us| now_us - failed_us < SULK_US) {
            let sulks = || ProviderError::Unreachable(anyhow::anyhow!("it did not answer a moment ago"));
            return state.known.clone().ok_or_else(sulks);
        }
        match self.read(now_us).await {
            Ok(known) => {
                *state = State { known: Some(known.clone()), failed_us: None };
                Ok(known)
            }
            Err(error) => {
                state.failed_us = Some(now_us);
                match &state.known {
                    Some(known) => {
                        tracing::warn!(error = %format!("{error:#}"), "read what the identity provider publishes");
                        Ok(known.clone())
                    }
                    None => Err(ProviderError::Unreachable(error)),
                }
            }
        }
    }

    async fn read(&self, now_us: i64) -> anyhow::Result<Known> {
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let published: Published = self.get(&address).await.with_context(|| format!("read {address}"))?;
        // Whoever answers for another issuer could hand over its keys for it (Discovery, 4.3).
        anyhow::ensure!(
            published.issuer == self.issuer,
            "it calls itself {:?}, openid.issuer calls it {:?}",
            published.issuer,
            self.issuer
        );
        let addresses = [&published.authorization_endpoint, &published.token_endpoint, &published.jwks_uri];
        for address in addresses.into_iter().chain(&published.end_session_endpoint) {
            check_address(address).with_context(|| format!("{address:?}"))?;
        }
        let keys = self.get(&published.jwks_uri).await.context("read its keys")?;
        Ok(Known { published, keys, read_us: now_us, keys_read_us: now_us })
    }

    /// The keys, asked for again: the provider may have changed them.
    async fn keys_again(&self, now_us: i64) -> Result<Keys, ProviderError> {
        let mut state = self.state.lock().await;
        let Some(known) = state.known.as_mut() else { return Ok(Keys::default()) };
        if now_us - known.keys_read_us >= KEYS_AGAIN_US {
            known.keys_read_us = now_us;
            known.keys = self.get(&known.published.jwks_uri).await.map_err(ProviderError::Unreachable)?;
        }
        Ok(known.keys.clone())
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, address: &str) -> anyhow::Result<T> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let (status, body) = self.outside.send(Method::GET, address, headers, String::new()).await?;
        anyhow::ensure!(status == 200, "it answered {status}");
        Ok(serde_json::from_str(&body)?)
    }
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", path_part(value))).collect();
    pairs.join("&")
}

fn with_parameters(address: &str, parameters: &[(&str, &str)]) -> String {
    format!("{address}{}{}", if address.contains('?') { '&' } else { '?' }, encoded(parameters))
}
