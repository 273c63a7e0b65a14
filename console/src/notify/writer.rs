//! Writes the notices of an alert: who is told, and the mail's subject and text from the templates in `data/mail`.

use anyhow::Context as _;
use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use luytre_collector_api::{Alert, Endpoint};
use minijinja::{Environment, context};

use crate::clock;
use crate::model::Lang;
use crate::settings::MailSettings;
use crate::store::notices::NewNotice;
use crate::words::{self, Kind};

/// Alerts raised longer ago are not told of: a console that catches up must not flood its people.
const STALE_AFTER_US: i64 = 24 * 3600 * 1_000_000;

/// How many matched fields a mail shows.
const MAX_FIELDS: usize = 8;

/// Writes notices; none while no mail server is configured.
#[derive(Debug)]
pub struct NoticeWriter {
    settings: MailSettings,
    public_url: String,
    zone: TimeZone,
    templates: Environment<'static>,
}

impl NoticeWriter {
    /// Checks recipients and templates.
    pub fn new(settings: &MailSettings, public_url: &str, zone: TimeZone) -> anyhow::Result<Self> {
        for recipient in &settings.to {
            recipient.parse::<Mailbox>().with_context(|| format!("mail.to: `{recipient}` is no e-mail address"))?;
        }
        let mut templates = Environment::new();
        templates.add_template("vi", include_str!("../../data/mail/alert.vi.txt"))?;
        templates.add_template("en", include_str!("../../data/mail/alert.en.txt"))?;
        Ok(NoticeWriter { settings: settings.clone(), public_url: public_url.to_owned(), zone, templates })
    }

    /// The notices of an alert: one per recipient when it is severe enough and recent.
    pub fn notices_for(&self, alert: &Alert, now_us: i64) -> Vec<NewNotice> {
        let raised_us = clock::from_text(&alert.raised).unwrap_or(now_us);
        let wanted = !self.settings.host.is_empty()
            && alert.severity >= self.settings.severity
            && now_us - raised_us < STALE_AFTER_US;
        if !wanted || self.settings.to.is_empty() {
            return Vec::new();
        }
        let (subject, body) = match self.write(alert) {
            Ok(text) => text,
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "write a notice");
                return Vec::new();
            }
        };
        let notice = |recipient: &String| NewNotice {
            recipient: recipient.clone(),
            subject: subject.clone(),
            body: body.clone(),
        };
        self.settings.to.iter().map(notice).collect()
    }

    /// Subject and text: the template's first line and the rest. Values come from traffic, so each stays on its line.
    fn write(&self, alert: &Alert) -> anyhow::Result<(String, String)> {
        let lang = self.settings.language;
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
        let text = self.templates.get_template(if lang == Lang::Vi { "vi" } else { "en" })?.render(context! {
            severity => words::name(lang, Kind::Severity, &alert.severity),
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
            link => format!("{}/alerts/{}", self.public_url, crate::collector::path_part(&alert.id)),
        })?;
        let (subject, body) = text.split_once('\n').context("a mail needs a subject line and a text")?;
        Ok((subject.trim().to_owned(), body.trim_start_matches('\n').to_owned()))
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
