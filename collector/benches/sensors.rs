//! Many sensors that all connect at once, as after a power failure: how long until each is heard, and what it costs.
//!
//! `cargo bench -p luytre-collector --bench sensors -- [SENSORS]` enrols that many in a fleet, starts the real collector on it,
//! and lets all of them connect at the same moment, each with a certificate of its own and over TLS: from an address each, then
//! all from one, as behind a router that translates. Each hands three events over, waits for the acknowledgement and stays
//! connected until all have theirs. Who is turned away tries again, a little later each time, as the sensor's uplink does.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use luytre_collector::client::Client;
use luytre_collector::fleet::{Fleet, FleetSettings};
use luytre_collector_api::{DoorLine, Health};
use luytre_events::token::EnrolmentToken;
use luytre_events::wire::{self, Batch, COLLECTOR_NAME, CollectorFrame, PROTOCOL_VERSION, SensorFrame};
use luytre_events::{Catalogue, DatasetId, Event, EventId};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpSocket;
use tokio_util::bytes::Bytes;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// Between two tries of a sensor, more each time.
const AGAIN: Duration = Duration::from_millis(50);

/// A sensor's way to connect.
struct Sensor {
    config: Arc<rustls::ClientConfig>,
    from: SocketAddr,
    /// The first number of its next three events.
    next: u64,
}

fn enrolled(fleet: &Fleet, number: usize) -> anyhow::Result<Arc<rustls::ClientConfig>> {
    let token: EnrolmentToken = fleet.create_token(&format!("s{number}"))?.token.parse()?;
    let key = rcgen::KeyPair::generate()?;
    let request = rcgen::CertificateParams::default().serialize_request(&key)?.pem()?;
    let issued = fleet.enroll(&token.secret_text(), &request)?;
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).context("a certificate");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der(&issued.authority_pem)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config =
        config.with_root_certificates(roots).with_client_auth_cert(vec![der(&issued.certificate_pem)?], key)?;
    Ok(Arc::new(config))
}

fn batch(first: u64) -> anyhow::Result<Batch> {
    let event = |sequence| Event {
        id: EventId { sensor: "".into(), sequence },
        time_ns: 1_795_305_600_000_000_000,
        dataset: DatasetId(0),
        flow: None,
        fields: Vec::new(),
    };
    Batch::pack(&(first..first + 3).map(event).collect::<Vec<_>>())?.context("no events")
}

type Talk = Framed<tokio_rustls::client::TlsStream<tokio::net::TcpStream>, LengthDelimitedCodec>;

/// One try: connects, hands its events over, and stays.
async fn deliver(sensor: &Sensor, intake: SocketAddr) -> anyhow::Result<Talk> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(sensor.from)?;
    let tcp = socket.connect(intake).await?;
    let name = ServerName::try_from(COLLECTOR_NAME)?;
    let tls = tokio_rustls::TlsConnector::from(sensor.config.clone()).connect(name, tcp).await?;
    let mut talk =
        Framed::new(tls, LengthDelimitedCodec::builder().max_frame_length(wire::FRAME_MAX_BYTES).new_codec());
    let catalogue_digest = Catalogue::current().digest();
    let (version, program, time_ns, run_first) = (PROTOCOL_VERSION, "bench".to_owned(), 0, sensor.next);
    say(&mut talk, &SensorFrame::Hello { version, program, catalogue_digest, time_ns, run_first }).await?;
    loop {
        let frame = talk.next().await.context("the collector hung up")??;
        match wire::decode(&frame)? {
            CollectorFrame::Welcome { need_catalogue, .. } => {
                if need_catalogue {
                    say(&mut talk, &SensorFrame::Catalogue { json: Catalogue::current().to_json() }).await?;
                }
                say(&mut talk, &SensorFrame::Batch(batch(sensor.next)?)).await?;
            }
            CollectorFrame::Ack { .. } => return Ok(talk),
            CollectorFrame::Refused { reason } => anyhow::bail!(reason),
            _ => {}
        }
    }
}

async fn say(talk: &mut Talk, frame: &SensorFrame) -> anyhow::Result<()> {
    Ok(talk.send(Bytes::from(wire::encode(frame)?)).await?)
}

/// Lets all come at once; tells how long it took.
async fn storm(what: &str, sensors: &mut Vec<Sensor>, intake: SocketAddr) -> anyhow::Result<Vec<Talk>> {
    let began = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for mut sensor in std::mem::take(sensors) {
        all.spawn(async move {
            for attempt in 1_u32.. {
                match deliver(&sensor, intake).await {
                    Ok(talk) => {
                        sensor.next += 3;
                        return Ok((began.elapsed(), attempt, sensor, talk));
                    }
                    Err(error) if began.elapsed() > PATIENCE => return Err(error),
                    Err(_) => tokio::time::sleep(AGAIN * attempt).await,
                }
            }
            anyhow::bail!("never heard")
        });
    }
    let (mut took, mut again, mut talks) = (Vec::new(), 0, Vec::new());
    while let Some(done) = all.join_next().await {
        let (after, attempts, sensor, talk) = done??;
        took.push(after);
        again += usize::from(attempts > 1);
        sensors.push(sensor);
        talks.push(talk);
    }
    took.sort();
    let share = |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)));
    let shown = |percent| share(percent).map_or(0.0, Duration::as_secs_f64);
    println!(
        "{what}: {} sensors, half heard after {:.1} s, 95 of 100 after {:.1} s, all after {:.1} s; {again} had to try again",
        took.len(),
        shown(50),
        shown(95),
        shown(100)
    );
    Ok(talks)
}

/// Resident memory now and at its highest, and CPU seconds, of a process.
fn usage(process: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim().to_owned();
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let ticks = |n: usize| stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(n)?.parse::<f64>().ok());
    let seconds = (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0;
    format!("collector: {} resident, {} at most, {seconds:.1} CPU seconds", line("VmRSS:"), line("VmHWM:"))
}

/// The collector, ended with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn start(data: &Path, intake: SocketAddr) -> anyhow::Result<(Running, Client)> {
    let config = data.join("collector.toml");
    std::fs::write(
        &config,
        format!(
            "rules = []\n[intake]\nlisten = \"{intake}\"\nconnections = 100000\n[api]\nmetrics = \"127.0.0.1:0\"\n"
        ),
    )?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_luytre-collector"));
    let child =
        command.args(["run", "--config"]).arg(&config).arg("--data").arg(data).stderr(std::process::Stdio::null());
    let running = Running(child.spawn()?);
    let client = Client::new(&data.join("api.sock"));
    let began = Instant::now();
    while client.get::<Health>("/v1/health").await.is_err() {
        ensure!(began.elapsed() < PATIENCE, "the collector does not answer");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok((running, client))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let count: usize = wanted.first().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let folder = tempfile::tempdir()?;
    let fleet = Fleet::open(&folder.path().join("fleet"), &FleetSettings::default())?;
    let began = Instant::now();
    let mut sensors = Vec::new();
    for number in 0..count {
        let [.., high, low] = u32::try_from(number)?.to_be_bytes();
        let from = SocketAddr::from(([127, 10, high, low], 0));
        sensors.push(Sensor { config: enrolled(&fleet, number)?, from, next: 1 });
    }
    println!("enrolled {count} sensors in {:.1} s", began.elapsed().as_secs_f64());
    let intake = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (running, client) = start(folder.path(), intake).await?;
    println!("{}", usage(running.0.id()));
    let talks = storm("an address each", &mut sensors, intake).await?;
    println!("{}", usage(running.0.id()));
    drop(talks);
    sensors.iter_mut().for_each(|sensor| sensor.from = SocketAddr::from(([127, 0, 0, 1], 0)));
    let _talks = storm("one address", &mut sensors, intake).await?;
    println!("{}", usage(running.0.id()));
    for door in client.get::<Vec<DoorLine>>("/v1/doors").await? {
        println!("{}: {} let in, refused {:?}", door.name, door.admitted, door.refused);
    }
    let wanted = 6 * count as u64;
    let began = Instant::now();
    loop {
        let health: Health = client.get("/v1/health").await?;
        if health.indexed_events == wanted && health.index_lag_events == 0 {
            println!("all {wanted} events can be found");
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "{} of {wanted} events can be found", health.indexed_events);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
