//! Tests of the fleet: authority, tokens, registry, revocation.

use super::*;

fn fleet() -> (tempfile::TempDir, Fleet) {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::open(folder.path(), &FleetSettings::default()).unwrap();
    (folder, fleet)
}

fn request() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::default();
    params.serialize_request(&key).unwrap().pem().unwrap()
}

fn secret(token: &Token) -> String {
    token.token.parse::<luytre_events::token::EnrolmentToken>().unwrap().secret_text()
}

fn der(pem: &str) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

#[test]
fn a_token_works_once() {
    let (_folder, fleet) = fleet();
    let token = fleet.create_token("dc-1").unwrap();
    let issued = fleet.enroll(&secret(&token), &request()).unwrap();
    assert_eq!(fleet.admit(&der(&issued.certificate_pem)), Admission::Sensor("dc-1".into()));
    let again = fleet.enroll(&secret(&token), &request()).unwrap_err();
    assert!(matches!(again, FleetError::Token(TokenError::Used)), "{again}");
    let guessed = fleet.enroll("AAAAAAAAAAAAAAAAAAAAAA", &request()).unwrap_err();
    assert!(matches!(guessed, FleetError::Token(TokenError::Unknown)), "{guessed}");
}

#[test]
fn a_broken_request_does_not_use_the_token_up() {
    let (_folder, fleet) = fleet();
    let token = fleet.create_token("dc-1").unwrap();
    assert!(fleet.enroll(&secret(&token), "not PEM").is_err());
    fleet.enroll(&secret(&token), &request()).unwrap();
}

#[test]
fn a_token_lapses() {
    let folder = tempfile::tempdir().unwrap();
    let day_ns = 86_400_000_000_000;
    let (text, expires_ns) = tokens::create(folder.path(), "dc-1", [0; 32], 1_000).unwrap();
    assert_eq!(expires_ns, 1_000 + day_ns);
    let secret = text.parse::<luytre_events::token::EnrolmentToken>().unwrap().secret_text();
    let late = tokens::redeem(folder.path(), &secret, expires_ns, |_| Ok(())).unwrap_err();
    assert!(matches!(late, FleetError::Token(TokenError::Lapsed)), "{late}");
}

#[test]
fn names_are_checked_and_taken_once_until_revoked() {
    let (folder, fleet) = fleet();
    for bad in ["", ".", "..", "a/b", "a b", "Đồn", &"x".repeat(65)] {
        assert!(matches!(fleet.create_token(bad), Err(FleetError::BadName(_))), "{bad}");
    }
    let (first, second) = (fleet.create_token("dc-1").unwrap(), fleet.create_token("dc-1").unwrap());
    let old = fleet.enroll(&secret(&first), &request()).unwrap();
    let taken = fleet.enroll(&secret(&second), &request()).unwrap_err();
    assert!(matches!(taken, FleetError::Taken(_)), "{taken}");
    // A second program on the same folder revokes; the first one sees it.
    let other = Fleet::open(folder.path(), &FleetSettings::default()).unwrap();
    assert_eq!(other.revoke("dc-1").unwrap().state, SensorState::Revoked);
    assert!(
        matches!(fleet.admit(&der(&old.certificate_pem)), Admission::Refused(reason) if reason.contains("revoked"))
    );
    let new = fleet.enroll(&secret(&second), &request()).unwrap();
    assert_eq!(fleet.admit(&der(&new.certificate_pem)), Admission::Sensor("dc-1".into()));
    assert!(matches!(fleet.admit(&der(&old.certificate_pem)), Admission::Refused(_)));
    assert_eq!(fleet.sensors().len(), 1);
}

#[test]
fn secrets_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _fleet) = fleet();
    let key = folder.path().join("authority/key.pem");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_restart_keeps_the_authority() {
    let (folder, fleet) = fleet();
    let again = Fleet::open(folder.path(), &FleetSettings::default()).unwrap();
    assert_eq!(fleet.0.authority.digest(), again.0.authority.digest());
}

#[tokio::test]
async fn the_newer_connection_wins_and_revoking_ends_it() {
    let (_folder, fleet) = fleet();
    let token = fleet.create_token("dc-1").unwrap();
    fleet.enroll(&secret(&token), &request()).unwrap();
    let name: Arc<str> = "dc-1".into();
    let mut older = fleet.connected(&name);
    let mut newer = fleet.connected(&name);
    older.ended().await;
    drop(older);
    assert_eq!(fleet.sensor("dc-1").unwrap().state, SensorState::Connected);
    fleet.revoke("dc-1").unwrap();
    newer.ended().await;
    drop(newer);
    assert_eq!(fleet.sensor("dc-1").unwrap().state, SensorState::Revoked);
}

#[test]
fn a_renewal_cannot_undo_a_revocation_whichever_comes_first() {
    let (folder, fleet) = fleet();
    let token = fleet.create_token("dc-1").unwrap();
    let first = der(&fleet.enroll(&secret(&token), &request()).unwrap().certificate_pem);
    let revoker = Fleet::open(folder.path(), &FleetSettings::default()).unwrap();
    let renewed: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let renew = || {
            let mut renewed = Vec::new();
            while let Ok(pem) = fleet.renew(&first, &request()) {
                renewed.push(der(&pem));
            }
            renewed
        };
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(renew)).collect();
        scope.spawn(|| revoker.revoke("dc-1").unwrap());
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(fleet.sensor("dc-1").unwrap().state, SensorState::Revoked);
    for certificate in renewed.iter().chain([&first]) {
        assert!(matches!(fleet.admit(certificate), Admission::Refused(_)));
    }
}

#[test]
fn a_certificate_of_an_earlier_enrolment_is_not_renewed() {
    let (_folder, fleet) = fleet();
    let tokens = [fleet.create_token("dc-1").unwrap(), fleet.create_token("dc-1").unwrap()];
    let old = der(&fleet.enroll(&secret(&tokens[0]), &request()).unwrap().certificate_pem);
    fleet.revoke("dc-1").unwrap();
    let new = der(&fleet.enroll(&secret(&tokens[1]), &request()).unwrap().certificate_pem);
    assert!(matches!(fleet.renew(&old, &request()), Err(FleetError::NotAdmitted(_))));
    let next = der(&fleet.renew(&new, &request()).unwrap());
    assert_eq!(fleet.admit(&next), Admission::Sensor("dc-1".into()));
}
