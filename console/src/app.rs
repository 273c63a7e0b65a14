//! What every handler can reach: the store, the collector, the live stream, the clock and the settings.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use anyhow::Context as _;
use jiff::tz::TimeZone;
use tokio::sync::watch;

use crate::auth::Caller;
use crate::auth::openid::OpenId;
use crate::auth::password::Passwords;
use crate::auth::profile::Profile;
use crate::auth::throttle::{Doors, Knock, MAX_KNOWN};
use crate::clock::{self, Clock};
use crate::collector::Collector;
use crate::limit::RequestLimit;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::model::{AlertsChanged, CollectorHealth, VisibilityNow};
use crate::notify::webhook::Hooks;
use crate::notify::{NoticeWriter, first_rule};
use crate::press::Press;
use crate::settings::Settings;
use crate::store::Store;
use crate::store::audit::Actor;
use crate::store::sessions::SessionLife;

/// So many changed alerts are told of one by one; more would push other events out of what is kept for resuming.
const ONE_BY_ONE: usize = 20;

/// How many alerts an event names.
const MAX_NAMED: usize = 1000;

/// What is known of the collector, refreshed by [`crate::collector::watch`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Watched {
    /// How it is.
    pub health: CollectorHealth,
    /// What the bar at the top shows.
    pub visibility: VisibilityNow,
}

/// The running console.
pub struct App {
    /// The configuration.
    pub settings: Settings,
    /// What people type to get here, without a slash at the end.
    pub public_url: String,
    /// The time zone of reports.
    pub zone: TimeZone,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The database.
    pub store: Store,
    /// The collector.
    pub collector: Collector,
    /// What is known of the collector.
    pub watched: watch::Sender<Watched>,
    /// True while alerts flow in.
    pub alerts_connected: AtomicBool,
    /// The sequence of the newest alert that those who follow were told of in this run.
    pub alerts_told: AtomicU64,
    /// Who follows.
    pub live: Live,
    /// What is demanded of whoever comes in.
    pub profile: Profile,
    /// The identity provider, where one is configured.
    pub openid: Option<OpenId>,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Slows down who fails to log in.
    pub doors: Doors,
    /// Requests by address.
    pub requests: RequestLimit,
    /// Writes notices and knows who gets which.
    pub notices: NoticeWriter,
    /// Sends to webhooks.
    pub hooks: Hooks,
    /// Typesets.
    pub press: Press,
    /// Counts.
    pub metrics: Metrics,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl App {
    /// Opens the store in the data directory and gets everything ready; nothing runs yet.
    pub async fn open(settings: Settings, data: &Path, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<App>> {
        make_private_folder(data)?;
        let zone = &settings.report.time_zone;
        let zone = clock::zone(zone)
            .with_context(|| format!("report.time_zone: there is no time zone `{zone}`; use an IANA name"))?;
        let public_url = public_url(&settings);
        let store = Store::open(&data.join("console.db"), clock.clone()).await?;
        let doors = Doors::new(settings.session.free_failures);
        for (name, address) in store.known_places(MAX_KNOWN).await? {
            doors.remember(&Knock::new(&name, Some(&address)));
        }
        store.make_first_notice_rule(&first_rule(&settings)).await?;
        let notices = NoticeWriter::new(&settings, &public_url, zone.clone())?;
        notices.refresh(&store, &settings).await?;
        Ok(Arc::new(App {
            store,
            collector: Collector::new(&settings.collector)?,
            watched: watch::Sender::new(Watched::default()),
            alerts_connected: AtomicBool::new(false),
            alerts_told: AtomicU64::new(0),
            live: Live::new(clock.now_us()),
            profile: Profile::named(&settings.access.profile)?,
            openid: OpenId::new(&settings.openid, &public_url)?,
            passwords: Passwords::new()?,
            doors,
            requests: RequestLimit::new(settings.listen.requests_per_second),
            notices,
            hooks: Hooks::new(settings.notices.ca_file.as_deref())?,
            press: Press::new(&settings.press),
            metrics: Metrics::default(),
            public_url,
            zone,
            clock,
            settings,
        }))
    }

    /// How long sessions live.
    pub fn session_life(&self) -> SessionLife {
        let (wished, profile) = (&self.settings.session, &self.profile);
        let idle = |minutes: u32| i64::from(wished.idle_minutes.unwrap_or(minutes)) * 60_000_000;
        SessionLife {
            idle_us: idle(profile.idle_minutes),
            idle_admin_us: idle(profile.idle_minutes_admin),
            absolute_us: i64::from(wished.absolute_hours.unwrap_or(profile.absolute_hours)) * 3_600_000_000,
        }
    }

    /// Reads anew who is told of what, after something of it was changed.
    pub async fn refresh_notices(&self) -> Result<(), crate::store::StoreError> {
        self.notices.refresh(&self.store, &self.settings).await?;
        self.live.publish("notices_changed", &serde_json::json!({}));
        Ok(())
    }

    /// Tells everybody who follows that an alert changed; a failure only costs them freshness.
    pub async fn tell_alert(&self, id: &str, is_new: bool) {
        match self.store.alert_row(id).await {
            Ok(row) => {
                let agency = row.agency.as_ref().map(|agency| agency.id.clone());
                self.live.publish_to(None, agency, if is_new { "alert" } else { "alert_changed" }, &row);
            }
            Err(error) => tracing::warn!(%error, "tell of a changed alert"),
        }
    }

    /// Tells everybody who follows that alerts changed: a few one by one, many in one event.
    pub async fn tell_alerts(&self, ids: &[String]) {
        if ids.len() <= ONE_BY_ONE {
            for id in ids {
                self.tell_alert(id, false).await;
            }
            return;
        }
        let named = ids.iter().take(MAX_NAMED).cloned().collect();
        self.live.publish("alerts_changed", &AlertsChanged { ids: named, changed: ids.len() as u64 });
    }

    /// Tells everybody who follows and may see the case that it changed.
    pub async fn tell_case(&self, id: &str, version: i64) {
        match self.store.case_audience(id).await {
            Ok((audience, agency)) => {
                let what = crate::model::CaseChanged { id: id.to_owned(), version };
                self.live.publish_to(audience, agency, "case_changed", &what);
            }
            Err(error) => tracing::warn!(%error, "tell of a changed case"),
        }
    }
}

impl From<&Caller> for Actor {
    fn from(caller: &Caller) -> Self {
        Actor { user_id: Some(caller.user.id.clone()), address: caller.address.clone(), reach: caller.reach() }
    }
}

/// Makes the folder when it is missing, readable by its owner only.
fn make_private_folder(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("make the data directory {}; choose another one with --data", path.display()))
}

/// What people type to get here: configured, or made from the address it listens at and the host's name.
fn public_url(settings: &Settings) -> String {
    let wished = settings.listen.public_url.trim_end_matches('/');
    if !wished.is_empty() {
        return wished.to_owned();
    }
    let address = settings.listen.address;
    let host = if address.ip().is_unspecified() { host_name() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    format!("https://{host}:{}", address.port())
}

/// The machine's name.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}
