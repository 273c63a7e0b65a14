//! Notices: what people are told of alerts, by mail and by webhooks. Rules that administrators edit say who is told of
//! what ([`plan`]); messages are written from templates ([`writer`]), queued in the transaction that stores the alert,
//! and sent by tasks of their own, one for mail and one for webhooks, so that neither waits for the other.
//!
//! One notice per alert and recipient, however often the alert grows; a recipient who has had very many in an hour gets
//! the rest as a digest. What is not taken is tried again with growing waits and given up after `mail.max_attempts`; the
//! answer is kept as the receipt. Everything waits in the database, so a restart loses nothing; a crash between the
//! answer and its note can send something twice. A channel that fails several times in a row is dead: that is told once,
//! through the other channels and on every screen.

pub mod agency;
mod dkim;
pub mod duty;
pub mod ladder;
mod mail;
pub mod plan;
pub mod shapes;
pub mod webhook;
pub mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

pub use mail::{Failure, Mailer};
pub use writer::{NoticeWriter, endpoint};

use self::plan::recipient_of;
use self::writer::LINK_MARK;
use crate::app::App;
use crate::model::{NoticeKind, NoticeRuleBody, Rhythm, Target, TargetKind};
use crate::settings::Settings;
use crate::store::notice_rules::{MAIL, Turn};
use crate::store::notices::{Attempt, DueNotice};
use crate::store::{StoreError, StoreResult};

/// How often the queues are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// How many notices are sent in one round.
const ROUND: u32 = 20;

/// After this time a round ends although more is due, so that the next one begins with what is oldest then.
const ROUND_TIME: Duration = Duration::from_secs(60);

/// The longest wait between tries, in seconds.
const LONGEST_WAIT_S: i64 = 3600;

/// How many alerts a digest shows.
const MAX_IN_DIGEST: u32 = 100;

/// How many digests one round makes.
const DIGESTS_A_ROUND: usize = 50;

/// The first rule of a fresh database: what is severe goes to the configured addresses at once.
pub fn first_rule(settings: &Settings) -> NoticeRuleBody {
    NoticeRuleBody {
        name: "Cảnh báo mức cao trở lên".to_owned(),
        enabled: true,
        severity: settings.mail.severity,
        rules: Vec::new(),
        agencies: Vec::new(),
        days: Vec::new(),
        from: None,
        until: None,
        targets: vec![Target { kind: TargetKind::Configured, value: String::new() }],
        rhythm: Rhythm::AtOnce,
        daily_at: None,
        ladder: Vec::new(),
    }
}

/// Sends what is queued for mail until the task is dropped.
pub async fn send_queued(app: Arc<App>, mailer: Mailer) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        if let Err(error) = send_round(&app, &mailer).await {
            tracing::error!(%error, "work on the mail queue");
        }
    }
}

/// Makes digests, climbs ladders and sends what is queued for webhooks, until the task is dropped.
pub async fn keep_telling(app: Arc<App>) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        if let Err(error) = tick(&app).await {
            tracing::error!(error = %format!("{error:#}"), "work on digests and ladders");
        }
        if let Err(error) = send_hooks(&app).await {
            tracing::error!(%error, "work on the queue of webhooks");
        }
    }
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

/// Takes the steps of ladders and makes the digests that are due now.
pub async fn tick(app: &App) -> anyhow::Result<()> {
    // First those who are waited for: a digest that cannot be made keeps nobody from being called.
    ladder::climb(app).await?;
    for _ in 0..DIGESTS_A_ROUND {
        let Some(digest) = app.store.due_digest(MAX_IN_DIGEST).await? else { break };
        let plan = app.notices.plan();
        let recipient = if digest.channel == MAIL {
            let to = Target { kind: TargetKind::Address, value: digest.recipient.clone() };
            plan.resolve(&to, app.clock.now_us(), &app.zone).ok().and_then(|mut found| found.pop())
        } else {
            plan.hooks().find(|hook| hook.channel.id == digest.channel).and_then(recipient_of)
        };
        let notice = match recipient {
            Some(mut recipient) => {
                recipient.language = digest.language;
                Some(app.notices.digest(&digest, &recipient)?.to(&recipient, NoticeKind::Digest))
            }
            // The channel is gone: there is nobody to wait for.
            None => None,
        };
        app.store.queue_digest(&digest, notice.as_ref()).await?;
    }
    Ok(())
}

/// Sends the mails that are due now; answers how many were tried.
pub async fn send_round(app: &App, mailer: &Mailer) -> StoreResult<usize> {
    let due = app.store.due_notices(true, ROUND).await?;
    send_all(app, due, Some(mailer)).await
}

/// Sends what is due now for webhooks, each on its own; answers how many were tried.
pub async fn send_hooks(app: &App) -> StoreResult<usize> {
    let mut lanes: BTreeMap<String, Vec<DueNotice>> = BTreeMap::new();
    for notice in app.store.due_notices(false, ROUND * 5).await? {
        lanes.entry(notice.channel.clone()).or_default().push(notice);
    }
    let tried = join_all(lanes.into_values().map(|lane| send_all(app, lane, None))).await;
    tried.into_iter().sum()
}

async fn send_all(app: &App, due: Vec<DueNotice>, mailer: Option<&Mailer>) -> StoreResult<usize> {
    let began = Instant::now();
    let mut tried = 0;
    for mut notice in due {
        let link = notice.link_token.as_ref().map(|token| format!("{}/acknowledge#token={token}", app.public_url));
        let link = link.unwrap_or_default();
        notice.body = notice.body.replace(LINK_MARK, &link);
        notice.html = notice.html.map(|html| html.replace(LINK_MARK, &link));
        let handed = match mailer {
            Some(mailer) => mailer.send(&notice, app.clock.now_us() / 1_000_000).await,
            None => to_hook(app, &notice).await?,
        };
        tried += 1;
        note(app, &notice, handed).await?;
        if began.elapsed() > ROUND_TIME {
            break;
        }
    }
    Ok(tried)
}

async fn to_hook(app: &App, notice: &DueNotice) -> StoreResult<Result<String, Failure>> {
    let gone = |reason: &str| Failure { reason: reason.to_owned(), permanent: true };
    let hook = match app.store.hook(&notice.channel).await {
        Ok(hook) => hook,
        Err(StoreError::NotFound(_)) => return Ok(Err(gone("the webhook was deleted"))),
        Err(error) => return Err(error),
    };
    let Some(shape) = shapes::find(&hook.channel.shape) else { return Ok(Err(gone("there is no such shape"))) };
    let now_s = app.clock.now_us() / 1_000_000;
    let message = webhook::Message { shape, url: &hook.channel.url, body: notice.body.clone(), now_s };
    Ok(app.hooks.send(message, &hook.secret).await)
}

/// Writes down what became of a try, of the notice and of its channel.
async fn note(app: &App, notice: &DueNotice, handed: Result<String, Failure>) -> StoreResult<()> {
    let mail = notice.channel == MAIL;
    let outcome = handed.as_ref().map(|_| ()).map_err(|failure| failure.reason.clone());
    let attempt = match handed {
        Ok(receipt) => {
            if mail { &app.metrics.mails_sent } else { &app.metrics.hooks_sent }.add(1);
            Attempt::Sent { receipt }
        }
        Err(failure) => {
            if mail { &app.metrics.mail_failures } else { &app.metrics.hook_failures }.add(1);
            tracing::warn!(error = %failure.reason, to = %notice.recipient, "send a notice");
            let settings = &app.settings.mail;
            if failure.permanent || notice.attempts + 1 >= settings.max_attempts {
                Attempt::Failed { error: failure.reason }
            } else {
                let wait_s = i64::from(settings.first_retry_s) << notice.attempts.min(12);
                let next_us = app.clock.now_us() + wait_s.min(LONGEST_WAIT_S) * 1_000_000;
                Attempt::Later { error: failure.reason, next_us }
            }
        }
    };
    app.store.notice_tried(&notice.id, &attempt).await?;
    let outcome = outcome.as_ref().map(|_| ()).map_err(String::as_str);
    let turn = app.store.note_channel(&notice.channel, outcome, app.settings.notices.dead_after).await?;
    if turn == Turn::Dead {
        app.metrics.channels_died.add(1);
        tell_of_dead(app, &notice.channel, outcome.err().unwrap_or_default()).await?;
    }
    if turn != Turn::Same {
        app.live.publish("notices_changed", &serde_json::json!({}));
    }
    Ok(())
}

/// Tells through all other channels that work that one does not; once, when it dies.
async fn tell_of_dead(app: &App, channel: &str, error: &str) -> StoreResult<()> {
    let dead: Vec<String> = app.store.dead_channels().await?.into_iter().map(|(id, ..)| id).collect();
    let plan = app.notices.plan();
    let name = plan.hooks().find(|hook| hook.channel.id == channel).map_or(MAIL, |hook| &hook.channel.name).to_owned();
    let configured = Target { kind: TargetKind::Configured, value: String::new() };
    let mut others = plan.resolve(&configured, app.clock.now_us(), &app.zone).unwrap_or_default();
    others.extend(plan.hooks().filter_map(recipient_of));
    let mut notices = Vec::new();
    for other in others.iter().filter(|other| other.channel != channel && !dead.contains(&other.channel)) {
        match app.notices.notice(NoticeKind::Channel, other, &name, error) {
            Ok(message) => notices.push(message.to(other, NoticeKind::Channel)),
            Err(error) => tracing::error!(error = %format!("{error:#}"), "write a notice"),
        }
    }
    app.store.queue_notices(&notices).await
}
