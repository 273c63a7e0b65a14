//! Climbs ladders: asks the next person when nobody has acknowledged in time. All of it stands in the database; a round
//! looks at what is due by the console's clock, so that a restart loses no step and takes none twice.

use super::plan::Recipient;
use crate::app::App;
use crate::auth::secrets;
use crate::model::{EscalationState, NoticeKind};
use crate::store::escalations::{DueEscalation, NewStep};
use crate::store::notices::NewNotice;

/// How many escalations are looked at in a round.
const ROUND: u32 = 50;

const MINUTE_US: i64 = 60_000_000;

/// Takes the steps that are due; answers how many. One that cannot be taken is tried again and keeps no other from its turn.
pub async fn climb(app: &App) -> anyhow::Result<usize> {
    let due = app.store.due_escalations(ROUND).await?;
    for one in &due {
        if let Err(error) = take(app, one).await {
            tracing::error!(alert = %one.alert_id, error = %format!("{error:#}"), "take a step of a ladder");
        }
        app.live.publish("notices_changed", &serde_json::json!({}));
    }
    Ok(due.len())
}

async fn take(app: &App, due: &DueEscalation) -> anyhow::Result<()> {
    if due.taken_up {
        return Ok(app.store.end_escalation(due, EscalationState::Handled).await?);
    }
    let Some(step) = due.ladder.get(due.step) else {
        app.store.end_escalation(due, EscalationState::Exhausted).await?;
        app.metrics.escalations_exhausted.add(1);
        tracing::warn!(alert = %due.alert_id, "everybody on the ladder was asked and nobody acknowledged");
        return Ok(());
    };
    let resolved = app.notices.plan().resolve(&step.target, app.clock.now_us(), &app.zone);
    let wait_us = i64::from(step.wait_minutes) * MINUTE_US;
    let step = match resolved.map(|mut found| found.pop()) {
        Ok(Some(recipient)) => ask(app, due, recipient, wait_us).await.unwrap_or_else(|error| {
            tracing::error!(alert = %due.alert_id, error = %format!("{error:#}"), "write to whoever is on call");
            nobody(app, "unwritten")
        }),
        Ok(None) => nobody(app, "gone"),
        Err(problem) => nobody(app, problem),
    };
    app.metrics.escalation_steps.add(1);
    Ok(app.store.take_step(due, &step).await?)
}

async fn ask(app: &App, due: &DueEscalation, recipient: Recipient, wait_us: i64) -> anyhow::Result<NewStep> {
    let alert = app.store.alert_body(&due.alert_id).await?;
    let message = app.notices.escalation(&alert, &recipient)?;
    let token = secrets::random_token()?;
    Ok(NewStep {
        digest: secrets::digest(&token),
        token,
        user_id: recipient.user_id.clone(),
        channel: recipient.channel.clone(),
        recipient: recipient.to.clone(),
        notice: Some(NewNotice {
            rule_id: Some(due.rule_id.clone()),
            ..message.to(&recipient, NoticeKind::Escalation)
        }),
        problem: None,
        next_us: app.clock.now_us() + wait_us,
    })
}

/// A step at which nobody could be asked: the next one is taken at once.
fn nobody(app: &App, problem: &str) -> NewStep {
    NewStep {
        user_id: None,
        channel: String::new(),
        recipient: String::new(),
        notice: None,
        token: String::new(),
        digest: String::new(),
        problem: Some(problem.to_owned()),
        next_us: app.clock.now_us(),
    }
}
