//! E-mail notices: written when an alert comes in, queued in the same transaction, sent by a task of their own.
//!
//! One mail per alert and recipient, however often the alert grows. A mail that the server does not take is tried again
//! with growing waits and given up after `mail.max_attempts`; what the server answered is kept as the receipt. Mails
//! wait in the database, so a restart loses none; a crash between the server's answer and its note can send one twice.

mod mail;
mod writer;

use std::sync::Arc;
use std::time::Duration;

pub use mail::Mailer;
pub use writer::{NoticeWriter, endpoint};

use crate::app::App;
use crate::store::notices::{Attempt, DueNotice};

/// How often the queue is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// How many mails are sent in one round.
const ROUND: u32 = 20;

/// The longest wait between tries, in seconds.
const LONGEST_WAIT_S: i64 = 3600;

/// Sends what is queued until the task is dropped.
pub async fn send_queued(app: Arc<App>, mailer: Mailer) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = send_round(&app, &mailer).await {
            tracing::error!(%error, "work on the mail queue");
        }
    }
}

/// Sends what is due now; answers how many were tried.
pub async fn send_round(app: &App, mailer: &Mailer) -> Result<usize, crate::store::StoreError> {
    let due = app.store.due_notices(ROUND).await?;
    for notice in &due {
        let attempt = attempt(app, mailer, notice).await;
        app.store.notice_tried(&notice.id, &attempt).await?;
    }
    Ok(due.len())
}

async fn attempt(app: &App, mailer: &Mailer, notice: &DueNotice) -> Attempt {
    match mailer.send(notice).await {
        Ok(receipt) => {
            app.metrics.mails_sent.add(1);
            Attempt::Sent { receipt }
        }
        Err(failure) => {
            app.metrics.mail_failures.add(1);
            tracing::warn!(error = %failure.reason, to = %notice.recipient, "send a notice");
            let settings = &app.settings.mail;
            if failure.permanent || notice.attempts + 1 >= settings.max_attempts {
                return Attempt::Failed { error: failure.reason };
            }
            let wait_s = i64::from(settings.first_retry_s) << notice.attempts.min(12);
            let next_us = app.clock.now_us() + wait_s.min(LONGEST_WAIT_S) * 1_000_000;
            Attempt::Later { error: failure.reason, next_us }
        }
    }
}
