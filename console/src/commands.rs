//! What the command line does besides serving. Works on the database itself, so it works while the console runs and
//! while it does not.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::app::App;
use crate::model::{NewUser, Role, wire_name};
use crate::notify::Mailer;
use crate::setup::make_link;
use crate::store::audit::Actor;
use crate::store::chain::{self, KnownHead};

/// `setup-link`: a new link for the first administrator.
pub async fn setup_link(app: &App) -> anyhow::Result<()> {
    anyhow::ensure!(
        app.store.needs_setup().await?,
        "there is an administrator already; use `luytre-console user link NAME` to set a new password"
    );
    let link = make_link(app, None).await?;
    println!("{}\nworks once, until {}", link.url, link.expires_at);
    Ok(())
}

/// `user add`: a new user and their link.
pub async fn add_user(app: &App, name: String, role: Role, display_name: Option<String>) -> anyhow::Result<()> {
    let display_name = display_name.unwrap_or_else(|| name.clone());
    let user = app.store.add_user(&NewUser { name, display_name, role, agency_id: None }, &Actor::default()).await?;
    let link = make_link(app, Some(&user.id)).await?;
    println!("{}\nworks once, until {}", link.url, link.expires_at);
    Ok(())
}

/// `user link`: a new link for a user.
pub async fn user_link(app: &App, name: &str) -> anyhow::Result<()> {
    let (user, _) = app
        .store
        .user_by_name(name)
        .await?
        .with_context(|| format!("there is no user `{name}`; see `luytre-console user list`"))?;
    let link = make_link(app, Some(&user.id)).await?;
    app.store.add_audit(&Actor::default(), "user.link_made", &format!("user:{}", user.id), &Default::default()).await?;
    println!("{}\nworks once, until {}", link.url, link.expires_at);
    Ok(())
}

/// `user list`.
pub async fn list_users(app: &App) -> anyhow::Result<()> {
    for user in app.store.users().await? {
        let state = match (user.disabled, user.invited) {
            (true, _) => "disabled",
            (false, true) => "invited",
            (false, false) => "active",
        };
        println!("{:<24} {:<8} {:<8} {}", user.name, wire_name(&user.role), state, user.display_name);
    }
    Ok(())
}

/// `verify`: whether the log is whole, and where it is not.
pub async fn verify(database: &Path, head: Option<&KnownHead>, export: Option<&Path>) -> anyhow::Result<ExitCode> {
    let report = match export {
        Some(path) => {
            let file = std::fs::File::create_new(path)
                .with_context(|| format!("make {}; name a file that is not there yet", path.display()))?;
            let mut file = std::io::BufWriter::new(file);
            let report = chain::verify_file(database, head, Some(&mut file)).await?;
            file.flush().with_context(|| format!("write {}", path.display()))?;
            report
        }
        None => chain::verify_file(database, head, None).await?,
    };
    if let Some(broken) = &report.broken {
        println!("BROKEN at line {}: {}", broken.number, broken.message);
        println!("{} lines before it fit", report.checked);
        return Ok(ExitCode::FAILURE);
    }
    let Some(head) = report.head else {
        println!("the log is empty");
        return Ok(ExitCode::SUCCESS);
    };
    println!("whole: {} lines, the last of {}", report.checked, head.at);
    if report.adopted > 0 {
        println!("the first {} were written before the log was chained", report.adopted);
    }
    if !report.guarded {
        println!("NOTE: the database no longer refuses changes; start the console's own version of it from a backup");
    }
    println!("head {}:{}", head.number, head.digest);
    Ok(ExitCode::SUCCESS)
}

/// `check`: a line for each thing; fails when one is not well.
pub async fn check(app: &App) -> anyhow::Result<ExitCode> {
    let mut well = true;
    let mut line = |name: &str, result: Result<String, String>| {
        well &= result.is_ok();
        match result {
            Ok(text) => println!("ok    {name}: {text}"),
            Err(text) => println!("FAIL  {name}: {text}"),
        }
    };
    line("database", if app.store.works().await { Ok("answers".into()) } else { Err("does not answer".into()) });
    let setup = app.store.needs_setup().await?;
    line(
        "administrator",
        if setup { Err("there is none; run `luytre-console setup-link`".into()) } else { Ok("is there".into()) },
    );
    line(
        "collector",
        match app.collector.health().await {
            Ok(health) if health.ok => Ok(format!("answers, version {}", health.version)),
            Ok(health) => Err(health.problems.join("; ")),
            Err(error) => Err(error.to_string()),
        },
    );
    line(
        "mail",
        match Mailer::new(&app.settings.mail) {
            Ok(None) => Ok("not configured; nobody is told of alerts by e-mail".into()),
            Ok(Some(mailer)) => match mailer.works().await {
                Ok(true) => Ok(format!("{} answers", app.settings.mail.host)),
                Ok(false) => Err(format!("{} answers but is not ready", app.settings.mail.host)),
                Err(error) => Err(format!("{error:#}")),
            },
            Err(error) => Err(format!("{error:#}")),
        },
    );
    if let Some(openid) = &app.openid {
        line(
            "identity provider",
            match openid.provider.works(app.clock.now_us()).await {
                Ok(()) => Ok(format!("{} answers", openid.settings.issuer)),
                Err(error) => Err(format!("{error:#}")),
            },
        );
    }
    let press = app.press.program().display().to_string();
    line(
        "press",
        if app.press.is_there() { Ok(press) } else { Err(format!("{press} is missing; no PDF can be made")) },
    );
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
