//! One-time links: the first administrator's, and those with which users set their password.

use crate::app::App;
use crate::auth::secrets;
use crate::clock;

/// A link that was just made.
#[derive(Debug, Clone)]
pub struct OneTimeLink {
    /// What to open.
    pub url: String,
    /// When it lapses, RFC 3339.
    pub expires_at: String,
}

/// Makes a link for a user, or for the first administrator; earlier ones of the same purpose stop working.
pub async fn make_link(app: &App, user_id: Option<&str>) -> anyhow::Result<OneTimeLink> {
    let token = secrets::random_token()?;
    let expires_us = app.store.add_link(&secrets::digest(&token), user_id).await?;
    Ok(OneTimeLink { url: format!("{}/setup#token={token}", app.public_url), expires_at: clock::to_text(expires_us) })
}

/// Prints the first administrator's link while there is no administrator.
pub async fn announce(app: &App) -> anyhow::Result<()> {
    if app.store.needs_setup().await? {
        let link = make_link(app, None).await?;
        println!("Make the first administrator here (works once, until {}):\n{}", link.expires_at, link.url);
    }
    Ok(())
}
