//! `luytre-collector sources`: other programs that send lines, and the tokens that they show.

use std::io::Write as _;
use std::path::Path;

use clap::Subcommand;
use luytre_collector_api::{SourceLine, SourceToken};

use super::print_table;
use crate::client::Client;
use crate::settings::Settings;
use crate::sources::{OLD_HOURS, Tokens, Transport};

/// `luytre-collector sources ...`.
#[derive(Debug, Subcommand)]
pub enum SourcesCommand {
    /// Make a token that senders of a source by HTTPS show; the one before works for a day more.
    Token {
        /// The source's name in the configuration.
        name: String,
    },
    /// From now on no token of a source is taken.
    Revoke {
        /// The source's name in the configuration.
        name: String,
    },
}

/// Lists the sources, or does what is asked about a token.
pub async fn sources(
    client: &Client,
    settings: &Settings,
    data: &Path,
    json: bool,
    command: Option<&SourcesCommand>,
) -> anyhow::Result<()> {
    match command {
        None => list(client, json).await,
        Some(SourcesCommand::Token { name }) => {
            let token = if client.is_there().await {
                client.post::<SourceToken>(&format!("/v1/sources/{name}/token"), &()).await?.token
            } else {
                kept(settings, data, name)?.create(crate::clock::now_ns())?
            };
            println!("{token}");
            eprintln!("for the source {name}; it is not told again; the one before works for {OLD_HOURS} hours more");
            Ok(())
        }
        Some(SourcesCommand::Revoke { name }) => {
            if client.is_there().await {
                client.post::<()>(&format!("/v1/sources/{name}/revoke"), &()).await?;
            } else {
                kept(settings, data, name)?.revoke()?;
            }
            println!("the source {name} takes no token any more");
            Ok(())
        }
    }
}

/// The tokens of a source while no collector runs.
fn kept(settings: &Settings, data: &Path, name: &str) -> anyhow::Result<Tokens> {
    let known = settings.source.iter().find(|source| source.name == name && source.transport == Transport::Https);
    anyhow::ensure!(
        known.is_some(),
        "no source {name} takes lines by HTTPS: write [[source]] with name = \"{name}\" and transport = \"https\" into \
         the configuration"
    );
    Ok(Tokens::open(&data.join("sources"), name))
}

/// Prints the sources with their counts.
async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let sources: Vec<SourceLine> = client.get("/v1/sources").await?;
    let mut out = std::io::stdout().lock();
    if json {
        for source in &sources {
            writeln!(out, "{}", serde_json::to_string(source)?)?;
        }
        return Ok(());
    }
    let columns = ["name", "last heard", "lines", "durable", "waiting", "dropped", "refused"].map(str::to_owned);
    let row = |source: &SourceLine| {
        let told = |counts: &std::collections::BTreeMap<String, u64>| {
            let told: Vec<String> = counts.iter().map(|(why, count)| format!("{count} {why}")).collect();
            told.join(", ")
        };
        let heard = source.heard.clone().unwrap_or_else(|| "never".to_owned());
        let heard = if source.silent { format!("{heard}, silent") } else { heard };
        let counts = [source.taken, source.given, source.held].map(|count| count.to_string());
        [vec![source.name.clone(), heard], counts.to_vec(), vec![told(&source.dropped), told(&source.refused)]].concat()
    };
    Ok(print_table(&columns, &sources.iter().map(row).collect::<Vec<_>>(), &mut out)?)
}
