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

/// Takes the steps that are due; answers how many.
pub async fn climb(app: &App) -> anyhow::Result<usize> {
    let due = app.store.due_escalations(ROUND).await?;
    for one in &due {
        let next = one.ladder.get(one.step);
        match next {
            _ if one.taken_up => app.store.end_escalation(one, EscalationState::Handled).await?,
            None => {
                app.store.end_escalation(one, EscalationState::Exhausted).await?;
                app.metrics.escalations_exhausted.add(1);
                tracing::warn!(alert = %one.alert_id, "everybody on the ladder was asked and nobody acknowledged");
            }
            Some(step) => {
                let plan = app.notices.plan();
                let resolved = plan.resolve(&step.target, app.clock.now_us(), &app.zone);
                let wait_us = i64::from(step.wait_minutes) * MINUTE_US;
                let step = match resolved.map(|mut found| found.pop()) {
                    Ok(Some(recipient)) => ask(app, one, recipient, wait_us).await?,
                    Ok(None) => nobody(app, "gone"),
                    Err(problem) => nobody(app, problem),
                };
                app.metrics.escalation_steps.add(1);
                app.store.take_step(one, &step).await?;
            }
        }
        app.live.publish("notices_changed", &serde_json::json!({}));
    }
    Ok(due.len())
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
