//! Peers that do not keep the rules: each is let go of, told why where it can be, and harms nobody else.

use futures_util::{SinkExt as _, StreamExt as _};
use luytre_events::token::EnrolmentToken;
use luytre_events::wire::{self, Batch, COLLECTOR_NAME, CollectorFrame, PROTOCOL_VERSION, SensorFrame};
use luytre_events::{Catalogue, DatasetId, Event, EventId};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::bytes::Bytes;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::*;
use crate::fleet::{FleetSettings, Issued};
use crate::journal::JournalSettings;
use crate::ledger::LedgerSettings;

mod floods;

struct Rig {
    folder: tempfile::TempDir,
    fleet: Fleet,
    journal: Journal,
    intake: Intake,
}

type Client = Framed<TlsStream<TcpStream>, LengthDelimitedCodec>;

impl Rig {
    async fn new(silence_s: u64) -> Rig {
        Rig::with(IntakeSettings { silence_s, ..IntakeSettings::default() }).await
    }

    async fn with(settings: IntakeSettings) -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let at = |part: &str| folder.path().join(part);
        let problems = Problems::default();
        let journal = Journal::open(&at("journal"), JournalSettings::default(), problems.clone()).unwrap();
        let fleet = Fleet::open(&at("fleet"), &FleetSettings::default()).unwrap();
        let ledger = Ledger::open(&at("ledger"), LedgerSettings::default()).unwrap();
        let settings = IntakeSettings { listen: ([127, 0, 0, 1], 0).into(), ..settings };
        let intake = Intake::start(settings, journal.clone(), fleet.clone(), ledger, problems).await.unwrap();
        Rig { folder, fleet, journal, intake }
    }

    /// A sensor's certificate and key, by way of a token.
    fn identity(&self, name: &str) -> (Issued, rcgen::KeyPair) {
        let token: EnrolmentToken = self.fleet.create_token(name).unwrap().token.parse().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let request = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        (self.fleet.enroll(&token.secret_text(), &request).unwrap(), key)
    }

    async fn connect(&self, identity: Option<&(Issued, rcgen::KeyPair)>) -> TlsStream<TcpStream> {
        let authority = self.identity_of_authority();
        let mut roots = RootCertStore::empty();
        roots.add(authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match identity {
            Some((issued, key)) => {
                let certificate = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap();
                let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        let tcp = TcpStream::connect(self.intake.address()).await.unwrap();
        let name = ServerName::try_from(COLLECTOR_NAME).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
    }

    fn identity_of_authority(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.fleet.authority_pem().as_bytes()).unwrap()
    }

    async fn client(&self, identity: Option<&(Issued, rcgen::KeyPair)>) -> Client {
        let codec = LengthDelimitedCodec::builder().max_frame_length(wire::FRAME_MAX_BYTES).new_codec();
        Framed::new(self.connect(identity).await, codec)
    }

    /// A client that is past the greeting.
    async fn greeted(&self, identity: &(Issued, rcgen::KeyPair)) -> Client {
        let mut client = self.client(Some(identity)).await;
        say(&mut client, &hello(PROTOCOL_VERSION)).await;
        let Some(CollectorFrame::Welcome { need_catalogue, .. }) = hear(&mut client).await else {
            panic!("no welcome")
        };
        if need_catalogue {
            say(&mut client, &SensorFrame::Catalogue { json: Catalogue::current().to_json() }).await;
        }
        client
    }
}

fn hello(version: u16) -> SensorFrame {
    let catalogue_digest = Catalogue::current().digest();
    SensorFrame::Hello { version, program: "test".into(), catalogue_digest, time_ns: 0, run_first: 1 }
}

fn batch(first: u64, count: u64) -> Batch {
    let event = |sequence| Event {
        id: EventId { sensor: "".into(), sequence },
        time_ns: 0,
        dataset: DatasetId(0),
        flow: None,
        fields: Vec::new(),
    };
    Batch::pack(&(first..first + count).map(event).collect::<Vec<_>>()).unwrap().unwrap()
}

async fn say(client: &mut Client, frame: &SensorFrame) {
    client.send(Bytes::from(wire::encode(frame).unwrap())).await.unwrap();
}

/// The next frame; nothing when the collector has hung up.
async fn hear(client: &mut Client) -> Option<CollectorFrame> {
    Some(wire::decode(&client.next().await?.ok()?).unwrap())
}

async fn refused(client: &mut Client) -> String {
    loop {
        match hear(client).await {
            Some(CollectorFrame::Refused { reason }) => return reason,
            Some(_) => {}
            None => panic!("hung up without a reason"),
        }
    }
}

#[tokio::test]
async fn strangers_may_enrol_and_nothing_else() {
    let rig = Rig::new(60).await;
    let mut client = rig.client(None).await;
    say(&mut client, &hello(PROTOCOL_VERSION)).await;
    assert!(refused(&mut client).await.contains("enrol this sensor with a token"));
    // Lengths that are lies, and bytes that are no frame.
    for bytes in [&[0xff; 8][..], &[0, 2, 0, 0, 1, 2, 3], &[0, 0, 0, 3, 9, 9, 9]] {
        let mut stream = rig.connect(None).await;
        stream.write_all(bytes).await.unwrap();
        let mut rest = Vec::new();
        // However it ends: it ends, and without a word.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty());
    }
    // No TLS at all.
    let mut tcp = TcpStream::connect(rig.intake.address()).await.unwrap();
    tcp.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let _ = tcp.read_to_end(&mut Vec::new()).await;
    let identity = rig.identity("dc-1");
    rig.greeted(&identity).await;
}

#[tokio::test]
async fn an_enrolled_sensor_that_breaks_the_rules_is_told_which() {
    let rig = Rig::new(60).await;
    let identity = rig.identity("dc-1");
    let mut client = rig.client(Some(&identity)).await;
    say(&mut client, &hello(PROTOCOL_VERSION + 1)).await;
    assert!(refused(&mut client).await.contains("bring both to the same release"));

    let mut client = rig.client(Some(&identity)).await;
    say(&mut client, &SensorFrame::Ping).await;
    assert!(refused(&mut client).await.contains("begins with a greeting"));

    let mut client = rig.greeted(&identity).await;
    say(&mut client, &SensorFrame::Batch(batch(1, 10))).await;
    assert_eq!(hear(&mut client).await, Some(CollectorFrame::Ack { sequence: 10 }));
    say(&mut client, &SensorFrame::Batch(batch(5, 10))).await;
    assert!(refused(&mut client).await.contains("overlaps"));

    let lies = [
        Batch { count: 9, ..batch(11, 10) },
        Batch { last: 99, ..batch(11, 10) },
        Batch { first: 10, ..batch(11, 10) },
        Batch { body: vec![1, 2, 3], ..batch(11, 10) },
    ];
    for lie in lies {
        let mut client = rig.greeted(&identity).await;
        say(&mut client, &SensorFrame::Batch(lie)).await;
        assert!(refused(&mut client).await.contains("a batch cannot be read"));
    }
    assert_eq!((rig.journal.durable("dc-1"), rig.journal.totals("dc-1").events), (10, 10));
}

#[tokio::test]
async fn a_catalogue_must_be_the_one_that_was_announced() {
    let rig = Rig::new(60).await;
    let identity = rig.identity("dc-1");
    let mut client = rig.client(Some(&identity)).await;
    let SensorFrame::Hello { version, program, time_ns, run_first, .. } = hello(PROTOCOL_VERSION) else {
        unreachable!()
    };
    say(&mut client, &SensorFrame::Hello { version, program, catalogue_digest: [7; 32], time_ns, run_first }).await;
    assert!(matches!(hear(&mut client).await, Some(CollectorFrame::Welcome { need_catalogue: true, .. })));
    say(&mut client, &SensorFrame::Catalogue { json: Catalogue::current().to_json() }).await;
    assert!(refused(&mut client).await.contains("not the one that was announced"));
}

#[tokio::test]
async fn a_silent_sensor_is_let_go_of_and_a_repeated_batch_is_acknowledged_once_more() {
    let rig = Rig::new(1).await;
    let identity = rig.identity("dc-1");
    let mut client = rig.greeted(&identity).await;
    for _ in 0..2 {
        say(&mut client, &SensorFrame::Batch(batch(1, 10))).await;
        assert_eq!(hear(&mut client).await, Some(CollectorFrame::Ack { sequence: 10 }));
    }
    assert_eq!(rig.journal.totals("dc-1").events, 10);
    say(&mut client, &SensorFrame::Ping).await;
    assert_eq!(hear(&mut client).await, Some(CollectorFrame::Pong));
    // Says nothing more, and does not hang up.
    assert_eq!(hear(&mut client).await, None);
}

#[tokio::test]
async fn a_connection_that_outlived_its_enrolment_cannot_renew() {
    let rig = Rig::new(60).await;
    let old = rig.identity("dc-1");
    let mut client = rig.greeted(&old).await;
    // Revoked and enrolled anew by another program, which cannot end the connection.
    let other = Fleet::open(&rig.folder.path().join("fleet"), &FleetSettings::default()).unwrap();
    other.revoke("dc-1").unwrap();
    let new = rig.identity("dc-1");
    let key = rcgen::KeyPair::generate().unwrap();
    let csr_pem = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    say(&mut client, &SensorFrame::Renew { csr_pem: csr_pem.clone() }).await;
    assert!(refused(&mut client).await.contains("has been enrolled again since"));
    let mut client = rig.greeted(&new).await;
    say(&mut client, &SensorFrame::Renew { csr_pem }).await;
    assert!(matches!(hear(&mut client).await, Some(CollectorFrame::Renewed { .. })));
}

/// Many sensors that all come at once, as after a power failure: of one address, so that most are turned away at first and try
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_sensors_that_come_at_once_are_all_heard() {
    const SENSORS: u64 = 200;
    let rig = Arc::new(Rig::new(60).await);
    let mut all = tokio::task::JoinSet::new();
    for number in 0..SENSORS {
        let rig = rig.clone();
        all.spawn(async move {
            let identity = rig.identity(&format!("s{number}"));
            // As the sensor's uplink does: again, a little later each time.
            for attempt in 1..200 {
                if let Some(acknowledged) = rig.deliver(&identity).await {
                    return (attempt, acknowledged);
                }
                tokio::time::sleep(std::time::Duration::from_millis(20 * attempt)).await;
            }
            (200, 0)
        });
    }
    let mut turned_away = 0;
    while let Some(done) = all.join_next().await {
        let (attempts, acknowledged) = done.unwrap();
        assert_eq!(acknowledged, 3, "after {attempts} attempts");
        turned_away += u64::from(attempts > 1);
    }
    for number in 0..SENSORS {
        assert_eq!(rig.journal.totals(&format!("s{number}")).events, 3);
    }
    eprintln!("{turned_away} of {SENSORS} had to try again");
}

impl Rig {
    /// Connects and hands three events over; what was acknowledged, or nothing where the collector hung up.
    async fn deliver(&self, identity: &(Issued, rcgen::KeyPair)) -> Option<u64> {
        let authority = self.identity_of_authority();
        let mut roots = RootCertStore::empty();
        roots.add(authority).ok()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
        let certificate = CertificateDer::from_pem_slice(identity.0.certificate_pem.as_bytes()).ok()?;
        let key = PrivateKeyDer::try_from(identity.1.serialize_der()).ok()?;
        let config = builder.with_root_certificates(roots).with_client_auth_cert(vec![certificate], key).ok()?;
        let tcp = TcpStream::connect(self.intake.address()).await.ok()?;
        let name = ServerName::try_from(COLLECTOR_NAME).ok()?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.ok()?;
        let codec = LengthDelimitedCodec::builder().max_frame_length(wire::FRAME_MAX_BYTES).new_codec();
        let mut client = Framed::new(stream, codec);
        let send = |frame: SensorFrame| Bytes::from(wire::encode(&frame).unwrap_or_default());
        client.send(send(hello(PROTOCOL_VERSION))).await.ok()?;
        loop {
            match hear(&mut client).await? {
                CollectorFrame::Welcome { need_catalogue, .. } => {
                    if need_catalogue {
                        let json = Catalogue::current().to_json();
                        client.send(send(SensorFrame::Catalogue { json })).await.ok()?;
                    }
                    client.send(send(SensorFrame::Batch(batch(1, 3)))).await.ok()?;
                }
                CollectorFrame::Ack { sequence } => return Some(sequence),
                CollectorFrame::Refused { .. } => return None,
                _ => {}
            }
        }
    }
}
