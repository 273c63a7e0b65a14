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
    let mut listener = TlsListener::bind(([127, 0, 0, 1], 0).into(), fleet.clone()).await.unwrap();
    let address = axum::serve::Listener::local_addr(&listener).unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = axum::serve::Listener::accept(&mut listener).await;
            stream.write_all(b"welcome").await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    address
}

/// What a client is told; nothing when it is not let in.
async fn told(address: SocketAddr, identity: &ApiCertificate) -> String {
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der(&identity.authority)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let config = config.with_root_certificates(roots).with_client_auth_cert(vec![der(&identity.certificate)], key);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config.unwrap()));
    let stream = TcpStream::connect(address).await.unwrap();
    let mut text = String::new();
    if let Ok(mut stream) = connector.connect(ServerName::try_from(COLLECTOR_NAME).unwrap(), stream).await {
        // However it ends without a word: the client was not let in.
        let _ = stream.read_to_string(&mut text).await;
    }
    text
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
