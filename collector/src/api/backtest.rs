//! `POST /v1/backtest`, `POST /v1/backtest/follow`, `GET /v1/visibility`, `GET /v1/coverage`: what the past holds, before somebody relies on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use luytre_collector_api::{
    AgencyCoverage, BacktestAnswer, BacktestLine, BacktestRequest, CoverageAnswer, SearchAnswer, SearchRequest,
    SensorVisibility, Visibility, VisibilityAnswer,
};
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::search::in_turn;
use super::{Api, Failure, WAIT_MAX};
use crate::backtest::{self, BacktestError, Control, Parts};
use crate::clock::now_ns;
use crate::search::{self, SearchError};

/// The largest request with rules.
pub(super) const RULES_MAX_BYTES: usize = 16 << 20;
/// Lines of progress that wait for whoever asked.
const LINES_MAX: usize = 16;
/// Backtests that run.
static AT_A_TIME: Semaphore = Semaphore::const_new(1);
/// Networks are looked for during this time.
const LOOK_MAX: Duration = Duration::from_secs(20);
/// Rows of agencies and sensors.
const ROWS_MAX: u32 = 10_000;

impl From<BacktestError> for Failure {
    fn from(error: BacktestError) -> Failure {
        match error {
            BacktestError::Bad(reason) => Failure::bad_request(reason),
            BacktestError::Search(error) => error.into(),
            BacktestError::Failed(error) => Failure::internal(&format!("{error:#}")),
        }
    }
}

pub(super) async fn backtest(
    State(api): State<Api>,
    request: Result<Json<BacktestRequest>, JsonRejection>,
) -> Result<Json<BacktestAnswer>, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let control = Ended(Arc::new(Control::new(|_| true)));
    run(&api, request, control.0.clone()).await.map(Json)
}

/// The same with word of how far it is, a line each.
pub(super) async fn follow(
    State(api): State<Api>,
    request: Result<Json<BacktestRequest>, JsonRejection>,
) -> Result<Response, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let (tell, lines) = mpsc::channel::<Bytes>(LINES_MAX);
    let told = tell.clone();
    // A line that does not fit is not missed: the next one says more.
    let control = Arc::new(Control::new(move |progress| {
        drop(line(&BacktestLine::Progress(progress)).map(|line| told.try_send(line)));
        !told.is_closed()
    }));
    tokio::spawn(async move {
        let ran = run(&api, request, control).await;
        let last = match ran {
            Ok(answer) => BacktestLine::Answer(Box::new(answer)),
            Err(failure) => BacktestLine::Error(failure.into_error()),
        };
        // Whoever asked may have gone.
        drop(line(&last).map(|line| async move { tell.send(line).await }).map(tokio::spawn));
    });
    let body = Body::from_stream(ReceiverStream::new(lines).map(Ok::<_, std::convert::Infallible>));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

fn line(line: &BacktestLine) -> Option<Bytes> {
    let mut text = serde_json::to_vec(line).ok()?;
    text.push(b'\n');
    Some(text.into())
}

/// Ends a backtest whose caller has gone.
struct Ended(Arc<Control>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// One at a time, so that searches have turns left.
async fn run(api: &Api, request: BacktestRequest, control: Arc<Control>) -> Result<BacktestAnswer, Failure> {
    let turn = tokio::time::timeout(WAIT_MAX, AT_A_TIME.acquire()).await;
    let Ok(Ok(_turn)) = turn else {
        return Err(Failure::overloaded("another backtest is under way; try again when it is done"));
    };
    let runtime = tokio::runtime::Handle::current();
    let answer = in_turn(api, move |api| {
        let in_force = api.rules.get();
        let parts = Parts {
            search: &api.search,
            in_force: &in_force,
            groups: &api.groups,
            evidence: &api.evidence,
            agencies: &api.agencies,
            runtime,
        };
        backtest::run(&parts, &request, now_ns(), &control)
    });
    Ok(answer.await??)
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Period {
    from: Option<String>,
    to: Option<String>,
    sensor: Option<String>,
    agency: Option<String>,
}

impl Period {
    /// The last day when nothing is said.
    fn ends(&self) -> (String, Option<String>) {
        (self.from.clone().unwrap_or_else(|| "now-1d".to_owned()), self.to.clone())
    }

    fn ends_ns(&self) -> Result<(i64, i64), SearchError> {
        let (from, to) = self.ends();
        let now_ns = now_ns();
        Ok((search::moment(&from, now_ns)?, to.map_or(Ok(now_ns), |to| search::moment(&to, now_ns))?))
    }

    fn ask(&self, api: &Api, query: String, limit: u32) -> Result<SearchAnswer, SearchError> {
        let (from, to) = self.ends();
        let request = SearchRequest { query, from: Some(from), to, limit: Some(limit), ..SearchRequest::default() };
        // Of one event it is enough to know that there is one.
        if limit == 1 { api.search.page(&request, now_ns()) } else { api.search.run(&request, now_ns()) }
    }
}

pub(super) async fn visibility(
    State(api): State<Api>,
    Query(period): Query<Period>,
) -> Result<Json<VisibilityAnswer>, Failure> {
    let answer = in_turn(&api, move |api| {
        let mut terms = Vec::new();
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        terms.extend(period.agency.as_deref().map(|agency| format!("organization.id:{}", quoted(agency))));
        terms.extend(period.sensor.as_deref().map(|sensor| format!("observer.name:{}", quoted(sensor))));
        let filter = if terms.is_empty() { "*".to_owned() } else { terms.join(" AND ") };
        let (from_ns, to_ns) = period.ends_ns()?;
        let found = period.ask(&api, format!("{filter} | count by observer.name | top {ROWS_MAX}"), ROWS_MAX)?;
        let rows = found.table.map(|table| table.rows).unwrap_or_default();
        let mut sensors: Vec<SensorVisibility> = Vec::new();
        for row in rows {
            let Some(sensor) = row.first().and_then(|name| name.as_str()) else { continue };
            let visibility = api.ledger.visibility_between(Some(sensor), from_ns, to_ns);
            let events = row.get(1).and_then(serde_json::Value::as_u64).unwrap_or_default();
            sensors.push(SensorVisibility { sensor: sensor.to_owned(), events, visibility });
        }
        // A sensor that was asked for by name has counters even where it told of nothing.
        if let (Some(sensor), true, None) = (&period.sensor, sensors.is_empty(), &period.agency) {
            let visibility = api.ledger.visibility_between(Some(sensor), from_ns, to_ns);
            sensors.push(SensorVisibility { sensor: sensor.clone(), events: 0, visibility });
        }
        let visibility = least(sensors.iter().map(|sensor| sensor.visibility));
        Ok::<_, SearchError>(VisibilityAnswer { visibility, sensors, partial: found.partial })
    });
    Ok(Json(answer.await??))
}

/// The least that was seen of those of which anything is known; lines of other programs have no packets to count.
fn least(all: impl Iterator<Item = Visibility>) -> Visibility {
    all.filter(|one| one.known).fold(Visibility { seen: 0.0, unaccounted: 0, known: false }, |sum, one| Visibility {
        seen: if sum.known { sum.seen.min(one.seen) } else { one.seen },
        unaccounted: sum.unaccounted.saturating_add(one.unaccounted),
        known: true,
    })
}

pub(super) async fn coverage(
    State(api): State<Api>,
    Query(period): Query<Period>,
) -> Result<Json<CoverageAnswer>, Failure> {
    let answer = in_turn(&api, move |api| {
        let started = Instant::now();
        let found =
            period.ask(&api, format!("* | count by organization.id, observer.name | top {ROWS_MAX}"), ROWS_MAX)?;
        let mut seen: BTreeMap<String, (u64, BTreeSet<String>)> = BTreeMap::new();
        for row in found.table.map(|table| table.rows).unwrap_or_default() {
            let [Some(agency), Some(sensor)] = [row.first(), row.get(1)].map(|cell| cell.and_then(|c| c.as_str()))
            else {
                continue;
            };
            let entry = seen.entry(agency.to_owned()).or_default();
            entry.0 += row.get(2).and_then(serde_json::Value::as_u64).unwrap_or_default();
            entry.1.insert(sensor.to_owned());
        }
        let agencies = api.agencies.get();
        let (mut lines, mut not_looked_at) = (Vec::new(), 0);
        for (number, agency) in agencies.list().iter().enumerate() {
            let (events, sensors) = seen.remove(&agency.id).unwrap_or_default();
            let networks = agencies.networks(number);
            let mut unseen = Vec::new();
            for network in &networks {
                if started.elapsed() >= LOOK_MAX {
                    not_looked_at += 1;
                    continue;
                }
                if period.ask(&api, format!("{network}"), 1)?.events.is_empty() {
                    unseen.push(network.to_string());
                }
            }
            let (sensors, networks) = (sensors.into_iter().collect(), networks.len() as u64);
            lines.push(AgencyCoverage { agency: agency.clone(), events, sensors, unseen, networks });
        }
        lines.sort_by_key(|line| (line.events > 0, line.unseen.is_empty()));
        Ok::<_, SearchError>(CoverageAnswer { agencies: lines, not_looked_at, partial: found.partial })
    });
    Ok(Json(answer.await??))
}
