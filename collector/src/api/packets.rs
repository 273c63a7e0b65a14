//! `GET /v1/packets`: the packets of a flow from the sensor that keeps them, as a pcapng file.
//!
//! The answer begins when the sensor's does, so that a reason why there is none comes as an error with its text; a sensor
//! that fails later breaks the answer off, which every client notices. Who asked for what is in the log.

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use luytre_collector_api::{PacketsRequest, SearchRequest};
use luytre_events::CommunityId;
use luytre_events::wire::PacketsWish;

use super::{Api, Failure, search};
use crate::intake::{Answer, Next, PacketsError};
use crate::search::moment;

/// The largest answer where nothing is said, in megabytes.
const LIMIT_DEFAULT_MB: u32 = 32;
/// The largest answer, in megabytes.
const LIMIT_MAX_MB: u32 = 1024;
/// The longest name of whoever asks, in letters.
const BY_MAX: usize = 128;

impl From<PacketsError> for Failure {
    fn from(error: PacketsError) -> Failure {
        let message = error.to_string();
        match error {
            PacketsError::Absent(_) => Failure::new(StatusCode::SERVICE_UNAVAILABLE, "absent", message),
            PacketsError::Busy(_) => Failure::overloaded(message),
            PacketsError::Late(_) => Failure::new(StatusCode::GATEWAY_TIMEOUT, "late", message),
            PacketsError::Failed(..) => Failure::new(StatusCode::BAD_GATEWAY, "failed", message),
        }
    }
}

pub(super) async fn packets(
    State(api): State<Api>,
    request: Result<Query<PacketsRequest>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let wish = wish(&request)?;
    let sensor = match &request.sensor {
        Some(sensor) => sensor.clone(),
        None => seen_by(&api, wish.flow, &request).await?,
    };
    let by: String = request.by.unwrap_or_default().chars().filter(|c| !c.is_control()).take(BY_MAX).collect();
    tracing::info!(by, sensor, flow = %wish.flow, from_ns = wish.from_ns, to_ns = wish.to_ns, "packets are asked for");
    let mut answer = api.packets.ask(&sensor, wish).await?;
    let first = match answer.next().await? {
        Next::Piece(piece) => piece,
        Next::Whole { passed_over, .. } => {
            let mut message =
                format!("sensor {sensor} has no packets of this flow in this time; they may have outlived it");
            if passed_over > 0 {
                message = format!("{message} ({passed_over} parts of its store could not be read)");
            }
            return Err(Failure::not_found(message));
        }
    };
    let state = Stream { first: Some(first), answer, sensor };
    let pieces = futures_util::stream::unfold(Some(state), |state| async move {
        let mut state = state?;
        match state.next().await {
            Ok(Some(piece)) => Some((Ok(piece), Some(state))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-pcapng"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"packets.pcapng\""),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

struct Stream {
    first: Option<Vec<u8>>,
    answer: Answer,
    sensor: String,
}

impl Stream {
    async fn next(&mut self) -> Result<Option<Bytes>, PacketsError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first.into()));
        }
        match self.answer.next().await {
            Ok(Next::Piece(piece)) => Ok(Some(piece.into())),
            Ok(Next::Whole { packets, cut, passed_over }) => {
                tracing::info!(sensor = self.sensor, packets, cut, passed_over, "packets were fetched");
                Ok(None)
            }
            Err(error) => {
                tracing::warn!(%error, "an answer of packets breaks off");
                Err(error)
            }
        }
    }
}

fn wish(request: &PacketsRequest) -> Result<PacketsWish, Failure> {
    let flow: CommunityId = request.flow.parse().map_err(|error| Failure::bad_request(format!("flow: {error}")))?;
    let now_ns = crate::clock::now_ns();
    let at = |text: &Option<String>, open_ns| text.as_ref().map_or(Ok(open_ns), |text| moment(text, now_ns));
    let limit_mb = request.limit_mb.unwrap_or(LIMIT_DEFAULT_MB);
    if limit_mb == 0 || limit_mb > LIMIT_MAX_MB {
        return Err(Failure::bad_request(format!("limit_mb must be 1 to {LIMIT_MAX_MB}")));
    }
    Ok(PacketsWish {
        flow,
        from_ns: at(&request.from, i64::MIN)?,
        to_ns: at(&request.to, i64::MAX)?,
        limit_bytes: u64::from(limit_mb) << 20,
    })
}

/// The sensor with the most events of a flow.
async fn seen_by(api: &Api, flow: CommunityId, request: &PacketsRequest) -> Result<String, Failure> {
    let query = format!("network.community_id:\"{flow}\" | count by observer.name | top 1");
    let (from, to) = (request.from.clone(), request.to.clone());
    let request = SearchRequest { query, from, to, limit: Some(1), ..SearchRequest::default() };
    let answer = search::in_turn(api, move |api| api.search.run(&request, crate::clock::now_ns())).await??;
    let name = answer.table.as_ref().and_then(|table| table.rows.first()?.first()?.as_str());
    let missing = || Failure::not_found(format!("no event of the flow {flow} was found in this time; name the sensor"));
    name.map(str::to_owned).ok_or_else(missing)
}
