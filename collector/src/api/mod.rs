//! The API: what the console and the command line ask the collector, JSON over a Unix socket (mode 0600) or mutual TLS.
//!
//! Comes in: requests as [`luytre_collector_api`] lists them. Goes out: its types; errors are [`ApiError`]s. Searches run
//! on blocking threads, a few at a time; more wait at most [`WAIT_MAX`] and are then told so. Nothing is kept: a restart
//! drops connections, and the alert stream goes on from the listener's cursor.

mod alerts;
mod backtest;
mod evidence;
mod export;
mod fleet;
mod metrics;
mod packets;
mod queries;
mod rules;
mod search;
pub mod serve;
mod sets;
mod sources;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use luytre_collector_api::{Agency, AgencyNetworks, ApiError, DoorLine, Health};
use luytre_events::Catalogue;

use crate::detect::files::ScanCounts;
use crate::detect::groups::GroupSettings;
use crate::enrich::SharedAgencies;
use crate::evidence::Sealer;
use crate::fanout::Fanout;
use crate::fleet::Fleet;
use crate::health::Problems;
use crate::import::Sets;
use crate::index::Store;
use crate::intake::Packets;
use crate::journal::Journal;
use crate::ledger::Ledger;
use crate::places::Doors;
use crate::room::Rooms;
use crate::run::Reloader;
use crate::saved::SavedQueries;
use crate::search::Search;
use crate::sources::Sources;
use crate::tail::Tail;

pub use self::metrics::router as metrics_router;
pub use self::rules::RulesInForce;

/// A search waits at most this long for its turn.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// The largest request.
const BODY_MAX_BYTES: usize = 1 << 20;

/// What the handlers work with; cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// Searches.
    pub search: Search,
    /// Searches that may begin.
    pub turns: Arc<tokio::sync::Semaphore>,
    /// Partitions.
    pub store: Arc<Store>,
    /// Alerts.
    pub fanout: Fanout,
    /// The ledger.
    pub ledger: Ledger,
    /// Sensors and tokens.
    pub fleet: Fleet,
    /// The journal.
    pub journal: Journal,
    /// Agencies.
    pub agencies: SharedAgencies,
    /// Rules.
    pub rules: RulesInForce,
    /// How matches become alerts.
    pub groups: GroupSettings,
    /// Packets that sensors keep.
    pub packets: Packets,
    /// What does not work.
    pub problems: Problems,
    /// What became of carved files.
    pub scans: Arc<ScanCounts>,
    /// Events that no rule looked at, because the rules failed on them.
    pub poisoned: Arc<std::sync::atomic::AtomicU64>,
    /// Loads the rules anew.
    pub reloader: Reloader,
    /// Data sets apart from the live one.
    pub sets: Sets,
    /// Evidence.
    pub evidence: Sealer,
    /// Other programs that send lines.
    pub sources: Sources,
    /// Saved queries.
    pub saved: SavedQueries,
    /// Events as they come in.
    pub tail: Tail,
    /// Room on the disks.
    pub rooms: Rooms,
    /// Where sensors and clients come in.
    pub doors: Vec<(&'static str, Doors)>,
}

/// A failed request.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    error: ApiError,
}

impl Failure {
    fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Failure {
        Failure { status, error: ApiError { code: code.to_owned(), message: message.into(), position: None } }
    }

    /// What the client is told.
    pub fn into_error(self) -> ApiError {
        self.error
    }

    fn bad_request(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    fn not_found(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    fn overloaded(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message)
    }

    fn internal(error: &dyn std::fmt::Display) -> Failure {
        tracing::error!(%error, "answer a request");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self.error)).into_response()
    }
}

/// The routes of the Unix socket: those of everybody, certificates for the others, and importing.
pub fn local_router(api: Api) -> axum::Router {
    let local = axum::Router::new()
        .route("/v1/api-certificates", post(fleet::create_api_certificate))
        .route("/v1/api-certificates/{name}/revoke", post(fleet::revoke_api_certificate))
        .route("/v1/sets/{set}/imports", post(sets::begin))
        .route("/v1/sets/{set}/imports/{number}/finish", post(sets::finish))
        .route("/v1/sets/{set}/remove", post(sets::remove))
        .route("/v1/sources/{name}/token", post(sources::create_token))
        .route("/v1/sources/{name}/revoke", post(sources::revoke_token))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(api.clone());
    let pieces = axum::Router::new()
        .route("/v1/sets/{set}/imports/{number}/events", post(sets::add))
        .layer(axum::extract::DefaultBodyLimit::max(sets::PIECE_MAX_BYTES))
        .with_state(api.clone());
    router(api).merge(local).merge(pieces)
}

/// The routes of everybody.
pub fn router(api: Api) -> axum::Router {
    let documents = axum::Router::new()
        .route("/v1/evidence/documents", post(evidence::add))
        .layer(axum::extract::DefaultBodyLimit::max(evidence::DOCUMENT_MAX_BYTES))
        .with_state(api.clone());
    let rules = axum::Router::new()
        .route("/v1/backtest", post(backtest::backtest))
        .route("/v1/backtest/follow", post(backtest::follow))
        .layer(axum::extract::DefaultBodyLimit::max(backtest::RULES_MAX_BYTES))
        .with_state(api.clone());
    axum::Router::new()
        .route("/v1/health", get(health))
        .route("/v1/search", post(search::search))
        .route("/v1/search/follow", post(export::follow))
        .route("/v1/search/complete", post(export::complete))
        .route("/v1/export", post(export::export))
        .route("/v1/events/{id}", get(search::event))
        .route("/v1/alerts/stream", get(alerts::stream))
        .route("/v1/alerts/{id}", get(alerts::alert))
        .route("/v1/sensors", get(fleet::sensors))
        .route("/v1/sets", get(sets::sets))
        .route("/v1/sources", get(sources::sources))
        .route("/v1/doors", get(sources::doors))
        .route("/v1/rooms", get(sources::rooms))
        .route("/v1/queries", get(queries::list).post(queries::create))
        .route("/v1/queries/{id}", get(queries::get).put(queries::save).delete(queries::remove))
        .route("/v1/sensors/{name}/revoke", post(fleet::revoke))
        .route("/v1/tokens", post(fleet::create_token))
        .route("/v1/ledger", get(fleet::ledger))
        .route("/v1/visibility", get(backtest::visibility))
        .route("/v1/coverage", get(backtest::coverage))
        .route("/v1/packets", get(packets::packets))
        .route("/v1/evidence", get(evidence::list))
        .route("/v1/evidence/holds", post(evidence::hold))
        .route("/v1/evidence/log", get(evidence::log))
        .route("/v1/evidence/{id}", get(evidence::read))
        .route("/v1/evidence/{id}/release", post(evidence::release))
        .route("/v1/rules", get(rules::rules))
        .route("/v1/rules/reload", post(rules::reload))
        .route("/v1/rules/{id}", get(rules::rule))
        .route("/v1/catalogue", get(catalogue))
        .route("/v1/agencies", get(agencies))
        .fallback(async || Failure::not_found("there is nothing at this address"))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(api)
        .merge(documents)
        .merge(rules)
}

impl Api {
    /// How the collector is.
    pub fn health(&self) -> Health {
        let mut problems = self.problems.list();
        problems.extend(self.store.problems());
        Health {
            ok: problems.is_empty(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            problems,
            index_lag_events: self.journal.lag_events(),
            indexed_events: self.store.events(),
        }
    }
}

impl Api {
    /// Counts of every door: sensors', clients' and those of the sources.
    fn doors(&self) -> Vec<DoorLine> {
        let ours = self.doors.iter().map(|(name, doors)| DoorLine {
            name: (*name).to_owned(),
            admitted: doors.admitted(),
            refused: doors.refused(),
        });
        let sources = self.sources.list().into_iter().map(|source| DoorLine {
            name: source.name,
            admitted: source.connections,
            refused: source.refused,
        });
        ours.chain(sources).collect()
    }
}

async fn health(State(api): State<Api>) -> Result<Json<Health>, Failure> {
    blocking(move || Json(api.health())).await
}

async fn agencies(State(api): State<Api>) -> Json<Vec<AgencyNetworks>> {
    let agencies = api.agencies.get();
    let named = agencies.list().iter().enumerate().map(|(number, Agency { id, name })| AgencyNetworks {
        id: id.clone(),
        name: name.clone(),
        networks: agencies.networks(number).iter().map(ToString::to_string).collect(),
    });
    Json(named.collect())
}

async fn catalogue() -> Response {
    ([(axum::http::header::CONTENT_TYPE, "application/json")], Catalogue::current().to_json()).into_response()
}

/// Runs something that blocks, off the runtime's own threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::internal(&error))
}
