//! The console as a running server: routes, the layers around them, the tasks beside them.
//!
//! Outermost first: panics become answers of 500 by closing the connection, security headers on everything, compression,
//! a time limit per answer, a size limit per request, and for `/api` the guard. On a signal it stops taking connections,
//! gives those under way [`GRACE`], and closes the store.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::http::{HeaderValue, StatusCode, header};
use axum::{Router, middleware};
use axum_server::Handle;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::auth::guard;
use crate::notify::{self, Mailer};
use crate::{api, assets, collector, metrics, tls};

/// The largest request body.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The longest time until an answer begins.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long answers under way may take when the program ends.
pub const GRACE: Duration = Duration::from_secs(3);

/// How often accounts that nobody uses are looked for.
const UNUSED_EVERY: Duration = Duration::from_secs(3_600);

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// Nothing may be loaded from elsewhere, framed, or run inline; the component library sets styles inline.
const CONTENT_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Everything that is answered over HTTPS.
pub fn router(app: Arc<App>) -> Router {
    let (routes, _) = api::routes().split_for_parts();
    let api = routes.route_layer(middleware::from_fn_with_state(app.clone(), guard::guard)).layer(
        // Answers about people and alerts are nobody's to keep.
        SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    );
    api.fallback(assets::serve)
        .with_state(app)
        .layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIMEOUT))
        .layer(middleware::from_fn(api::problem::in_our_words))
        .layer(CompressionLayer::new())
        .layer(header_layer(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .layer(header_layer(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_layer(header::X_FRAME_OPTIONS, "DENY"))
        .layer(header_layer(header::REFERRER_POLICY, "no-referrer"))
        .layer(header_layer(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"))
        .layer(header_layer(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(header_layer(
            header::HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        ))
}

fn header_layer(name: header::HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

/// Runs until a signal ends it.
pub async fn run(app: Arc<App>, data: &Path) -> anyhow::Result<()> {
    let listen = app.settings.listen.address;
    let config = tls::server_config(&app.settings.listen, data, &app.public_url)?;
    let socket = std::net::TcpListener::bind(listen)
        .with_context(|| format!("listen on {listen}; is another program there? set listen.address"))?;
    socket.set_nonblocking(true)?;
    let mailer = Mailer::new(&app.settings.mail)?;
    let mut tasks = start_tasks(&app, mailer);
    start_metrics(&app, &mut tasks).await;

    let handle = Handle::new();
    tokio::spawn(stop_on_signal(handle.clone()));
    tracing::info!(address = %app.public_url, "the console is ready");
    if let Some(head) = app.store.chain_state().await?.head {
        // The journal is another place than the database: a head in it shows later that nothing before was rewritten.
        tracing::info!(head = %format!("{}:{}", head.number, head.digest), "the audit log goes on");
    }
    crate::setup::announce(&app).await?;
    let mut server = axum_server::from_tcp_rustls(socket, config)?.handle(handle);
    server.http_builder().http1().timer(hyper_util::rt::TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    server.http_builder().http2().max_concurrent_streams(128);
    let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let served = server.serve(service).await.context("serve the console");
    tasks.shutdown().await;
    app.store.close().await;
    served
}

/// The tasks beside the server: alerts in, an eye on the collector, mails out.
pub fn start_tasks(app: &Arc<App>, mailer: Option<Mailer>) -> tokio::task::JoinSet<()> {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(collector::stream::follow(app.clone()));
    tasks.spawn(collector::watch::watch(app.clone()));
    tasks.spawn(notify::keep_telling(app.clone()));
    tasks.spawn(notify::agency::keep(app.clone()));
    tasks.spawn(shut_unused(app.clone()));
    if let Some(mailer) = mailer {
        tasks.spawn(notify::send_queued(app.clone(), mailer));
    }
    tasks
}

/// Shuts accounts that nobody uses, as the policy wants.
async fn shut_unused(app: Arc<App>) {
    let mut turns = tokio::time::interval(UNUSED_EVERY);
    loop {
        turns.tick().await;
        match app.store.shut_unused(app.profile.unused_days).await {
            Ok(0) => {}
            Ok(shut) => tracing::info!(shut, days = app.profile.unused_days, "shut accounts that nobody used"),
            Err(error) => tracing::warn!(%error, "shut unused accounts"),
        }
    }
}

/// The page of figures; the console works without it.
async fn start_metrics(app: &Arc<App>, tasks: &mut tokio::task::JoinSet<()>) {
    let Some(address) = app.settings.metrics.address else { return };
    match tokio::net::TcpListener::bind(address).await {
        Ok(listener) => {
            let router = metrics::router(app.clone());
            tasks.spawn(async move {
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::warn!(%error, "serve figures");
                }
            });
        }
        Err(error) => tracing::warn!(%error, %address, "figures are not served; set metrics.address"),
    }
}

async fn stop_on_signal(handle: Handle<SocketAddr>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    tracing::info!("stopping");
    handle.graceful_shutdown(Some(GRACE));
}
