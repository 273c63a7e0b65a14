//! Notices: rules that say who is told of what, the channels they go by, ladders that climb until somebody
//! acknowledges, and the receipts.

use luytre_collector_api::Severity;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::users::{Lang, Person};

/// Where a notice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// Waits to be sent, or to be sent again.
    Queued,
    /// The mail server or the webhook took it.
    Sent,
    /// Given up.
    Failed,
}

/// What a notice speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// One alert.
    Alert,
    /// One alert that somebody is asked to acknowledge.
    Escalation,
    /// The alerts of an hour or a day.
    Digest,
    /// Nothing: somebody tries a rule or a channel.
    Test,
    /// A channel that no longer works.
    Channel,
    /// A notice to an agency.
    Agency,
}

/// A notice.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// What it speaks of.
    pub kind: NoticeKind,
    /// `mail`, or the webhook's id.
    pub channel: String,
    /// To whom: a mail address, or the webhook's name.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Where it stands.
    pub state: NoticeState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was queued.
    pub created_at: String,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
    /// When it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
    /// The answer of whoever took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The alert it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_id: Option<String>,
}

/// A page of notices, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NoticeList {
    /// The notices.
    pub items: Vec<Notice>,
    /// How many there are in all.
    pub total: u64,
    /// The next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What kind of recipient a target names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// A user, at their mail address for notices; `value` is their id.
    User,
    /// Whoever is on call in a roster at that moment; `value` is its id.
    Roster,
    /// A mail address; `value` is the address.
    Address,
    /// The addresses of the configuration (`mail.to`); `value` is empty.
    Configured,
    /// A webhook; `value` is its id.
    Webhook,
}

/// To whom a notice goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What it names.
    pub kind: TargetKind,
    /// Which one.
    #[serde(default)]
    pub value: String,
}

/// At once, or gathered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// A notice for each alert.
    #[default]
    AtOnce,
    /// One notice at each full hour.
    Hourly,
    /// One notice a day.
    Daily,
}

/// One step of a ladder: who is asked, and how long they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LadderStep {
    /// A user, a roster or a webhook.
    pub target: Target,
    /// The next step is taken after so many minutes without an acknowledgement: 1 to 1440.
    #[schema(minimum = 1, maximum = 1440)]
    pub wait_minutes: u32,
}

/// Who is told of which alerts, when and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeRuleBody {
    /// Its name.
    pub name: String,
    /// Whether it is in force.
    pub enabled: bool,
    /// The least severity.
    pub severity: Severity,
    /// Only alerts of these rules; all where it is empty.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Only alerts of these agencies; all where it is empty.
    #[serde(default)]
    pub agencies: Vec<String>,
    /// Only on these days, 1 (Monday) to 7; all where it is empty.
    #[serde(default)]
    pub days: Vec<u8>,
    /// Only from this time of day on, `HH:MM` in the console's time zone. Later than `until`: over midnight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Only until this time of day, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Who is told.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// At once, or gathered.
    #[serde(default)]
    pub rhythm: Rhythm,
    /// When a daily digest is sent, `HH:MM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_at: Option<String>,
    /// Who is asked to acknowledge, one after the other.
    #[serde(default)]
    pub ladder: Vec<LadderStep>,
}

/// A notice rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeRule {
    /// Its id.
    pub id: String,
    /// What it says.
    pub rule: NoticeRuleBody,
    /// What is wrong with it now: recipients that reach nobody, for people.
    pub problems: Vec<TargetProblem>,
    /// Rises with each change.
    pub version: i64,
    /// When it was changed.
    pub changed_at: String,
    /// By whom; nobody where it came with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<Person>,
}

/// A recipient that reaches nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetProblem {
    /// Which.
    pub target: Target,
    /// `gone`, `disabled`, `no_address`, `nobody_on_call`, `no_mail_server`.
    pub problem: String,
}

/// All notice rules.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NoticeRuleList {
    /// The rules by age.
    pub items: Vec<NoticeRule>,
    /// Whether a mail server is configured.
    pub mail: bool,
    /// The addresses of the configuration.
    pub configured: Vec<String>,
}

/// Makes a notice rule.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNoticeRule {
    /// What it says.
    pub rule: NoticeRuleBody,
}

/// Changes a notice rule.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeNoticeRule {
    /// What it says from now on.
    pub rule: NoticeRuleBody,
    /// The version that was seen.
    pub version: i64,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeChannel {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What its messages look like, one of the shapes.
    pub shape: String,
    /// Where it is, without the secret.
    pub url: String,
    /// The chat or the person the shape wants; empty where it wants none.
    pub recipient: String,
    /// The language of its messages.
    pub language: Lang,
    /// Whether a secret is kept.
    pub has_secret: bool,
    /// Whether it is used.
    pub enabled: bool,
    /// How it has done lately.
    pub state: ChannelState,
    /// Rises with each change.
    pub version: i64,
}

/// How a channel has done lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelState {
    /// Tries that failed since the last that did not.
    pub failures: u64,
    /// Since when it counts as dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_since: Option<String>,
    /// What was wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it last took something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_good: Option<String>,
}

/// Makes or changes a webhook.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveNoticeChannel {
    /// Its name.
    pub name: String,
    /// One of the shapes.
    pub shape: String,
    /// Where it is: `https://…`, or `http://` to this machine itself. Empty: the shape's own address.
    #[serde(default)]
    pub url: String,
    /// The chat or the person the shape wants.
    #[serde(default)]
    pub recipient: String,
    /// The language of its messages.
    #[serde(default)]
    pub language: Lang,
    /// The secret; where it is missing the one that is kept stays.
    #[serde(default)]
    pub secret: Option<String>,
    /// Whether it is used.
    pub enabled: bool,
    /// The version that was seen; ignored for a new one.
    #[serde(default)]
    pub version: i64,
}

/// What messages of a webhook look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShapeInfo {
    /// Its id.
    pub id: String,
    /// Its Vietnamese name.
    pub name_vi: String,
    /// Its English name.
    pub name_en: String,
    /// The address it goes to where none is given; `{{ secret }}` stands for the secret.
    pub url: String,
    /// Whether a recipient must be named.
    pub needs_recipient: bool,
    /// Whether its messages are signed with the secret.
    pub signed: bool,
}

/// All webhooks, the shapes they may have, and how mail has done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NoticeChannelList {
    /// The webhooks by name.
    pub items: Vec<NoticeChannel>,
    /// The shapes.
    pub shapes: Vec<ShapeInfo>,
    /// Whether a mail server is configured.
    pub mail: bool,
    /// The mail server; empty where none is configured.
    pub mail_server: String,
    /// Whether mails are signed (DKIM), and for which domain and selector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_signed_by: Option<String>,
    /// How mail has done.
    pub mail_state: ChannelState,
}

/// What was queued by a test.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TestAnswer {
    /// How many notices were queued.
    pub queued: u64,
    /// Recipients that reach nobody.
    pub problems: Vec<TargetProblem>,
}

/// Which message is wanted as a preview.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PreviewQuery {
    /// `alert`, `escalation`, `digest`, `channel` or `test`.
    pub template: Option<String>,
    /// The language; the caller's where it is missing.
    #[param(inline)]
    pub lang: Option<Lang>,
    /// A shape instead of a mail.
    pub shape: Option<String>,
}

/// A message as it would be sent now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// The subject.
    pub subject: String,
    /// The text, or the JSON body of a webhook.
    pub text: String,
    /// The HTML part of a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// True when the alert in it is the newest one, false when it is the program's sample.
    pub real: bool,
}

/// Where notices reach a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeAddress {
    /// Who.
    pub user: Person,
    /// Their mail address; nothing while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
}

/// Where notices reach those who work here.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NoticeAddressList {
    /// By name.
    pub items: Vec<NoticeAddress>,
}

/// Sets where notices reach a user.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetNoticeAddress {
    /// The mail address; empty takes it away.
    pub mail: String,
}

/// Where an escalation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EscalationState {
    /// Somebody was asked and has time left.
    Waiting,
    /// Somebody acknowledged.
    Acknowledged,
    /// Somebody took the alert up in the console.
    Handled,
    /// Everybody was asked and nobody acknowledged.
    Exhausted,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EscalationStep {
    /// Which step of the ladder, from 1.
    pub step: u32,
    /// When.
    pub at: String,
    /// Who was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Person>,
    /// To which address or webhook.
    pub to: String,
    /// How the notice stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeState>,
    /// What came of the notice: the receipt, or why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// Why nobody could be asked at this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When its link was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<String>,
}

/// A ladder that is or was climbed because of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Escalation {
    /// Its id.
    pub id: String,
    /// The notice rule's name at that time.
    pub rule_name: String,
    /// The first alert.
    pub alert_id: String,
    /// The alert's rule.
    pub alert_rule: String,
    /// Its Vietnamese name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_rule_vi: Option<String>,
    /// How severe the alert is.
    pub severity: Severity,
    /// The agency it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// How many alerts of the same kind joined it.
    pub alerts: u64,
    /// Where it stands.
    pub state: EscalationState,
    /// When it began.
    pub opened_at: String,
    /// When the next step is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Who ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<Person>,
    /// How: `link` or `console`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// How many steps the ladder has.
    pub steps_in_all: u32,
    /// The steps that were taken.
    pub steps: Vec<EscalationStep>,
}

/// The newest escalations.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EscalationList {
    /// Those that wait first, then the newest.
    pub items: Vec<Escalation>,
    /// How many wait for somebody.
    pub waiting: u64,
}

/// What a link is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledgement {
    /// Where the escalation stands.
    pub state: EscalationState,
    /// Whether this link can still acknowledge.
    pub open: bool,
    /// Whom the link is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Person>,
    /// The alert's rule.
    pub rule: String,
    /// Its Vietnamese name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_vi: Option<String>,
    /// How severe the alert is.
    pub severity: Severity,
    /// The agency it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// When it happened.
    pub time: String,
    /// The alert, for whoever can log in.
    pub alert_id: String,
    /// How many alerts there are.
    pub alerts: u64,
    /// Who acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<Person>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
}

/// Acknowledges by a link.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// The link's token.
    pub token: String,
}

/// What every screen warns of: channels that are dead, ladders that nobody answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeAlarms {
    /// Channels that have failed too often in a row.
    pub dead: Vec<DeadChannel>,
    /// Escalations that wait for somebody.
    pub waiting: u64,
    /// Escalations of the last day that nobody acknowledged although everybody was asked.
    pub exhausted: u64,
}

/// A channel that no longer works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadChannel {
    /// `mail`, or the webhook's name.
    pub name: String,
    /// Since when.
    pub since: String,
    /// What was wrong last.
    pub error: String,
}
