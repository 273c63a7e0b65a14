//! Notice rules, webhooks, and how each channel has done. Secrets are read by the sender alone.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::audit::{Actor, audit, detail};
use super::rosters::{check_name, only_one};
use super::sql::person;
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{
    ChannelState, Lang, NoticeChannel, NoticeRule, NoticeRuleBody, SaveNoticeChannel, TargetKind, from_wire_name,
    wire_name,
};

/// The name of mail among the channels.
pub const MAIL: &str = "mail";
/// How many notice rules there may be.
pub const MAX_RULES: i64 = 100;
/// How many recipients, rules, agencies a notice rule may name.
pub const MAX_NAMED: usize = 100;
/// How many steps a ladder may have.
pub const MAX_STEPS: usize = 8;
/// How many webhooks there may be.
pub const MAX_CHANNELS: i64 = 50;
/// How long the address, recipient or secret of a webhook may be, in characters.
const MAX_FIELD: usize = 1000;
/// A note in the settings: the first rule was made once, and is not made again when somebody deletes it.
const FIRST_RULE: &str = "notice_rules";

/// A webhook with its secret.
#[derive(Clone)]
pub struct Hook {
    /// What everybody may see of it.
    pub channel: NoticeChannel,
    /// The secret.
    pub secret: String,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook").field("channel", &self.channel.name).finish_non_exhaustive()
    }
}

/// What a try has made of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Nothing new.
    Same,
    /// It counts as dead from now on.
    Dead,
    /// It works again.
    Alive,
}

impl Store {
    /// All notice rules, the oldest first.
    pub async fn notice_rules(&self) -> StoreResult<Vec<NoticeRule>> {
        let rows = sqlx::query(
            "SELECT r.*, r.changed_by AS by_id, u.name AS by_name, u.display_name AS by_display FROM notice_rules r \
             LEFT JOIN users u ON u.id = r.changed_by ORDER BY r.id",
        )
        .fetch_all(&self.readers)
        .await?;
        let mut rules = Vec::with_capacity(rows.len());
        for row in &rows {
            match rule(row)? {
                Some(rule) => rules.push(rule),
                None => tracing::error!("a notice rule of a newer release is not understood and not in force"),
            }
        }
        Ok(rules)
    }

    /// A notice rule.
    pub async fn notice_rule(&self, id: &str) -> StoreResult<NoticeRule> {
        let found = self.notice_rules().await?.into_iter().find(|rule| rule.id == id);
        found.ok_or(StoreError::NotFound("notice rule"))
    }

    /// Makes a notice rule, or changes the one of the id and the version that was seen.
    pub async fn save_notice_rule(
        &self,
        known: Option<(&str, i64)>,
        body: &NoticeRuleBody,
        actor: &Actor,
    ) -> StoreResult<String> {
        check_rule(body)?;
        let now_us = self.now_us();
        let text = serde_json::to_string(body).unwrap_or_default();
        let mut change = self.begin().await?;
        let id = match known {
            Some((id, version)) => {
                let done = sqlx::query(
                    "UPDATE notice_rules SET body = $1, version = version + 1, changed_us = $2, changed_by = $3 \
                     WHERE id = $4 AND version = $5",
                )
                .bind(&text)
                .bind(now_us)
                .bind(&actor.user_id)
                .bind(id)
                .bind(version)
                .execute(&mut *change)
                .await?;
                if done.rows_affected() == 0 {
                    drop(change);
                    let now = self.notice_rule(id).await?;
                    return Err(StoreError::Conflict(Box::new(serde_json::to_value(now).unwrap_or_default())));
                }
                id.to_owned()
            }
            None => {
                let count: i64 =
                    sqlx::query_scalar("SELECT COUNT(*) FROM notice_rules").fetch_one(&mut *change).await?;
                if count >= MAX_RULES {
                    let message = format!("there are {MAX_RULES} notice rules already; delete one first");
                    return Err(StoreError::refused("too_many_rules", message));
                }
                insert_rule(&mut change, &text, now_us, actor).await?
            }
        };
        // The whole rule is a line of the log: who was told of what has to be known later.
        let what = detail([("rule", &text)]);
        audit(&mut change, now_us, actor, "notice_rule.saved", &format!("notice_rule:{id}"), &what).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Deletes a notice rule.
    pub async fn delete_notice_rule(&self, id: &str, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row =
            sqlx::query("DELETE FROM notice_rules WHERE id = $1 RETURNING body").bind(id).fetch_optional(&mut *change);
        let body: String = row.await?.ok_or(StoreError::NotFound("notice rule"))?.try_get("body")?;
        let what = detail([("rule", &body)]);
        audit(&mut change, now_us, actor, "notice_rule.deleted", &format!("notice_rule:{id}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// Makes the first rule of a database that has never had one.
    pub async fn make_first_notice_rule(&self, body: &NoticeRuleBody) -> StoreResult<()> {
        let mut change = self.begin().await?;
        let made = sqlx::query("INSERT INTO settings (name, value) VALUES ($1, 'made') ON CONFLICT (name) DO NOTHING")
            .bind(FIRST_RULE)
            .execute(&mut *change)
            .await?;
        if made.rows_affected() > 0 {
            let text = serde_json::to_string(body).unwrap_or_default();
            insert_rule(&mut change, &text, self.now_us(), &Actor::default()).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// All webhooks by name, with their secrets and how they have done.
    pub async fn hooks(&self) -> StoreResult<Vec<Hook>> {
        let rows = sqlx::query(
            "SELECT c.*, s.failures, s.dead_us, s.last_error, s.good_us FROM notice_channels c \
             LEFT JOIN channel_states s ON s.channel = c.id ORDER BY c.name",
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.iter().map(hook).collect::<Result<_, _>>()?)
    }

    /// A webhook with its secret.
    pub async fn hook(&self, id: &str) -> StoreResult<Hook> {
        let found = self.hooks().await?.into_iter().find(|hook| hook.channel.id == id);
        found.ok_or(StoreError::NotFound("webhook"))
    }

    /// Makes a webhook, or changes the one of the id. Its shape and address were checked by whoever knows the shapes.
    pub async fn save_hook(&self, id: Option<&str>, wish: &SaveNoticeChannel, actor: &Actor) -> StoreResult<String> {
        check_name(&wish.name)?;
        let secret = wish.secret.as_deref();
        for (field, value) in
            [("url", wish.url.as_str()), ("recipient", &wish.recipient), ("secret", secret.unwrap_or(""))]
        {
            if value.chars().count() > MAX_FIELD || value.chars().any(char::is_control) {
                return Err(StoreError::invalid(field, format!("use at most {MAX_FIELD} characters on one line")));
            }
        }
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let name = wish.name.trim();
        only_one(&mut change, "SELECT COUNT(*) FROM notice_channels WHERE name = $1 AND id <> $2", name, id).await?;
        let id = match id {
            Some(id) => {
                let done = sqlx::query(
                    "UPDATE notice_channels SET name = $1, shape = $2, url = $3, recipient = $4, language = $5, \
                     secret = COALESCE($6, secret), enabled = $7, version = version + 1, changed_us = $8, \
                     changed_by = $9 WHERE id = $10 AND version = $11",
                )
                .bind(name)
                .bind(&wish.shape)
                .bind(&wish.url)
                .bind(&wish.recipient)
                .bind(wire_name(&wish.language))
                .bind(secret)
                .bind(i64::from(wish.enabled))
                .bind(now_us)
                .bind(&actor.user_id)
                .bind(id)
                .bind(wish.version)
                .execute(&mut *change)
                .await?;
                if done.rows_affected() == 0 {
                    drop(change);
                    let now = self.hook(id).await?.channel;
                    return Err(StoreError::Conflict(Box::new(serde_json::to_value(now).unwrap_or_default())));
                }
                id.to_owned()
            }
            None => {
                let count: i64 =
                    sqlx::query_scalar("SELECT COUNT(*) FROM notice_channels").fetch_one(&mut *change).await?;
                if count >= MAX_CHANNELS {
                    let message = format!("there are {MAX_CHANNELS} webhooks already; delete one first");
                    return Err(StoreError::refused("too_many_channels", message));
                }
                let id = new_id();
                sqlx::query(
                    "INSERT INTO notice_channels (id, name, shape, url, recipient, language, secret, enabled, version, \
                     changed_us, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)",
                )
                .bind(&id)
                .bind(name)
                .bind(&wish.shape)
                .bind(&wish.url)
                .bind(&wish.recipient)
                .bind(wire_name(&wish.language))
                .bind(secret.unwrap_or_default())
                .bind(i64::from(wish.enabled))
                .bind(now_us)
                .bind(&actor.user_id)
                .execute(&mut *change)
                .await?;
                id
            }
        };
        // A channel that was put right is not dead any more until it fails anew.
        sqlx::query("UPDATE channel_states SET failures = 0, since_us = NULL, dead_us = NULL WHERE channel = $1")
            .bind(&id)
            .execute(&mut *change)
            .await?;
        let (shape, enabled) = (&wish.shape, if wish.enabled { "true" } else { "false" });
        let secret = if secret.is_some() { "set" } else { "" };
        let what = detail([("name", name), ("shape", shape), ("enabled", enabled), ("secret", secret)]);
        audit(&mut change, now_us, actor, "channel.saved", &format!("channel:{id}"), &what).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Deletes a webhook; what still waits for it is given up.
    pub async fn delete_hook(&self, id: &str, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = sqlx::query("DELETE FROM notice_channels WHERE id = $1 RETURNING name").bind(id);
        let row = row.fetch_optional(&mut *change).await?;
        let name: String = row.ok_or(StoreError::NotFound("webhook"))?.try_get("name")?;
        sqlx::query(
            "UPDATE notices SET state = 'failed', next_us = $1, link_token = NULL, last_error = 'the webhook was deleted' \
             WHERE channel = $2 AND state = 'queued'",
        )
        .bind(now_us)
        .bind(id)
        .execute(&mut *change)
        .await?;
        sqlx::query("DELETE FROM channel_states WHERE channel = $1").bind(id).execute(&mut *change).await?;
        audit(&mut change, now_us, actor, "channel.deleted", &format!("channel:{id}"), &detail([("name", &name)]))
            .await?;
        change.commit().await?;
        Ok(())
    }

    /// How a channel has done.
    pub async fn channel_state(&self, channel: &str) -> StoreResult<ChannelState> {
        let row = sqlx::query("SELECT * FROM channel_states WHERE channel = $1").bind(channel);
        let row = row.fetch_optional(&self.readers).await?;
        Ok(row.map(|row| state(&row)).transpose()?.unwrap_or_default())
    }

    /// Notes whether a channel took something. It is dead after so many failures in a row; that, and that it works
    /// again, is a line of the log.
    pub async fn note_channel(&self, channel: &str, outcome: Result<(), &str>, dead_after: u32) -> StoreResult<Turn> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = sqlx::query("SELECT failures, dead_us FROM channel_states WHERE channel = $1").bind(channel);
        let row = row.fetch_optional(&mut *change).await?;
        let (failures, dead): (i64, bool) = match &row {
            Some(row) => (row.try_get("failures")?, row.try_get::<Option<i64>, _>("dead_us")?.is_some()),
            None => (0, false),
        };
        let subject = format!("channel:{channel}");
        let turn = match outcome {
            Ok(()) => {
                sqlx::query(
                    "INSERT INTO channel_states (channel, failures, good_us) VALUES ($1, 0, $2) ON CONFLICT (channel) \
                     DO UPDATE SET failures = 0, since_us = NULL, dead_us = NULL, good_us = excluded.good_us",
                )
                .bind(channel)
                .bind(now_us)
                .execute(&mut *change)
                .await?;
                if dead {
                    audit(&mut change, now_us, &Actor::default(), "channel.alive", &subject, &detail([])).await?;
                }
                if dead { Turn::Alive } else { Turn::Same }
            }
            Err(error) => {
                let dies = !dead && failures + 1 >= i64::from(dead_after.max(1));
                sqlx::query(
                    "INSERT INTO channel_states (channel, failures, since_us, dead_us, last_error) \
                     VALUES ($1, 1, $2, $3, $4) ON CONFLICT (channel) DO UPDATE SET failures = failures + 1, \
                     since_us = COALESCE(since_us, excluded.since_us), dead_us = COALESCE(dead_us, excluded.dead_us), \
                     last_error = excluded.last_error",
                )
                .bind(channel)
                .bind(now_us)
                .bind(dies.then_some(now_us))
                .bind(error)
                .execute(&mut *change)
                .await?;
                if dies {
                    let what = detail([("failures", &(failures + 1).to_string()), ("error", error)]);
                    audit(&mut change, now_us, &Actor::default(), "channel.dead", &subject, &what).await?;
                }
                if dies { Turn::Dead } else { Turn::Same }
            }
        };
        change.commit().await?;
        Ok(turn)
    }

    /// Channels that count as dead: id, name, since when, and what was wrong last.
    pub async fn dead_channels(&self) -> StoreResult<Vec<(String, String, i64, String)>> {
        let rows = sqlx::query(
            "SELECT s.channel, COALESCE(c.name, s.channel) AS name, s.dead_us, COALESCE(s.last_error, '') AS error \
             FROM channel_states s LEFT JOIN notice_channels c ON c.id = s.channel \
             WHERE s.dead_us IS NOT NULL AND COALESCE(c.enabled, 1) = 1 ORDER BY s.dead_us",
        )
        .fetch_all(&self.readers)
        .await?;
        let dead = |row: &SqliteRow| {
            Ok((row.try_get("channel")?, row.try_get("name")?, row.try_get("dead_us")?, row.try_get("error")?))
        };
        Ok(rows.iter().map(dead).collect::<Result<_, sqlx::Error>>()?)
    }
}

async fn insert_rule(change: &mut Change, text: &str, now_us: i64, actor: &Actor) -> StoreResult<String> {
    let id = new_id();
    sqlx::query("INSERT INTO notice_rules (id, body, version, changed_us, changed_by) VALUES ($1, $2, 1, $3, $4)")
        .bind(&id)
        .bind(text)
        .bind(now_us)
        .bind(&actor.user_id)
        .execute(&mut **change)
        .await?;
    Ok(id)
}

fn check_rule(rule: &NoticeRuleBody) -> StoreResult<()> {
    check_name(&rule.name)?;
    for (field, count) in
        [("rules", rule.rules.len()), ("agencies", rule.agencies.len()), ("targets", rule.targets.len())]
    {
        if count > MAX_NAMED {
            return Err(StoreError::invalid(field, format!("name at most {MAX_NAMED}")));
        }
    }
    if rule.days.len() > 7 || rule.days.iter().any(|day| !(1..=7).contains(day)) {
        return Err(StoreError::invalid("days", "use 1 (Monday) to 7"));
    }
    for (field, time) in [("from", &rule.from), ("until", &rule.until), ("daily_at", &rule.daily_at)] {
        if time.as_deref().is_some_and(|time| clock::time_of_day(time).is_none()) {
            return Err(StoreError::invalid(field, "write times as HH:MM"));
        }
    }
    if rule.from.is_some() != rule.until.is_some() {
        return Err(StoreError::invalid("until", "set both times of day, or none"));
    }
    if rule.targets.is_empty() && rule.ladder.is_empty() {
        return Err(StoreError::invalid("targets", "name somebody to be told, or a ladder"));
    }
    if rule.ladder.len() > MAX_STEPS {
        return Err(StoreError::invalid("ladder", format!("use at most {MAX_STEPS} steps")));
    }
    for step in &rule.ladder {
        if !(1..=1440).contains(&step.wait_minutes) {
            return Err(StoreError::invalid("ladder", "let each step wait 1 to 1440 minutes"));
        }
        if matches!(step.target.kind, TargetKind::Address | TargetKind::Configured) {
            return Err(StoreError::invalid("ladder", "ask a user, a roster or a webhook at each step"));
        }
    }
    let named = rule.targets.iter().chain(rule.ladder.iter().map(|step| &step.target));
    for target in named {
        if target.value.is_empty() != (target.kind == TargetKind::Configured) || target.value.len() > 300 {
            return Err(StoreError::invalid("targets", "say which user, roster, address or webhook"));
        }
        if target.kind == TargetKind::Address && !is_address(&target.value) {
            return Err(StoreError::invalid("targets", format!("`{}` is no e-mail address", target.value)));
        }
    }
    Ok(())
}

/// Whether a mail can be sent there.
pub fn is_address(text: &str) -> bool {
    text.len() <= 254 && text.parse::<lettre::Address>().is_ok()
}

fn rule(row: &SqliteRow) -> Result<Option<NoticeRule>, sqlx::Error> {
    let body: String = row.try_get("body")?;
    let Ok(body) = serde_json::from_str(&body) else { return Ok(None) };
    Ok(Some(NoticeRule {
        id: row.try_get("id")?,
        rule: body,
        problems: Vec::new(),
        version: row.try_get("version")?,
        changed_at: clock::to_text(row.try_get("changed_us")?),
        changed_by: person(row, "by")?,
    }))
}

fn hook(row: &SqliteRow) -> Result<Hook, sqlx::Error> {
    let (secret, language): (String, String) = (row.try_get("secret")?, row.try_get("language")?);
    let channel = NoticeChannel {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        shape: row.try_get("shape")?,
        url: row.try_get("url")?,
        recipient: row.try_get("recipient")?,
        language: from_wire_name(&language).unwrap_or(Lang::Vi),
        has_secret: !secret.is_empty(),
        enabled: row.try_get::<i64, _>("enabled")? != 0,
        state: state(row)?,
        version: row.try_get("version")?,
    };
    Ok(Hook { channel, secret })
}

fn state(row: &SqliteRow) -> Result<ChannelState, sqlx::Error> {
    let moment = |name: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(name)?.map(clock::to_text));
    let failures: Option<i64> = row.try_get("failures")?;
    Ok(ChannelState {
        failures: failures.unwrap_or_default().unsigned_abs(),
        dead_since: moment("dead_us")?,
        last_error: row.try_get("last_error")?,
        last_good: moment("good_us")?,
    })
}
