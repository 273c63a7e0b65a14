//! The live stream: server-sent events.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::live::{Following, LiveEvent};
use crate::model::VisibilityNow;
use crate::store::reach::Reach;

/// How often it is looked whether the session still stands.
const SESSION_CHECK: Duration = Duration::from_secs(20);

/// How often a quiet stream gives a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many events wait for a slow connection before it is cut off.
const WAITING: usize = 64;

/// How long a connection may refuse to take anything.
const STUCK: Duration = Duration::from_secs(20);

/// What the stream is made of.
type Sender = mpsc::Sender<Result<Event, std::convert::Infallible>>;

/// Who follows.
struct Who {
    session: String,
    user_id: String,
    /// The agencies within reach; everything where they are missing.
    within: Option<Vec<String>>,
}

/// Server-sent events: `alert` and `alert_changed` (AlertRow), `alerts_changed` (AlertsChanged), `case_changed` (CaseChanged), `visibility`
/// (VisibilityNow), `resync` (nothing: what was missed is gone, load everything again). `Last-Event-ID` resumes.
#[utoipa::path(get, path = "/api/v1/live", tag = "live",
    params(("Last-Event-ID" = Option<String>, Header, description = "The last event that was received")),
    responses((status = 200, description = "The stream", content_type = "text/event-stream", body = String),
        (status = "default", body = ProblemBody)))]
pub async fn follow_live(State(app): State<Arc<App>>, caller: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let place = app.live.places.clone().try_acquire_owned().map_err(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_followers", "too many pages are open; try again later")
    })?;
    let last_id = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let following = app.live.follow(last_id);
    let newest = app.live.newest();
    let within = app.store.within(&caller.reach()).await?;
    let visibility = seen_by(app.watched.borrow().visibility.clone(), within.as_deref());
    let (sender, receiver) = mpsc::channel(WAITING);
    let first = Event::default().event("visibility").id(app.live.id_of(newest));
    let first = first.json_data(&visibility).map_err(|e| Problem::internal(&e))?;
    let who = Who { session: caller.session, user_id: caller.user.id, within };
    tokio::spawn(feed(app, who, following, first, sender, place));
    let mut response =
        Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    // Proxies must not hold it back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Feeds one follower until they leave, their session ends, or they are too slow.
async fn feed(
    app: Arc<App>,
    mut who: Who,
    mut following: Following,
    first: Event,
    sender: Sender,
    _place: OwnedSemaphorePermit,
) {
    if following.resync && !send(&sender, Event::default().event("resync").data("{}")).await {
        return;
    }
    let missed = std::mem::take(&mut following.missed);
    for event in missed {
        if let Some(event) = told(&app, &event, &who)
            && !send(&sender, event).await
        {
            return;
        }
    }
    if !send(&sender, first).await {
        return;
    }
    let mut checks = tokio::time::interval(SESSION_CHECK);
    loop {
        let event = tokio::select! {
            event = following.receiver.recv() => event,
            () = sender.closed() => return,
            _ = checks.tick() => {
                let Ok(Some(session)) = app.store.session(&who.session, app.session_life(), false).await else { return };
                // The tree may have changed meanwhile.
                let Ok(within) = app.store.within(&Reach::of(&session.user)).await else { return };
                who.within = within;
                continue;
            }
        };
        match event {
            Ok(event) => {
                if let Some(event) = told(&app, &event, &who)
                    && !send(&sender, event).await
                {
                    app.metrics.live_cut_off.add(1);
                    return;
                }
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {
                app.metrics.live_cut_off.add(1);
                return;
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// What a follower is told of an event; nothing where it is not for them.
fn told(app: &App, event: &LiveEvent, who: &Who) -> Option<Event> {
    let within = who.within.as_deref();
    let id = app.live.id_of(event.number);
    if event.is_for(&who.user_id, within) {
        return Some(Event::default().event(event.name).id(id).data(&event.data));
    }
    match event.name {
        // Some of the many alerts may be theirs: they look again at what they may see.
        "alerts_changed" => Some(Event::default().event("resync").id(id).data("{}")),
        "visibility" => {
            let visibility = seen_by(serde_json::from_str(&event.data).ok()?, within);
            Event::default().event(event.name).id(id).json_data(&visibility).ok()
        }
        _ => None,
    }
}

/// The bar at the top without the names of sensors, which belong to others too.
fn seen_by(mut visibility: VisibilityNow, within: Option<&[String]>) -> VisibilityNow {
    if within.is_some() {
        visibility.sensors.clear();
    }
    visibility
}

/// False when the follower has left or takes nothing any more.
async fn send(sender: &Sender, event: Event) -> bool {
    matches!(tokio::time::timeout(STUCK, sender.send(Ok(event))).await, Ok(Ok(())))
}
