//! Notices to agencies beyond the database: mails that tell an agency's people that there is something for them, and the
//! round that hands over to the collector what they uploaded and tells of what is late.
//!
//! A mail is read by more people than its address says, so it names the notice, its agency, what is asked and until when;
//! the subject only where the notice may be shared with the community (TLP green or clear), and the text never. All steps
//! stand in the database: a restart loses none and takes none twice.

use crate::app::App;
use crate::model::{AgencyNotice, NoticeKind, Target, TargetKind};
use crate::store::StoreResult;
use crate::store::agency_files::Handed;
use crate::store::agency_notices::Mails;
use crate::store::notice_rules::is_address;

/// How often the round is made.
const EVERY: std::time::Duration = std::time::Duration::from_secs(2);
/// How many late notices one round tells of.
const LATE_A_ROUND: u32 = 20;
/// How many files one round hands over.
const FILES_A_ROUND: usize = 5;
/// The first wait after the collector did not take a file, in seconds; it doubles.
const FIRST_WAIT_S: i64 = 10;
/// The longest wait, in seconds.
const LONGEST_WAIT_S: i64 = 600;

/// What a mail tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The notice was sent.
    Sent,
    /// The team added something.
    Message,
    /// The team reminds.
    Reminder,
    /// The time has passed.
    Late,
}

impl News {
    /// Its name in templates.
    pub fn name(self) -> &'static str {
        match self {
            News::Sent => "sent",
            News::Message => "message",
            News::Reminder => "reminder",
            News::Late => "late",
        }
    }
}

/// Mails to everybody of an agency whom mail reaches; none where there is no mail server or no address.
pub async fn mails(app: &App, notice: &AgencyNotice, news: News) -> StoreResult<Mails> {
    let (users, addresses) = app.store.agency_mail_contacts(&notice.agency.id).await?;
    let target = |kind, value: &String| Target { kind, value: value.clone() };
    let users = users.iter().map(|id| target(TargetKind::User, id));
    let addresses = addresses.iter().filter(|mail| is_address(mail)).map(|mail| target(TargetKind::Address, mail));
    let targets: Vec<Target> = users.chain(addresses).collect();
    let (recipients, _) = app.notices.plan().resolve_all(&targets, app.clock.now_us(), &app.zone);
    let mut mails = Mails::default();
    for recipient in &recipients {
        match app.notices.agency(notice, news, recipient) {
            Ok(message) => mails.notices.push(message.to(recipient, NoticeKind::Agency)),
            Err(error) => tracing::error!(error = %format!("{error:#}"), "write a mail to an agency"),
        }
    }
    Ok(mails)
}

/// Whom a preview is written to.
pub fn sample() -> AgencyNotice {
    use crate::model::{AgencyNoticeState, Ask, Tlp};
    AgencyNotice {
        id: "sample".to_owned(),
        reference: "12-1".to_owned(),
        agency: luytre_collector_api::Agency { id: "sample".to_owned(), name: "Sở Y tế".to_owned() },
        subject: String::new(),
        text: String::new(),
        tlp: Tlp::Amber,
        asks: Ask::ALL.to_vec(),
        missing: Ask::ALL.to_vec(),
        due_at: Some("2026-11-30T10:00:00Z".to_owned()),
        overdue: false,
        state: AgencyNoticeState::Open,
        sent_at: None,
        sent_by: None,
        confirmed_at: None,
        confirmed_by: None,
        ended_at: None,
        ended_reason: String::new(),
        entries: Vec::new(),
        files: Vec::new(),
    }
}

/// Makes rounds until the task is dropped.
pub async fn keep(app: std::sync::Arc<App>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = round(&app).await {
            tracing::error!(%error, "work on notices to agencies");
        }
    }
}

/// Does what is due now.
pub async fn round(app: &App) -> StoreResult<()> {
    for (case_id, version) in app.store.finish_agency_files().await? {
        app.tell_case(&case_id, version).await;
    }
    for id in app.store.late_notices(LATE_A_ROUND).await? {
        let (notice, _) = app.store.agency_notice(&id).await?;
        let mails = mails(app, &notice, News::Late).await?;
        if let Some((case_id, version)) = app.store.note_late(&id, &mails).await? {
            app.tell_case(&case_id, version).await;
        }
    }
    for _ in 0..FILES_A_ROUND {
        if !hand_over(app).await? {
            break;
        }
    }
    let forgotten = app.store.forget_abandoned_files().await?;
    app.metrics.uploads_abandoned.add(forgotten);
    Ok(())
}

/// Hands the next file over to the collector's store of evidence; answers whether there was one.
async fn hand_over(app: &App) -> StoreResult<bool> {
    let Some(file) = app.store.waiting_agency_file().await? else { return Ok(false) };
    let name = format!("{} {}", file.reference, file.name);
    let by = if file.by.is_empty() { "console" } else { &file.by };
    let reason = format!("uploaded for notice {}", file.reference);
    let handed = match app.collector.add_document(by, &name, &reason, file.content).await {
        Ok(item) => {
            app.metrics.uploads_kept.add(1);
            Handed::Kept { evidence_id: item.id }
        }
        Err(error) => {
            tracing::warn!(%error, file = %file.id, "hand an uploaded file over to the collector");
            let wait_s = (FIRST_WAIT_S << file.tries.min(8)).min(LONGEST_WAIT_S);
            let error: String = error.to_string().chars().take(300).collect();
            Handed::Later { error, next_us: app.clock.now_us() + wait_s * 1_000_000 }
        }
    };
    let is_kept = matches!(handed, Handed::Kept { .. });
    if let Some((case_id, version)) = app.store.agency_file_handed(&file.id, &handed).await? {
        app.tell_case(&case_id, version).await;
    }
    // While the collector is away, what is behind waits for its own turn.
    Ok(is_kept)
}

/// Whether a mail may name what the notice is about.
pub(super) fn names_subject(notice: &AgencyNotice) -> bool {
    use crate::model::Tlp;
    matches!(notice.tlp, Tlp::Green | Tlp::Clear)
}
