//! How people and programs get in: second factors and tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A second factor that is proposed, to be scanned and confirmed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CodeProposal {
    /// The secret, to be typed into an app that cannot scan.
    pub secret: String,
    /// The address that the picture shows.
    pub address: String,
    /// The QR code: the path of an SVG, one unit a module.
    pub path: String,
    /// Its width in units.
    pub size: i32,
}

/// A code of the app, or a recovery code.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenCode {
    /// The code.
    pub code: String,
}

/// Recovery codes, shown once; each works once instead of a code.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodes {
    /// The codes.
    pub codes: Vec<String>,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenScope {
    /// Read and search what its owner may.
    Read,
    /// Also change what its owner may, except users, tokens and sessions.
    Write,
}

/// A token of a program; it acts as its owner.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiToken {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: TokenScope,
    /// When it was made.
    pub created_at: String,
    /// When it lapses.
    pub expires_at: String,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<String>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// One's own tokens, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiTokenList {
    /// The tokens.
    pub items: Vec<ApiToken>,
}

/// Makes a token.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiToken {
    /// What it is for; 1 to 100 characters.
    pub name: String,
    /// What it may do.
    pub scope: TokenScope,
    /// In how many days it lapses, 1 to 365.
    pub days: u32,
}

/// A token was made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiTokenMade {
    /// The secret, shown once: `Authorization: Bearer` and this.
    pub secret: String,
    /// The token.
    pub token: ApiToken,
}

/// Whether one can come in by an identity provider.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct OpenIdState {
    /// What people call it; nothing where none is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

/// Where to go to log in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OpenIdAddress {
    /// The address at the identity provider.
    pub address: String,
}

/// What the identity provider sent back, as the address of the page that it went to has it.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenIdReturn {
    /// Which log-in it belongs to.
    pub state: String,
    /// The code that is exchanged for what the provider says.
    #[serde(default)]
    pub code: Option<String>,
    /// Why it let nobody in.
    #[serde(default)]
    pub error: Option<String>,
    /// A code of the user's own second factor, when one is asked for.
    #[serde(default)]
    pub second: Option<String>,
}

/// Whether one's own account is linked with one at the identity provider.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct IdentityState {
    /// What people call the provider; nothing where none is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Whether there is a link.
    pub linked: bool,
}
