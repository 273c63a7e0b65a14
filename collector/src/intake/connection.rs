//! One connected sensor: greeting, batches, counters, files.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::stream::{FuturesOrdered, SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use luytre_events::wire::{
    self, Batch, CollectorFrame, FILE_MAX_BYTES, FRAME_MAX_BYTES, PROTOCOL_VERSION, SensorFrame, Translation,
};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::server::TlsStream;
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::files::Wish;
use super::packets::{Answers, Word};
use super::{Ended, Hall, WINDOW};
use crate::fleet::{Admission, now_ns};
use crate::journal::{Incoming, JournalError};

type Frames = Framed<TlsStream<TcpStream>, LengthDelimitedCodec>;

/// How often a running connection is checked for having been revoked by another program.
const ADMISSION_CHECK: Duration = Duration::from_secs(10);

/// The sending half, and how long one frame may take.
struct Sink(SplitSink<Frames, Bytes>, Duration);

impl Sink {
    async fn send(&mut self, frame: &CollectorFrame) -> anyhow::Result<()> {
        let bytes = Bytes::from(wire::encode(frame)?);
        let sent = tokio::time::timeout(self.1, self.0.send(bytes)).await;
        sent.map_err(|_| Ended::new("does_not_read", "the sensor does not read what it is told"))??;
        Ok(())
    }

    /// Says why and ends the conversation.
    async fn refuse(&mut self, reason: String) -> anyhow::Error {
        let refused = CollectorFrame::Refused { reason: reason.clone() };
        // The reason reaches our own log in any case.
        let _ = self.send(&refused).await;
        let _ = tokio::time::timeout(self.1, self.0.close()).await;
        Ended::new("refused", format!("refused: {reason}")).into()
    }
}

/// Who waits for the content of a file, or for word that there is none.
type Asker = oneshot::Sender<Option<Vec<u8>>>;

/// An enrolled sensor's conversation.
struct Talk<'a> {
    hall: &'a Hall,
    sensor: Arc<str>,
    sink: Sink,
    digest: [u8; 32],
    run_first: u64,
    translation: Arc<Translation>,
    /// Answers of the journal that are still to come, in order.
    pending: FuturesOrdered<oneshot::Receiver<Result<u64, JournalError>>>,
    /// Files that the sensor was asked for.
    wishes: HashMap<[u8; 32], Vec<Asker>>,
    /// Packets that the sensor was asked for.
    answers: Answers,
}

pub(super) async fn serve(
    stream: TlsStream<TcpStream>,
    certificate: &[u8],
    peer: SocketAddr,
    hall: &Hall,
) -> anyhow::Result<()> {
    let codec = LengthDelimitedCodec::builder().max_frame_length(FRAME_MAX_BYTES).new_codec();
    let (sink, mut frames) = Framed::new(stream, codec).split();
    let mut sink = Sink(sink, hall.settings.patience());
    let sensor = match hall.fleet.admit(certificate) {
        Admission::Sensor(sensor) => sensor,
        Admission::Refused(reason) => return Err(sink.refuse(reason).await),
    };
    let mut connected = hall.fleet.connected(&sensor);
    // The newest connection of a sensor is the one, also while those before have not said a word.
    let mut talk = tokio::select! {
        biased;
        () = connected.ended() => {
            return Err(Ended::new("newer", format!("a newer connection of sensor {sensor} has taken over")).into());
        }
        greeted = greet(sink, &mut frames, sensor.clone(), hall) => greeted?,
    };
    tracing::info!(sensor = %sensor, %peer, "a sensor is connected");
    let mut wishes = hall.files.listen(&sensor);
    let mut words = hall.packets.listen(&sensor);
    let ended = talk.run(&mut frames, (&mut wishes, &mut words), &mut connected, certificate).await;
    drop((wishes, words));
    hall.files.tidy();
    hall.packets.tidy();
    tracing::info!(sensor = %sensor, %peer, "a sensor is gone");
    ended.with_context(|| format!("sensor {sensor}"))
}

async fn read(frames: &mut SplitStream<Frames>, patience: Duration) -> anyhow::Result<Option<SensorFrame>> {
    let next = tokio::time::timeout(patience, frames.next()).await;
    decode(next.map_err(|_| Ended::new("silent", "it has said nothing since it connected"))?)
}

fn decode(next: Option<std::io::Result<BytesMut>>) -> anyhow::Result<Option<SensorFrame>> {
    Ok(match next {
        Some(bytes) => Some(wire::decode(&bytes?)?),
        None => None,
    })
}

/// The greeting: who it is, how it numbers its fields, where it goes on.
async fn greet<'a>(
    mut sink: Sink,
    frames: &mut SplitStream<Frames>,
    sensor: Arc<str>,
    hall: &'a Hall,
) -> anyhow::Result<Talk<'a>> {
    let Some(SensorFrame::Hello { version, program, catalogue_digest, time_ns, run_first }) =
        read(frames, hall.settings.patience()).await?
    else {
        return Err(sink.refuse("an enrolled sensor begins with a greeting".into()).await);
    };
    if version != PROTOCOL_VERSION {
        let reason = format!(
            "this collector speaks version {PROTOCOL_VERSION} of the protocol, the sensor version {version}: \
             bring both to the same release"
        );
        return Err(sink.refuse(reason).await);
    }
    let skew_ms = time_ns.saturating_sub(now_ns()) / 1_000_000;
    hall.fleet.seen(&sensor, &program, skew_ms);
    let catalogues = hall.fleet.catalogues();
    let need_catalogue = !catalogues.stored(&catalogue_digest);
    let acknowledged = hall.journal.durable(&sensor);
    sink.send(&CollectorFrame::Welcome { acknowledged, need_catalogue }).await?;
    if need_catalogue {
        let Some(SensorFrame::Catalogue { json }) = read(frames, hall.settings.patience()).await? else {
            return Err(sink.refuse("the catalogue was asked for and did not come".into()).await);
        };
        if let Err(reason) = catalogues.learn(&catalogue_digest, &json) {
            return Err(sink.refuse(format!("the catalogue cannot be used: {reason}")).await);
        }
    }
    let Some(translation) = catalogues.translation(&catalogue_digest) else {
        return Err(sink.refuse("the catalogue cannot be read".into()).await);
    };
    let pending = FuturesOrdered::new();
    let (wishes, answers) = (HashMap::new(), Answers::default());
    Ok(Talk { hall, sensor, sink, digest: catalogue_digest, run_first, translation, pending, wishes, answers })
}

impl Talk<'_> {
    async fn run(
        &mut self,
        frames: &mut SplitStream<Frames>,
        (wishes, words): (&mut mpsc::Receiver<Wish>, &mut mpsc::Receiver<Word>),
        connected: &mut crate::fleet::Connected,
        certificate: &[u8],
    ) -> anyhow::Result<()> {
        let silence = Duration::from_secs(self.hall.settings.silence_s.max(1));
        let mut deadline = tokio::time::Instant::now() + silence;
        let mut admission = tokio::time::interval(ADMISSION_CHECK);
        loop {
            let room = self.pending.len() < WINDOW;
            tokio::select! {
                // In this order, so that nothing is taken from a sensor after it was revoked.
                biased;
                () = connected.ended() => return Err(self.sink.refuse(self.why_ended(certificate)).await),
                _ = admission.tick() => {
                    if let Admission::Refused(reason) = self.hall.fleet.admit(certificate) {
                        return Err(self.sink.refuse(reason).await);
                    }
                }
                Some(answer) = self.pending.next() => self.acknowledge(answer).await?,
                Some(wish) = wishes.recv() => self.ask(wish).await?,
                Some(word) = words.recv() => self.ask_for_packets(word).await?,
                next = frames.next(), if room => {
                    let Some(frame) = decode(next)? else { return Ok(()) };
                    deadline = tokio::time::Instant::now() + silence;
                    connected.heard();
                    self.hear(frame, certificate).await?;
                }
                // While its own batches wait for the disk the sensor is not read, so it cannot be called silent.
                () = tokio::time::sleep_until(deadline), if room => {
                    return Err(Ended::new("silent", "it has gone silent").into());
                }
            }
        }
    }

    fn why_ended(&self, certificate: &[u8]) -> String {
        match self.hall.fleet.admit(certificate) {
            Admission::Refused(reason) => reason,
            Admission::Sensor(name) => format!("a newer connection of sensor {name} has taken over"),
        }
    }

    async fn hear(&mut self, frame: SensorFrame, certificate: &[u8]) -> anyhow::Result<()> {
        match frame {
            SensorFrame::Batch(batch) => self.take(batch).await,
            SensorFrame::Ledger(snapshot) => {
                let totals = self.hall.journal.totals(&self.sensor);
                let run_events = if totals.run_first == self.run_first { totals.run_events } else { 0 };
                self.hall.ledger.hear(&self.sensor, snapshot, run_events);
                Ok(())
            }
            SensorFrame::File { sha256, content } => {
                self.deliver(sha256, content);
                Ok(())
            }
            SensorFrame::Packets { request, piece } => {
                if self.answers.piece(request, piece) {
                    return Ok(());
                }
                self.sink.send(&CollectorFrame::EnoughPackets { request }).await
            }
            SensorFrame::PacketsEnd { request, end } => {
                self.answers.end(request, end);
                Ok(())
            }
            SensorFrame::Ping => self.sink.send(&CollectorFrame::Pong).await,
            SensorFrame::Renew { csr_pem } => match self.hall.fleet.renew(certificate, &csr_pem) {
                Ok(certificate_pem) => self.sink.send(&CollectorFrame::Renewed { certificate_pem }).await,
                Err(error) => Err(self.sink.refuse(error.to_string()).await),
            },
            SensorFrame::Catalogue { .. } | SensorFrame::Hello { .. } | SensorFrame::Enroll { .. } => {
                Err(self.sink.refuse("out of turn: the greeting is over".into()).await)
            }
        }
    }

    /// Checks a batch and hands it to the journal.
    async fn take(&mut self, batch: Batch) -> anyhow::Result<()> {
        // Whatever is in the journal can be read back: a batch that cannot is refused here.
        if let Err(error) = batch.unpack(&self.sensor, &self.translation) {
            let error = anyhow::Error::new(error);
            return Err(self.sink.refuse(format!("a batch cannot be read: {error:#}")).await);
        }
        let incoming = Incoming {
            sensor: self.sensor.clone(),
            digest: self.digest,
            received_ns: now_ns(),
            run_first: self.run_first,
            batch,
        };
        self.pending.push_back(self.hall.journal.submit(incoming).await);
        Ok(())
    }

    async fn acknowledge(
        &mut self,
        answer: Result<Result<u64, JournalError>, oneshot::error::RecvError>,
    ) -> anyhow::Result<()> {
        match answer {
            Ok(Ok(sequence)) => self.sink.send(&CollectorFrame::Ack { sequence }).await,
            Ok(Err(error @ JournalError::Overlap { .. })) => Err(self.sink.refuse(error.to_string()).await),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(JournalError::Closed.into()),
        }
    }

    async fn ask(&mut self, wish: Wish) -> anyhow::Result<()> {
        let Wish { sha256, answer } = wish;
        // Whoever asked and has given up since makes room.
        self.wishes.retain(|_, asked| {
            asked.retain(|answer| !answer.is_closed());
            !asked.is_empty()
        });
        let asked = self.wishes.entry(sha256).or_default();
        asked.push(answer);
        if asked.len() > 1 {
            return Ok(());
        }
        self.sink.send(&CollectorFrame::WantFile { sha256 }).await
    }

    async fn ask_for_packets(&mut self, word: Word) -> anyhow::Result<()> {
        for request in self.answers.forget_abandoned() {
            self.sink.send(&CollectorFrame::EnoughPackets { request }).await?;
        }
        match word {
            Word::Want { wish, answer } => match self.answers.begin(answer) {
                Some(request) => self.sink.send(&CollectorFrame::WantPackets { request, wish }).await,
                None => Ok(()),
            },
            Word::More(request) if self.answers.is_open(request) => {
                self.sink.send(&CollectorFrame::MorePackets { request }).await
            }
            Word::More(_) => Ok(()),
        }
    }

    /// A file that was asked for. Content that is not what its digest says is as good as none.
    fn deliver(&mut self, sha256: [u8; 32], content: Option<Vec<u8>>) {
        let Some(asked) = self.wishes.remove(&sha256) else { return };
        let content = content
            .filter(|content| content.len() <= FILE_MAX_BYTES && <[u8; 32]>::from(Sha256::digest(content)) == sha256);
        for answer in asked {
            // Whoever asked may have given up.
            let _ = answer.send(content.clone());
        }
    }
}
