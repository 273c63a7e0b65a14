//! Notices: rules, channels, previews and tests of them, and the receipts of what was sent.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use luytre_collector_api::Alert;

use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::clock;
use crate::model::{
    AlertQuery, ChangeNoticeRule, DeadChannel, NewNoticeRule, NoticeAddressList, NoticeAlarms, NoticeChannelList,
    NoticeKind, NoticeList, NoticeRuleList, PageQuery, Preview, PreviewQuery, Role, SaveNoticeChannel,
    SetNoticeAddress, Target, TargetKind, TestAnswer,
};
use crate::notify::plan::{Recipient, recipient_of};
use crate::notify::writer::Message;
use crate::notify::{agency, shapes, webhook};
use crate::store::audit::{Actor, detail};
use crate::store::notice_rules::{MAIL, is_address};
use crate::store::notices::DueDigest;

/// The alert of a preview while there is no real one.
const SAMPLE: &str = include_str!("../../data/notices/sample.json");

/// A page of notices, newest first.
#[utoipa::path(get, path = "/api/v1/notices", tag = "notices", params(PageQuery),
    responses((status = 200, body = NoticeList), (status = "default", body = ProblemBody)))]
pub async fn list_notices(
    State(app): State<Arc<App>>,
    Params(query): Params<PageQuery>,
) -> Result<Json<NoticeList>, Problem> {
    Ok(Json(app.store.notices(&query).await?))
}

/// What every screen warns of: channels that are dead, ladders that nobody answered.
#[utoipa::path(get, path = "/api/v1/notice-alarms", tag = "notices",
    responses((status = 200, body = NoticeAlarms), (status = "default", body = ProblemBody)))]
pub async fn get_alarms(State(app): State<Arc<App>>) -> Result<Json<NoticeAlarms>, Problem> {
    let dead = app.store.dead_channels().await?.into_iter();
    let dead = dead.map(|(_, name, since_us, error)| DeadChannel { name, since: clock::to_text(since_us), error });
    let (waiting, exhausted) = app.store.escalation_counts().await?;
    Ok(Json(NoticeAlarms { dead: dead.collect(), waiting, exhausted }))
}

/// All notice rules, with what is wrong with them now.
#[utoipa::path(get, path = "/api/v1/notice-rules", tag = "notices",
    responses((status = 200, body = NoticeRuleList), (status = "default", body = ProblemBody)))]
pub async fn list_notice_rules(State(app): State<Arc<App>>) -> Json<NoticeRuleList> {
    Json(rules(&app))
}

fn rules(app: &App) -> NoticeRuleList {
    NoticeRuleList {
        items: app.notices.plan().checked_rules(app.clock.now_us(), &app.zone),
        mail: !app.settings.mail.host.is_empty(),
        configured: app.settings.mail.to.clone(),
    }
}

/// Makes a notice rule.
#[utoipa::path(post, path = "/api/v1/notice-rules", tag = "notices", request_body = NewNoticeRule,
    responses((status = 200, body = NoticeRuleList), (status = "default", body = ProblemBody)))]
pub async fn add_notice_rule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewNoticeRule>,
) -> Result<Json<NoticeRuleList>, Problem> {
    app.store.save_notice_rule(None, &new.rule, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    Ok(Json(rules(&app)))
}

/// Changes a notice rule.
#[utoipa::path(put, path = "/api/v1/notice-rules/{id}", tag = "notices", request_body = ChangeNoticeRule,
    params(("id" = String, Path, description = "The rule")),
    responses((status = 200, body = NoticeRuleList), (status = "default", body = ProblemBody)))]
pub async fn change_notice_rule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<ChangeNoticeRule>,
) -> Result<Json<NoticeRuleList>, Problem> {
    app.store.save_notice_rule(Some((&id, wish.version)), &wish.rule, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    Ok(Json(rules(&app)))
}

/// Deletes a notice rule.
#[utoipa::path(delete, path = "/api/v1/notice-rules/{id}", tag = "notices",
    params(("id" = String, Path, description = "The rule")),
    responses((status = 200, body = NoticeRuleList), (status = "default", body = ProblemBody)))]
pub async fn delete_notice_rule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<NoticeRuleList>, Problem> {
    app.store.delete_notice_rule(&id, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    Ok(Json(rules(&app)))
}

/// Sends a test to everybody a rule names, the steps of its ladder among them.
#[utoipa::path(post, path = "/api/v1/notice-rules/{id}/test", tag = "notices",
    params(("id" = String, Path, description = "The rule")),
    responses((status = 200, body = TestAnswer), (status = "default", body = ProblemBody)))]
pub async fn try_notice_rule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<TestAnswer>, Problem> {
    let rule = app.store.notice_rule(&id).await?.rule;
    let steps = rule.ladder.into_iter().map(|step| step.target);
    let targets: Vec<Target> = rule.targets.into_iter().chain(steps).collect();
    let (recipients, problems) = app.notices.plan().resolve_all(&targets, app.clock.now_us(), &app.zone);
    let queued = queue_tests(&app, &recipients, &rule.name).await?;
    let what = detail([("queued", &queued.to_string())]);
    app.store.add_audit(&Actor::from(&caller), "notice_rule.tested", &format!("notice_rule:{id}"), &what).await?;
    Ok(Json(TestAnswer { queued, problems }))
}

async fn queue_tests(app: &App, recipients: &[Recipient], name: &str) -> Result<u64, Problem> {
    let mut notices = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        let message = app.notices.notice(NoticeKind::Test, recipient, name, "");
        notices.push(message.map_err(|e| Problem::internal(&format!("{e:#}")))?.to(recipient, NoticeKind::Test));
    }
    app.store.queue_notices(&notices).await?;
    Ok(notices.len() as u64)
}

/// All webhooks, the shapes they may have, and how mail has done.
#[utoipa::path(get, path = "/api/v1/notice-channels", tag = "notices",
    responses((status = 200, body = NoticeChannelList), (status = "default", body = ProblemBody)))]
pub async fn list_channels(State(app): State<Arc<App>>) -> Result<Json<NoticeChannelList>, Problem> {
    Ok(Json(channels(&app).await?))
}

async fn channels(app: &App) -> Result<NoticeChannelList, Problem> {
    let mail = &app.settings.mail;
    let domain = if mail.dkim_domain.is_empty() {
        mail.from.rsplit_once('@').map_or("", |(_, domain)| domain.trim_end_matches('>'))
    } else {
        &mail.dkim_domain
    };
    Ok(NoticeChannelList {
        items: app.store.hooks().await?.into_iter().map(|hook| hook.channel).collect(),
        shapes: shapes::all().iter().map(shapes::Shape::info).collect(),
        mail: !mail.host.is_empty(),
        mail_server: mail.host.clone(),
        mail_signed_by: mail.dkim_key_file.as_ref().map(|_| format!("{}._domainkey.{domain}", mail.dkim_selector)),
        mail_state: app.store.channel_state(MAIL).await?,
    })
}

/// Makes a webhook.
#[utoipa::path(post, path = "/api/v1/notice-channels", tag = "notices", request_body = SaveNoticeChannel,
    responses((status = 200, body = NoticeChannelList), (status = "default", body = ProblemBody)))]
pub async fn add_channel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(wish): Body<SaveNoticeChannel>,
) -> Result<Json<NoticeChannelList>, Problem> {
    check_channel(&wish, wish.secret.as_deref().is_some_and(|secret| !secret.is_empty()))?;
    app.store.save_hook(None, &wish, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    Ok(Json(channels(&app).await?))
}

/// Changes a webhook. A secret stays with the address that it was given for: another address needs it anew.
#[utoipa::path(put, path = "/api/v1/notice-channels/{id}", tag = "notices", request_body = SaveNoticeChannel,
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, body = NoticeChannelList), (status = "default", body = ProblemBody)))]
pub async fn change_channel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<SaveNoticeChannel>,
) -> Result<Json<NoticeChannelList>, Problem> {
    let known = app.store.hook(&id).await?.channel;
    let moved = known.url != wish.url || known.shape != wish.shape;
    if moved && known.has_secret && wish.secret.is_none() {
        return Err(Problem::bad_field("secret", "enter the secret again: the address or the shape is another one"));
    }
    check_channel(&wish, wish.secret.as_deref().map_or(known.has_secret, |secret| !secret.is_empty()))?;
    app.store.save_hook(Some(&id), &wish, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    Ok(Json(channels(&app).await?))
}

fn check_channel(wish: &SaveNoticeChannel, has_secret: bool) -> Result<(), Problem> {
    let shape = shapes::find(&wish.shape).ok_or_else(|| Problem::bad_field("shape", "choose one of the list"))?;
    let url = if wish.url.is_empty() { &shape.url } else { &wish.url };
    webhook::check_address(url).map_err(|error| Problem::bad_field("url", error.to_string()))?;
    if shape.needs_recipient && wish.recipient.trim().is_empty() {
        return Err(Problem::bad_field("recipient", "is missing"));
    }
    let wanted =
        shape.signed || url.contains("{{ secret }}") || shape.headers.iter().any(|h| h.value.contains("{{ secret }}"));
    if wanted && !has_secret {
        return Err(Problem::bad_field("secret", "is missing"));
    }
    Ok(())
}

/// Deletes a webhook; what still waits for it is given up.
#[utoipa::path(delete, path = "/api/v1/notice-channels/{id}", tag = "notices",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, body = NoticeChannelList), (status = "default", body = ProblemBody)))]
pub async fn delete_channel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<NoticeChannelList>, Problem> {
    app.store.delete_hook(&id, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    Ok(Json(channels(&app).await?))
}

/// Sends a test by a webhook; by `mail`, to the caller's own address or else to the configured ones.
#[utoipa::path(post, path = "/api/v1/notice-channels/{id}/test", tag = "notices",
    params(("id" = String, Path, description = "The webhook, or `mail`")),
    responses((status = 200, body = TestAnswer), (status = "default", body = ProblemBody)))]
pub async fn try_channel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<TestAnswer>, Problem> {
    let (recipients, problems, name) = if id == MAIL {
        let own = Target { kind: TargetKind::User, value: caller.user.id.clone() };
        let plan = app.notices.plan();
        let now_us = app.clock.now_us();
        let configured = Target { kind: TargetKind::Configured, value: String::new() };
        let target = if plan.resolve(&own, now_us, &app.zone).is_ok() { own } else { configured };
        let (recipients, problems) = plan.resolve_all(&[target], now_us, &app.zone);
        (recipients, problems, MAIL.to_owned())
    } else {
        let hook = app.store.hook(&id).await?;
        (recipient_of(&hook).into_iter().collect(), Vec::new(), hook.channel.name)
    };
    let queued = queue_tests(&app, &recipients, &name).await?;
    app.store.add_audit(&Actor::from(&caller), "channel.tested", &format!("channel:{id}"), &detail([])).await?;
    Ok(Json(TestAnswer { queued, problems }))
}

/// A message as it would be sent now.
#[utoipa::path(get, path = "/api/v1/notice-preview", tag = "notices", params(PreviewQuery),
    responses((status = 200, body = Preview), (status = "default", body = ProblemBody)))]
pub async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PreviewQuery>,
) -> Result<Json<Preview>, Problem> {
    let shape = match query.shape.as_deref().filter(|shape| !shape.is_empty()) {
        Some(id) => Some(shapes::find(id).ok_or_else(|| Problem::bad_field("shape", "choose one of the list"))?),
        None => None,
    };
    let to = Recipient {
        channel: MAIL.to_owned(),
        to: String::new(),
        language: query.lang.unwrap_or(caller.user.locale),
        shape,
        chat: "123456".to_owned(),
        user_id: None,
    };
    let newest = AlertQuery { limit: Some(3), status: Some("all".to_owned()), ..AlertQuery::default() };
    let mut alerts: Vec<Alert> = Vec::new();
    for row in app.store.alerts(&newest, &caller.reach()).await?.items {
        alerts.push(app.store.alert_body(&row.id).await?);
    }
    let real = !alerts.is_empty();
    if !real {
        alerts = vec![serde_json::from_str(SAMPLE).map_err(|error| Problem::internal(&error))?];
    }
    let message = message(&app, query.template.as_deref().unwrap_or("alert"), &to, alerts)?;
    let message = message.map_err(|error| Problem::internal(&format!("{error:#}")))?;
    Ok(Json(Preview { subject: message.subject, text: message.body, html: message.html, real }))
}

fn message(app: &App, template: &str, to: &Recipient, alerts: Vec<Alert>) -> Result<anyhow::Result<Message>, Problem> {
    let first = alerts.first().ok_or_else(|| Problem::not_found("alert"))?;
    Ok(match template {
        "alert" => app.notices.alert(first, to),
        "escalation" => app.notices.escalation(first, to),
        "digest" => {
            let digest = DueDigest {
                channel: to.channel.clone(),
                recipient: String::new(),
                language: to.language,
                alerts: alerts.len() as u64,
                shown: alerts,
            };
            app.notices.digest(&digest, to)
        }
        "test" => app.notices.notice(NoticeKind::Test, to, MAIL, ""),
        "agency" => app.notices.agency(&agency::sample(), agency::News::Sent, to),
        "channel" => app.notices.notice(NoticeKind::Channel, to, MAIL, "451 4.3.2 busy"),
        _ => return Err(Problem::bad_field("template", "choose one of the list")),
    })
}

/// Where notices reach those who work here.
#[utoipa::path(get, path = "/api/v1/notice-addresses", tag = "notices",
    responses((status = 200, body = NoticeAddressList), (status = "default", body = ProblemBody)))]
pub async fn list_addresses(State(app): State<Arc<App>>) -> Result<Json<NoticeAddressList>, Problem> {
    Ok(Json(NoticeAddressList { items: app.store.notice_addresses().await? }))
}

/// Sets where notices reach a user: administrators anybody's, others their own.
#[utoipa::path(put, path = "/api/v1/notice-addresses/{user}", tag = "notices", request_body = SetNoticeAddress,
    params(("user" = String, Path, description = "The user")),
    responses((status = 200, body = NoticeAddressList), (status = "default", body = ProblemBody)))]
pub async fn set_address(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(user): Path<String>,
    Body(wish): Body<SetNoticeAddress>,
) -> Result<Json<NoticeAddressList>, Problem> {
    if caller.user.role != Role::Admin && caller.user.id != user {
        let message = "only administrators set the address of somebody else";
        return Err(Problem::new(StatusCode::CONFLICT, "not_yours", message));
    }
    let mail = wish.mail.trim();
    if !mail.is_empty() && !is_address(mail) {
        return Err(Problem::bad_field("mail", format!("`{mail}` is no e-mail address")));
    }
    app.store.set_notice_address(&user, mail, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    list_addresses(State(app)).await
}
