//! Writes messages: subject, text, HTML and the bodies of webhooks, from the templates in `data/mail` (and a folder of
//! one's own that goes before them). Values come from traffic: each stays on its line, and in HTML none is markup.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use jiff::tz::TimeZone;
use luytre_collector_api::{Alert, Endpoint};
use minijinja::{AutoEscape, Environment, Value, context};

use super::agency::{self, News};
use super::plan::{Plan, Recipient, digest_due, matches};
use super::shapes::Shape;
use crate::clock;
use crate::model::{AgencyNotice, Lang, NoticeKind, wire_name};
use crate::settings::Settings;
use crate::store::escalations::NewEscalation;
use crate::store::notices::{DueDigest, NewDigestEntry, NewNotice, Orders};
use crate::store::{Store, StoreResult};
use crate::words::{self, Kind};

/// Alerts raised longer ago are not told of: a console that catches up must not flood its people.
const STALE_AFTER_US: i64 = 24 * 3600 * 1_000_000;

/// How many matched fields a message shows.
const MAX_FIELDS: usize = 8;

/// Stands for the link that acknowledges until the message is handed over: no receipt has a link that works.
pub const LINK_MARK: &str = "%acknowledge%";

/// The program's own templates, by file name.
const TEMPLATES: &[(&str, &str)] = &[
    ("layout.html", include_str!("../../data/mail/layout.html")),
    ("alert.vi.txt", include_str!("../../data/mail/alert.vi.txt")),
    ("alert.en.txt", include_str!("../../data/mail/alert.en.txt")),
    ("alert.vi.html", include_str!("../../data/mail/alert.vi.html")),
    ("alert.en.html", include_str!("../../data/mail/alert.en.html")),
    ("alert.vi.chat.txt", include_str!("../../data/mail/alert.vi.chat.txt")),
    ("alert.en.chat.txt", include_str!("../../data/mail/alert.en.chat.txt")),
    ("digest.vi.txt", include_str!("../../data/mail/digest.vi.txt")),
    ("digest.en.txt", include_str!("../../data/mail/digest.en.txt")),
    ("digest.vi.html", include_str!("../../data/mail/digest.vi.html")),
    ("digest.en.html", include_str!("../../data/mail/digest.en.html")),
    ("agency.vi.txt", include_str!("../../data/mail/agency.vi.txt")),
    ("agency.en.txt", include_str!("../../data/mail/agency.en.txt")),
    ("agency.vi.html", include_str!("../../data/mail/agency.vi.html")),
    ("agency.en.html", include_str!("../../data/mail/agency.en.html")),
    ("notice.vi.txt", include_str!("../../data/mail/notice.vi.txt")),
    ("notice.en.txt", include_str!("../../data/mail/notice.en.txt")),
    ("notice.vi.html", include_str!("../../data/mail/notice.vi.html")),
    ("notice.en.html", include_str!("../../data/mail/notice.en.html")),
];

/// Writes messages and knows who gets which.
#[derive(Debug)]
pub struct NoticeWriter {
    public_url: String,
    zone: TimeZone,
    templates: Environment<'static>,
    plan: RwLock<Arc<Plan>>,
}

/// A message, ready for one channel.
#[derive(Debug, Clone)]
pub struct Message {
    /// The subject.
    pub subject: String,
    /// The text, or the body of a webhook.
    pub body: String,
    /// The HTML part of a mail.
    pub html: Option<String>,
}

impl Message {
    /// As a notice to somebody.
    pub fn to(self, recipient: &Recipient, kind: NoticeKind) -> NewNotice {
        NewNotice {
            kind,
            rule_id: None,
            channel: recipient.channel.clone(),
            recipient: recipient.to.clone(),
            language: recipient.language,
            subject: self.subject,
            body: self.body,
            html: self.html,
        }
    }
}

impl NoticeWriter {
    /// Reads the templates; an error names the one that is broken.
    pub fn new(settings: &Settings, public_url: &str, zone: TimeZone) -> anyhow::Result<Self> {
        for to in &settings.mail.to {
            to.parse::<lettre::message::Mailbox>().with_context(|| format!("mail.to: `{to}` is no e-mail address"))?;
        }
        let mut templates = Environment::new();
        templates
            .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
        templates
            .add_filter("json", |value: Value| serde_json::to_string(&value).unwrap_or_else(|_| "null".to_owned()));
        for (name, text) in TEMPLATES {
            let own = own_template(settings.notices.templates.as_deref(), name)?;
            let text = own.unwrap_or_else(|| (*text).to_owned());
            templates.add_template_owned(*name, text).with_context(|| format!("read the template {name}"))?;
        }
        for shape in super::shapes::all() {
            let name = format!("shape/{}", shape.id);
            templates
                .add_template_owned(name, shape.body.clone())
                .with_context(|| format!("read the shape {}", shape.id))?;
        }
        let plan = RwLock::new(Arc::default());
        Ok(NoticeWriter { public_url: public_url.to_owned(), zone, templates, plan })
    }

    /// Who is told of what, as it is now.
    pub fn plan(&self) -> Arc<Plan> {
        self.plan.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads anew who is told of what.
    pub async fn refresh(&self, store: &Store, settings: &Settings) -> StoreResult<()> {
        let plan = Arc::new(Plan::read(store, &settings.mail).await?);
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = plan;
        Ok(())
    }

    /// What follows from an alert by the rules in force: nothing when it is old.
    pub fn orders_for(&self, alert: &Alert, now_us: i64) -> Orders {
        let mut orders = Orders::default();
        let raised_us = clock::from_text(&alert.raised).unwrap_or(now_us);
        if now_us - raised_us >= STALE_AFTER_US {
            return orders;
        }
        let plan = self.plan();
        for kept in plan.rules.iter().filter(|kept| matches(&kept.rule, alert, now_us, &self.zone)) {
            let rule = &kept.rule;
            if !rule.ladder.is_empty() {
                orders.ladders.push(NewEscalation {
                    rule_id: kept.id.clone(),
                    rule_name: rule.name.clone(),
                    alert_key: format!("{} {}", alert.rule.id, alert.agency.as_ref().map_or("", |a| a.id.as_str())),
                    ladder: rule.ladder.clone(),
                });
            }
            let (recipients, _) = plan.resolve_all(&rule.targets, now_us, &self.zone);
            let due = digest_due(rule, now_us, &self.zone);
            for recipient in recipients {
                match due {
                    Some(due_us) => orders.digests.push(NewDigestEntry {
                        rule_id: kept.id.clone(),
                        channel: recipient.channel.clone(),
                        recipient: recipient.to.clone(),
                        language: recipient.language,
                        due_us,
                    }),
                    None => match self.alert(alert, &recipient) {
                        Ok(message) => {
                            let notice = message.to(&recipient, NoticeKind::Alert);
                            orders.notices.push(NewNotice { rule_id: Some(kept.id.clone()), ..notice });
                        }
                        Err(error) => tracing::error!(error = %format!("{error:#}"), "write a notice"),
                    },
                }
            }
        }
        orders
    }

    /// The message of an alert.
    pub fn alert(&self, alert: &Alert, to: &Recipient) -> anyhow::Result<Message> {
        self.of_alert(alert, to, NoticeKind::Alert, "")
    }

    /// The message that asks for an acknowledgement; its link is put in when it is handed over.
    pub fn escalation(&self, alert: &Alert, to: &Recipient) -> anyhow::Result<Message> {
        self.of_alert(alert, to, NoticeKind::Escalation, LINK_MARK)
    }

    fn of_alert(&self, alert: &Alert, to: &Recipient, kind: NoticeKind, acknowledge: &str) -> anyhow::Result<Message> {
        let link = self.link(&format!("/alerts/{}", crate::collector::path_part(&alert.id)));
        let values = context! { acknowledge, link, ..self.facts(alert, to.language) };
        self.write("alert", kind, to, values, Some(alert))
    }

    /// The message of a digest.
    pub fn digest(&self, digest: &DueDigest, to: &Recipient) -> anyhow::Result<Message> {
        let rows: Vec<Value> = digest.shown.iter().map(|alert| self.facts(alert, to.language)).collect();
        let (alerts, more) = (digest.alerts, digest.alerts.saturating_sub(rows.len() as u64));
        let number = |n: u64| words::number(to.language, n);
        let values = context! { alerts => number(alerts), more => if more > 0 { number(more) } else { String::new() },
        rows, link => self.link("/alerts") };
        self.write("digest", NoticeKind::Digest, to, values, None)
    }

    /// The message that tries a rule or a channel, or tells of a channel that is dead.
    pub fn notice(&self, kind: NoticeKind, to: &Recipient, name: &str, error: &str) -> anyhow::Result<Message> {
        let values = context! { about => wire_name(&kind), name => words::one_line(name, 100),
        error => words::one_line(error, 300), link => self.link("/notices") };
        self.write("notice", kind, to, values, None)
    }

    /// The message that tells an agency of a notice; the subject of the notice only where it may be shared.
    pub fn agency(&self, notice: &AgencyNotice, news: News, to: &Recipient) -> anyhow::Result<Message> {
        let due = notice.due_at.as_deref().and_then(clock::from_text).map(|due_us| words::moment(due_us, &self.zone));
        let subject = if agency::names_subject(notice) { words::one_line(&notice.subject, 200) } else { String::new() };
        let missing: Vec<String> = notice.missing.iter().map(wire_name).collect();
        let values = context! { about => news.name(), reference => notice.reference.as_str(),
        agency => words::one_line(&notice.agency.name, 200), topic => subject, due, missing,
        link => self.link(&format!("/assigned/{}", crate::collector::path_part(&notice.id))) };
        self.write("agency", NoticeKind::Agency, to, values, None)
    }

    fn write(
        &self,
        template: &str,
        kind: NoticeKind,
        to: &Recipient,
        values: Value,
        alert: Option<&Alert>,
    ) -> anyhow::Result<Message> {
        let lang = if to.language == Lang::Vi { "vi" } else { "en" };
        let text = self.render(&format!("{template}.{lang}.txt"), &values)?;
        let (subject, text) = text.split_once('\n').context("a message needs a subject line and a text")?;
        let (subject, text) = (subject.trim().to_owned(), text.trim_start_matches('\n').to_owned());
        let Some(shape) = to.shape else {
            let html = self.render(&format!("{template}.{lang}.html"), &context! { subject, ..values })?;
            return Ok(Message { subject, body: text, html: Some(html) });
        };
        let text = match alert {
            Some(_) => self.render(&format!("{template}.{lang}.chat.txt"), &values)?,
            None => format!("{subject}\n\n{text}"),
        };
        let body = self.shaped(shape, kind, to, &subject, &text, &values, alert)?;
        Ok(Message { subject, body, html: None })
    }

    #[expect(clippy::too_many_arguments, reason = "everything that a shape may speak of")]
    fn shaped(
        &self,
        shape: &Shape,
        kind: NoticeKind,
        to: &Recipient,
        subject: &str,
        text: &str,
        values: &Value,
        alert: Option<&Alert>,
    ) -> anyhow::Result<String> {
        let text: String = text.trim().chars().take(shape.max_chars).collect();
        let alert = alert.map(|alert| {
            serde_json::json!({
                "id": alert.id, "time": alert.time, "severity": alert.severity, "rule": alert.rule.id,
                "name": alert.rule.name, "name_vi": alert.rule.name_vi, "source": alert.source,
                "destination": alert.destination, "agency": alert.agency, "sensor": alert.sensor,
                "techniques": alert.rule.techniques,
            })
        });
        let values = context! { id => uuid::Uuid::now_v7().to_string(), kind => wire_name(&kind), subject, text,
        recipient => to.chat, alert => Value::from_serialize(&alert), ..values.clone() };
        let body = self.render(&format!("shape/{}", shape.id), &values)?;
        // A template that makes no JSON must not leave here.
        let body: serde_json::Value = serde_json::from_str(&body).context("read what the shape's template made")?;
        Ok(body.to_string())
    }

    fn render(&self, template: &str, values: &Value) -> anyhow::Result<String> {
        let rendered = self.templates.get_template(template).and_then(|one| one.render(values));
        rendered.with_context(|| format!("write with the template {template}"))
    }

    fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// What templates may say of an alert.
    fn facts(&self, alert: &Alert, lang: Lang) -> Value {
        let rule = &alert.rule;
        let (name, description, advice) = match lang {
            Lang::Vi => (
                rule.name_vi.as_ref().unwrap_or(&rule.name),
                rule.description_vi.as_ref().unwrap_or(&rule.description),
                rule.advice_vi.as_ref().or(rule.advice.as_ref()),
            ),
            Lang::En => (&rule.name, &rule.description, rule.advice.as_ref()),
        };
        let matched: Vec<_> = alert
            .matched
            .iter()
            .take(MAX_FIELDS)
            .map(|m| {
                context! {
                    field => words::one_line(&m.field, 80),
                    value => words::one_line(&m.value, 200),
                    wanted => words::one_line(&words::wanted(lang, &m.wanted), 200),
                }
            })
            .collect();
        let time_us = clock::from_text(&alert.time).unwrap_or_default();
        context! {
            severity => words::name(lang, Kind::Severity, &alert.severity),
            level => wire_name(&alert.severity),
            rule => words::one_line(name, 150),
            rule_id => words::one_line(&rule.id, 100),
            description => words::one_line(description, 1000),
            advice => advice.map(|advice| advice.chars().take(2000).collect::<String>()),
            time => words::moment(time_us, &self.zone),
            zone => self.zone.iana_name().unwrap_or("UTC+7"),
            source => alert.source.as_ref().map(endpoint),
            destination => alert.destination.as_ref().map(endpoint),
            agency => alert.agency.as_ref().map(|a| words::one_line(&a.name, 100)),
            sensor => words::one_line(&alert.sensor, 64),
            techniques => rule.techniques.join(", "),
            matched => matched,
            link => self.link(&format!("/alerts/{}", crate::collector::path_part(&alert.id))),
        }
    }
}

/// The text of a template of one's own; nothing where there is none of that name.
fn own_template(folder: Option<&Path>, name: &str) -> anyhow::Result<Option<String>> {
    let Some(folder) = folder else { return Ok(None) };
    let path = folder.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && folder.is_dir() => Ok(None),
        Err(error) => Err(error).with_context(|| format!("notices.templates: read {}", path.display())),
    }
}

/// An address and port as text.
pub fn endpoint(endpoint: &Endpoint) -> String {
    match endpoint.port {
        Some(port) if endpoint.ip.contains(':') => format!("[{}]:{port}", endpoint.ip),
        Some(port) => format!("{}:{port}", endpoint.ip),
        None => endpoint.ip.clone(),
    }
}
