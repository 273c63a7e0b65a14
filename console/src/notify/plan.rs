//! Who is told of an alert: the notice rules in force with everything they name, held in memory and read anew whenever
//! one of them changes. Matching asks no database, because it happens while alerts are being stored.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use luytre_collector_api::Alert;

use super::duty;
use crate::clock::time_of_day;
use crate::model::{LadderStep, Lang, NoticeRule, NoticeRuleBody, Rhythm, Target, TargetKind, TargetProblem};
use crate::settings::MailSettings;
use crate::store::notice_rules::{Hook, MAIL};
use crate::store::rosters::{Contact, KeptRoster};
use crate::store::{Store, StoreResult};

/// A daily digest goes out at this time where the rule names none.
const DAILY_AT: &str = "08:00";

/// Everything that decides who is told.
#[derive(Debug, Default)]
pub struct Plan {
    /// The rules.
    pub rules: Vec<NoticeRule>,
    contacts: HashMap<String, Contact>,
    rosters: HashMap<String, KeptRoster>,
    hooks: HashMap<String, Hook>,
    mail: bool,
    configured: Vec<String>,
    language: Lang,
}

/// Where one message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// `mail` or a webhook's id.
    pub channel: String,
    /// The address, or the webhook's name.
    pub to: String,
    /// The language.
    pub language: Lang,
    /// The shape of a webhook.
    pub shape: Option<&'static super::shapes::Shape>,
    /// The chat or the person a webhook's shape wants.
    pub chat: String,
    /// Who it is.
    pub user_id: Option<String>,
}

impl PartialEq for super::shapes::Shape {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl Eq for super::shapes::Shape {}

impl Plan {
    /// Reads it.
    pub async fn read(store: &Store, mail: &MailSettings) -> StoreResult<Plan> {
        let contacts = store.contacts().await?;
        Ok(Plan {
            rules: store.notice_rules().await?,
            contacts: contacts.into_iter().map(|one| (one.user.id.clone(), one)).collect(),
            rosters: store.rosters().await?.into_iter().map(|one| (one.id.clone(), one)).collect(),
            hooks: store.hooks().await?.into_iter().map(|one| (one.channel.id.clone(), one)).collect(),
            mail: !mail.host.is_empty(),
            configured: mail.to.clone(),
            language: mail.language,
        })
    }

    /// A user, and where notices reach them.
    pub fn contact(&self, user_id: &str) -> Option<&Contact> {
        self.contacts.get(user_id)
    }

    /// All webhooks that are used.
    pub fn hooks(&self) -> impl Iterator<Item = &Hook> {
        self.hooks.values().filter(|hook| hook.channel.enabled)
    }

    /// Where a target leads at a moment; or why it reaches nobody.
    pub fn resolve(&self, target: &Target, now_us: i64, zone: &TimeZone) -> Result<Vec<Recipient>, &'static str> {
        match target.kind {
            TargetKind::Webhook => {
                let hook = self.hooks.get(&target.value).ok_or("gone")?;
                if !hook.channel.enabled {
                    return Err("disabled");
                }
                Ok(vec![recipient_of(hook).ok_or("gone")?])
            }
            _ if !self.mail => Err("no_mail_server"),
            TargetKind::User => self.user(&target.value).map(|one| vec![one]),
            TargetKind::Roster => {
                let roster = self.rosters.get(&target.value).ok_or("gone")?;
                let user_id = duty::on_call(roster, now_us, zone).ok_or("nobody_on_call")?;
                self.user(&user_id).map(|one| vec![one])
            }
            TargetKind::Address => Ok(vec![self.address(&target.value)]),
            TargetKind::Configured if self.configured.is_empty() => Err("no_address"),
            TargetKind::Configured => Ok(self.configured.iter().map(|one| self.address(one)).collect()),
        }
    }

    fn user(&self, id: &str) -> Result<Recipient, &'static str> {
        let contact = self.contacts.get(id).ok_or("gone")?;
        if contact.user.disabled {
            return Err("disabled");
        }
        let mail = contact.mail.clone().ok_or("no_address")?;
        let user_id = Some(contact.user.id.clone());
        Ok(Recipient { language: contact.user.locale, user_id, ..self.address(&mail) })
    }

    fn address(&self, mail: &str) -> Recipient {
        let (channel, to) = (MAIL.to_owned(), mail.to_owned());
        Recipient { channel, to, language: self.language, shape: None, chat: String::new(), user_id: None }
    }

    /// Everybody a list of targets leads to, each once, and those that lead nowhere.
    pub fn resolve_all(
        &self,
        targets: &[Target],
        now_us: i64,
        zone: &TimeZone,
    ) -> (Vec<Recipient>, Vec<TargetProblem>) {
        let (mut found, mut problems) = (Vec::<Recipient>::new(), Vec::new());
        for target in targets {
            match self.resolve(target, now_us, zone) {
                Ok(more) => {
                    for one in more {
                        if !found.iter().any(|known| known.channel == one.channel && known.to == one.to) {
                            found.push(one);
                        }
                    }
                }
                Err(problem) => problems.push(TargetProblem { target: target.clone(), problem: problem.to_owned() }),
            }
        }
        (found, problems)
    }

    /// The rules with what is wrong with them now.
    pub fn checked_rules(&self, now_us: i64, zone: &TimeZone) -> Vec<NoticeRule> {
        let mut rules = self.rules.clone();
        for rule in &mut rules {
            let steps = rule.rule.ladder.iter().map(|step: &LadderStep| step.target.clone());
            let named: Vec<Target> = rule.rule.targets.iter().cloned().chain(steps).collect();
            rule.problems = self.resolve_all(&named, now_us, zone).1;
        }
        rules
    }
}

/// Where messages of a webhook go; nothing when its shape is gone.
pub fn recipient_of(hook: &Hook) -> Option<Recipient> {
    let channel = &hook.channel;
    Some(Recipient {
        channel: channel.id.clone(),
        to: channel.name.clone(),
        language: channel.language,
        shape: Some(super::shapes::find(&channel.shape)?),
        chat: channel.recipient.clone(),
        user_id: None,
    })
}

/// Whether a rule is about an alert, at this moment.
pub fn matches(rule: &NoticeRuleBody, alert: &Alert, now_us: i64, zone: &TimeZone) -> bool {
    let named =
        |list: &[String], value: Option<&str>| list.is_empty() || value.is_some_and(|v| list.iter().any(|l| l == v));
    rule.enabled
        && alert.severity >= rule.severity
        && named(&rule.rules, Some(&alert.rule.id))
        && named(&rule.agencies, alert.agency.as_ref().map(|agency| agency.id.as_str()))
        && is_time(rule, now_us, zone)
}

/// Whether a rule is in force at this moment. Over midnight, the day is the one on which the span began.
fn is_time(rule: &NoticeRuleBody, now_us: i64, zone: &TimeZone) -> bool {
    let Ok(now) = Timestamp::from_microsecond(now_us) else { return true };
    let now = now.to_zoned(zone.clone());
    let time = now.time();
    let is_day = |offset: i8| {
        let day = (now.weekday().to_monday_zero_offset() + 7 - offset) % 7 + 1;
        rule.days.is_empty() || rule.days.iter().any(|one| i16::from(*one) == i16::from(day))
    };
    let (from, until) = (rule.from.as_deref().and_then(time_of_day), rule.until.as_deref().and_then(time_of_day));
    match (from, until) {
        (Some(from), Some(until)) if from < until => is_day(0) && time >= from && time < until,
        (Some(from), Some(until)) => (time >= from && is_day(0)) || (time < until && is_day(1)),
        _ => is_day(0),
    }
}

/// When the digest of a rule is sent that takes something in now; nothing for rules that tell at once.
pub fn digest_due(rule: &NoticeRuleBody, now_us: i64, zone: &TimeZone) -> Option<i64> {
    const HOUR_US: i64 = 3600 * 1_000_000;
    match rule.rhythm {
        Rhythm::AtOnce => None,
        Rhythm::Hourly => Some(now_us - now_us.rem_euclid(HOUR_US) + HOUR_US),
        Rhythm::Daily => {
            let at = rule.daily_at.as_deref().and_then(time_of_day).or_else(|| time_of_day(DAILY_AT));
            let at = at.unwrap_or(Time::midnight());
            let today = Timestamp::from_microsecond(now_us).ok()?.to_zoned(zone.clone()).date();
            let on =
                |day: jiff::civil::Date| Some(zone.to_zoned(day.to_datetime(at)).ok()?.timestamp().as_microsecond());
            on(today).filter(|due| *due > now_us).or_else(|| on(today.tomorrow().ok()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{from_text, to_text, zone};

    fn rule(change: impl FnOnce(&mut NoticeRuleBody)) -> NoticeRuleBody {
        let mut rule: NoticeRuleBody =
            serde_json::from_value(serde_json::json!({"name": "a", "enabled": true, "severity": "high"})).unwrap();
        change(&mut rule);
        rule
    }

    fn in_force(rule: &NoticeRuleBody, at: &str) -> bool {
        is_time(rule, from_text(at).unwrap(), &zone("Asia/Ho_Chi_Minh").unwrap())
    }

    #[test]
    fn a_span_over_midnight_belongs_to_the_day_on_which_it_began() {
        // Friday nights: 27/11/2026 is a Friday.
        let night = rule(|rule| {
            (rule.days, rule.from, rule.until) = (vec![5], Some("22:00".into()), Some("06:00".into()));
        });
        assert!(in_force(&night, "2026-11-27T22:00:00+07:00"));
        assert!(in_force(&night, "2026-11-28T05:59:00+07:00"), "Saturday morning is still Friday night");
        assert!(!in_force(&night, "2026-11-28T06:00:00+07:00"));
        assert!(!in_force(&night, "2026-11-27T05:00:00+07:00"), "Friday morning is Thursday night");
        let day = rule(|rule| (rule.from, rule.until) = (Some("08:00".into()), Some("17:00".into())));
        assert!(in_force(&day, "2026-11-27T08:00:00+07:00") && !in_force(&day, "2026-11-27T17:00:00+07:00"));
        assert!(in_force(&rule(|_| {}), "2026-11-27T03:00:00+07:00"));
    }

    #[test]
    fn digests_are_due_at_the_next_full_hour_or_the_next_time_of_day() {
        let zone = zone("Asia/Ho_Chi_Minh").unwrap();
        let due = |rule: &NoticeRuleBody, at: &str| digest_due(rule, from_text(at).unwrap(), &zone).map(to_text);
        let hourly = rule(|rule| rule.rhythm = Rhythm::Hourly);
        assert_eq!(due(&hourly, "2026-11-27T10:00:00Z").as_deref(), Some("2026-11-27T11:00:00Z"));
        let daily = rule(|rule| (rule.rhythm, rule.daily_at) = (Rhythm::Daily, Some("07:30".into())));
        assert_eq!(due(&daily, "2026-11-27T00:29:00Z").as_deref(), Some("2026-11-27T00:30:00Z"));
        assert_eq!(due(&daily, "2026-11-27T00:30:00Z").as_deref(), Some("2026-11-28T00:30:00Z"));
        assert_eq!(due(&rule(|_| {}), "2026-11-27T00:30:00Z"), None);
    }
}
