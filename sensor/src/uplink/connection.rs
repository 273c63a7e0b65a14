//! One connection after the other: greeting, batches out, acknowledgements and wishes in.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use futures_util::{SinkExt, StreamExt as _};
use luytre_events::Catalogue;
use luytre_events::wire::{self, CollectorFrame, FILE_MAX_BYTES, FRAME_MAX_BYTES, PROTOCOL_VERSION, SensorFrame};
use rcgen::KeyPair;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_rustls::client::TlsStream;
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::packets::Answers;
use super::{Identity, Source, UplinkSettings, identity, tls};
use crate::spool::SpoolReader;

/// How often a sign of life is asked for.
const PING_EVERY: Duration = Duration::from_secs(15);
/// How often the certificate's age is looked at.
const RENEWAL_EVERY: Duration = Duration::from_secs(6 * 3600);
/// A collector that has said nothing for this long is given up.
const SILENCE: Duration = Duration::from_secs(50);
/// How long a greeting or the sending of one frame may take.
const PATIENCE: Duration = Duration::from_secs(30);

type Frames = Framed<TlsStream<TcpStream>, LengthDelimitedCodec>;

/// How a conversation ended well.
pub(super) enum Ended {
    /// It was time to stop, and everything that could be brought in time was.
    Stopped,
    /// The collector does not want us, for this reason.
    Refused(String),
}

/// The way to the collector, over all connections.
pub(super) struct Link {
    settings: UplinkSettings,
    collector: String,
    data: PathBuf,
    identity: Identity,
    tls: Arc<ClientConfig>,
    /// The key of a certificate that was asked for.
    next_key: Option<KeyPair>,
    spool: SpoolReader,
    source: Arc<dyn Source>,
    /// Last numbers of batches on the way, in order.
    on_the_way: VecDeque<u64>,
    greeted: bool,
}

impl Link {
    pub(super) fn new(
        settings: UplinkSettings,
        data: &Path,
        identity: Identity,
        spool: SpoolReader,
        source: Arc<dyn Source>,
    ) -> anyhow::Result<Link> {
        let collector = match settings.collector.as_str() {
            "" => identity.enrolment.collector.clone(),
            configured => configured.to_owned(),
        };
        let tls = Arc::new(tls::enrolled(&identity)?);
        Ok(Link {
            settings,
            collector,
            data: data.to_owned(),
            identity,
            tls,
            next_key: None,
            spool,
            source,
            on_the_way: VecDeque::new(),
            greeted: false,
        })
    }

    /// Where it goes.
    pub(super) fn collector(&self) -> &str {
        &self.collector
    }

    /// Whether the last conversation got as far as a welcome.
    pub(super) fn greeted(&self) -> bool {
        self.greeted
    }

    /// Connects and talks until the connection breaks, the collector refuses, or it is time to stop.
    pub(super) async fn talk(&mut self, stop: &mut watch::Receiver<bool>) -> anyhow::Result<Ended> {
        self.greeted = false;
        self.on_the_way.clear();
        let mut frames = match self.connect(stop).await? {
            Some(frames) => frames,
            None => return Ok(Ended::Stopped),
        };
        if let Some(refused) = self.greet(&mut frames).await? {
            return Ok(refused);
        }
        self.greeted = true;
        tracing::info!(collector = self.collector, "connected to the collector");
        self.converse(&mut frames, stop).await
    }

    /// Connects; nothing when it was time to stop and the collector is not there.
    async fn connect(&self, stop: &mut watch::Receiver<bool>) -> anyhow::Result<Option<Frames>> {
        let drain = Duration::from_secs(self.settings.drain_s);
        let stream = tokio::select! {
            stream = tls::connect(&self.collector, self.tls.clone()) => stream?,
            () = async { stopped(stop).await; tokio::time::sleep(drain).await } => return Ok(None),
        };
        let codec = LengthDelimitedCodec::builder().max_frame_length(FRAME_MAX_BYTES).new_codec();
        Ok(Some(Framed::new(stream, codec)))
    }

    async fn greet(&mut self, frames: &mut Frames) -> anyhow::Result<Option<Ended>> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let hello = SensorFrame::Hello {
            version: PROTOCOL_VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            catalogue_digest: Catalogue::current().digest(),
            time_ns: i64::try_from(now.as_nanos()).unwrap_or(i64::MAX),
            run_first: self.spool.run_first(),
        };
        send(frames, &hello).await?;
        let answer = tokio::time::timeout(PATIENCE, frames.next()).await.context("the collector does not greet")?;
        match decode(answer)? {
            CollectorFrame::Welcome { acknowledged, need_catalogue } => {
                self.spool.resume(acknowledged);
                if need_catalogue {
                    send(frames, &SensorFrame::Catalogue { json: Catalogue::current().to_json() }).await?;
                }
                Ok(None)
            }
            CollectorFrame::Refused { reason } => Ok(Some(Ended::Refused(reason))),
            _ => bail!("the collector greets with something else; are both of the same release?"),
        }
    }

    /// Asks for the next certificate when the present one will lapse soon.
    async fn ask_for_renewal(&mut self, frames: &mut Frames) -> anyhow::Result<()> {
        let days_left = self.identity.days_left()?;
        if days_left >= self.settings.renew_days {
            return Ok(());
        }
        let key = KeyPair::generate().context("make a key")?;
        let csr_pem = identity::request(&key)?;
        self.next_key = Some(key);
        send(frames, &SensorFrame::Renew { csr_pem }).await
    }

    /// Uses a new certificate from the next connection on.
    fn renewed(&mut self, certificate_pem: String) -> anyhow::Result<()> {
        let key = self.next_key.take().context("the collector sent a certificate that nobody asked for")?;
        let identity = Identity { certificate_pem, key_pem: key.serialize_pem(), ..self.identity.clone() };
        self.tls = Arc::new(tls::enrolled(&identity)?);
        identity.store(&self.data).with_context(|| format!("store the new certificate in {}", self.data.display()))?;
        self.identity = identity;
        tracing::info!("the sensor's certificate was renewed");
        Ok(())
    }

    async fn converse(&mut self, frames: &mut Frames, stop: &mut watch::Receiver<bool>) -> anyhow::Result<Ended> {
        let mut ledger = tokio::time::interval(Duration::from_secs(self.settings.ledger_s.max(1)));
        ledger.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewal = tokio::time::interval(RENEWAL_EVERY);
        let mut heard = Instant::now();
        let (mut answers, mut ready) = Answers::new(self.source.clone());
        let mut drained_by: Option<Instant> = None;
        loop {
            let more = self.fill(frames).await?;
            if let Some(deadline) = drained_by
                && (self.spool.drained() || Instant::now() >= deadline)
            {
                // The last word: what the collector will compare its journal with.
                send(frames, &SensorFrame::Ledger(self.source.snapshot())).await?;
                SinkExt::<Bytes>::close(frames).await.map_err(tls::explained)?;
                return Ok(Ended::Stopped);
            }
            tokio::select! {
                answer = frames.next() => {
                    heard = Instant::now();
                    if let Some(ended) = self.hear(frames, &mut answers, decode(answer)?).await? {
                        return Ok(ended);
                    }
                }
                Some(frame) = ready.recv() => {
                    if let SensorFrame::PacketsEnd { request, .. } = &frame {
                        answers.end(*request);
                    }
                    send(frames, &frame).await?;
                }
                () = self.spool.readable(), if !more => {}
                _ = ledger.tick() => send(frames, &SensorFrame::Ledger(self.source.snapshot())).await?,
                _ = renewal.tick() => self.ask_for_renewal(frames).await?,
                _ = ping.tick() => send(frames, &SensorFrame::Ping).await?,
                () = tokio::time::sleep_until(heard + SILENCE) => bail!("the collector has gone silent"),
                () = stopped(stop), if drained_by.is_none() => {
                    drained_by = Some(Instant::now() + Duration::from_secs(self.settings.drain_s));
                }
                () = tokio::time::sleep_until(drained_by.unwrap_or(heard)), if drained_by.is_some() => {}
            }
        }
    }

    /// Sends batches until the window is full or the spool is empty. Says whether the window is full.
    async fn fill(&mut self, frames: &mut Frames) -> anyhow::Result<bool> {
        while self.on_the_way.len() < self.settings.window.max(1) {
            let Some(batch) = self.spool.next().context("read the spool")? else { return Ok(false) };
            self.on_the_way.push_back(batch.last);
            send(frames, &SensorFrame::Batch(batch)).await?;
        }
        Ok(true)
    }

    async fn hear(
        &mut self,
        frames: &mut Frames,
        answers: &mut Answers,
        frame: CollectorFrame,
    ) -> anyhow::Result<Option<Ended>> {
        match frame {
            CollectorFrame::Ack { sequence } => {
                self.spool.acknowledge(sequence);
                while self.on_the_way.front().is_some_and(|last| *last <= sequence) {
                    self.on_the_way.pop_front();
                }
            }
            CollectorFrame::WantFile { sha256 } => {
                let source = self.source.clone();
                let content = tokio::task::spawn_blocking(move || source.file(&sha256)).await?;
                let content = content.filter(|content| content.len() <= FILE_MAX_BYTES);
                send(frames, &SensorFrame::File { sha256, content }).await?;
            }
            CollectorFrame::WantPackets { request, wish } => {
                if let Some(refusal) = answers.begin(request, wish) {
                    send(frames, &refusal).await?;
                }
            }
            CollectorFrame::MorePackets { request } => answers.more(request),
            CollectorFrame::EnoughPackets { request } => answers.end(request),
            CollectorFrame::Refused { reason } => return Ok(Some(Ended::Refused(reason))),
            CollectorFrame::Renewed { certificate_pem } => self.renewed(certificate_pem)?,
            CollectorFrame::Pong => {}
            CollectorFrame::Welcome { .. } | CollectorFrame::Enrolled { .. } => {
                bail!("the collector speaks out of turn")
            }
        }
        Ok(None)
    }
}

/// Returns when it is time to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn send(frames: &mut Frames, frame: &SensorFrame) -> anyhow::Result<()> {
    let bytes = Bytes::from(wire::encode(frame)?);
    let sent = tokio::time::timeout(PATIENCE, frames.send(bytes)).await.context("the collector does not read")?;
    sent.map_err(tls::explained)
}

fn decode(answer: Option<std::io::Result<BytesMut>>) -> anyhow::Result<CollectorFrame> {
    let bytes = answer.context("the collector hung up")?.map_err(tls::explained)?;
    Ok(wire::decode(&bytes)?)
}
