//! Who may speak to the API over mutual TLS.

use luytre_collector_api::ApiCertificate;
use luytre_events::wire::COLLECTOR_NAME;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::fleet::FleetSettings;

/// A listener that greets whoever is let in.
async fn listen(fleet: &Fleet) -> SocketAddr {
    watched(fleet).await.0
}

/// The same, with what it counts.
async fn watched(fleet: &Fleet) -> (SocketAddr, Doors) {
    let mut listener = TlsListener::bind(([127, 0, 0, 1], 0).into(), fleet.clone()).await.unwrap();
    let address = axum::serve::Listener::local_addr(&listener).unwrap();
    let doors = listener.doors();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = axum::serve::Listener::accept(&mut listener).await;
            stream.write_all(b"welcome").await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (address, doors)
}

/// What a client is told; nothing when it is not let in.
async fn told(address: SocketAddr, identity: &ApiCertificate) -> String {
    let mut text = String::new();
    if let Some(mut stream) = connect(address, identity).await {
        // However it ends without a word: the client was not let in.
        let _ = stream.read_to_string(&mut text).await;
    }
    text
}

/// A client's connection, where the handshake succeeds.
async fn connect(address: SocketAddr, identity: &ApiCertificate) -> Option<tokio_rustls::client::TlsStream<TcpStream>> {
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der(&identity.authority)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let config = config.with_root_certificates(roots).with_client_auth_cert(vec![der(&identity.certificate)], key);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config.unwrap()));
    let stream = TcpStream::connect(address).await.unwrap();
    connector.connect(ServerName::try_from(COLLECTOR_NAME).unwrap(), stream).await.ok()
}

/// A sensor's certificate in the shape of an API client's.
fn sensor(fleet: &Fleet, name: &str) -> ApiCertificate {
    let token = fleet.create_token(name).unwrap().token;
    let secret = token.parse::<luytre_events::token::EnrolmentToken>().unwrap().secret_text();
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    let issued = fleet.enroll(&secret, &request).unwrap();
    ApiCertificate {
        name: issued.name,
        certificate: issued.certificate_pem,
        key: key.serialize_pem(),
        authority: issued.authority_pem,
        expires: String::new(),
    }
}

#[tokio::test]
async fn only_certificates_made_for_the_api_are_let_in_until_they_are_replaced_or_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::open(folder.path(), &FleetSettings::default()).unwrap();
    let address = listen(&fleet).await;
    assert_eq!(told(address, &sensor(&fleet, "dc-1")).await, "", "a sensor has nothing to ask here");

    let first = fleet.issue_api("console").unwrap();
    assert_eq!(told(address, &first).await, "welcome");
    let second = fleet.issue_api("console").unwrap();
    assert_eq!(told(address, &first).await, "", "replaced");
    assert_eq!(told(address, &second).await, "welcome");
    fleet.revoke_api("console").unwrap();
    assert_eq!(told(address, &second).await, "", "revoked");
    assert!(fleet.revoke_api("console").is_err());

    // Another authority's certificate of the same name.
    let other = tempfile::tempdir().unwrap();
    let stranger = Fleet::open(other.path(), &FleetSettings::default()).unwrap().issue_api("console").unwrap();
    let third = fleet.issue_api("console").unwrap();
    let mixed = ApiCertificate { authority: third.authority.clone(), ..stranger };
    assert_eq!(told(address, &mixed).await, "");
    assert_eq!(told(address, &third).await, "welcome");
    for bad in ["", "../x", "a/b", "a:b"] {
        assert!(fleet.issue_api(bad).is_err(), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_that_knock_in_thousands_keep_no_client_out() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::open(folder.path(), &FleetSettings::default()).unwrap();
    let (address, doors) = watched(&fleet).await;
    let console = fleet.issue_api("console").unwrap();
    let mut held = Vec::new();
    for number in 0..1000 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 9, number as u8 % 8 + 1], 0))).unwrap();
        held.push(socket.connect(address).await.unwrap());
    }
    let since = Instant::now();
    while told(address, &console).await != "welcome" {
        assert!(since.elapsed() < Duration::from_secs(60), "{:?}", doors.refused());
    }
    let refused = doors.refused();
    let of = |reason: &str| refused.get(reason).copied().unwrap_or(0);
    let not_let_in = of("address_full") + of("full");
    assert!(not_let_in + of("made_room") >= 1000 - STRANGERS.most as u64, "{refused:?}");
    assert_eq!(doors.admitted(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_clients_that_hold_connections_the_quietest_makes_room_and_nobody_has_all() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::open(folder.path(), &FleetSettings::default()).unwrap();
    let limits = Limits { per_peer: 2, most: 3, quiet_min: Duration::ZERO };
    let mut listener = TlsListener::bind_with(([127, 0, 0, 1], 0).into(), fleet.clone(), limits).await.unwrap();
    let (address, doors) = (axum::serve::Listener::local_addr(&listener).unwrap(), listener.doors());
    let (console, report) = (fleet.issue_api("console").unwrap(), fleet.issue_api("report").unwrap());
    let settled = async |seen: u64| {
        while doors.admitted() + doors.refused().get("address_full").copied().unwrap_or(0) < seen {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let mut held = Vec::new();
    for number in 1..=3 {
        held.extend(connect(address, &console).await);
        // One after the other, so that each side knows which is which.
        settled(number).await;
    }
    // Both sides of two connections; the third was refused.
    let (mut first, _) = axum::serve::Listener::accept(&mut listener).await;
    let (mut second, _) = axum::serve::Listener::accept(&mut listener).await;
    held.extend(connect(address, &report).await);
    settled(4).await;
    let _third = axum::serve::Listener::accept(&mut listener).await;
    assert_eq!((doors.refused()["address_full"], doors.admitted()), (1, 3));
    // The first speaks; of the two others the second has been quiet for longer.
    held[0].write_all(b"?").await.unwrap();
    held[0].flush().await.unwrap();
    first.read_exact(&mut [0]).await.unwrap();
    held.extend(connect(address, &report).await);
    axum::serve::Listener::accept(&mut listener).await.0.write_all(b"welcome").await.unwrap();
    let ended = second.read_exact(&mut [0]).await.unwrap_err();
    assert!(ended.to_string().contains("its place was needed"), "{ended}");
    assert_eq!(doors.refused()["made_room"], 1);
    held[0].write_all(b"!").await.unwrap();
    held[0].flush().await.unwrap();
    first.read_exact(&mut [0]).await.unwrap();
}
