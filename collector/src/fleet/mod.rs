//! The fleet: the authority that sensors and collector trust, one-time tokens, and who is enrolled.
//!
//! Comes in: wishes for tokens, certificate requests with a token's secret, connections. Goes out: certificates, and the
//! answer whether a connection may speak and for whom.
//!
//! ```text
//! fleet/authority/{certificate.pem,key.pem}   made once; the key leaves the folder never (0600)
//! fleet/tokens/DIGEST.toml                    SHA-256 of the secret; renamed to DIGEST.used when used
//! fleet/sensors/NAME/{enrolment,seen}.toml
//! fleet/catalogues/DIGEST.json
//! fleet/evidence/{certificate.pem,key.pem}    what evidence is signed with; the certificate is the authority's
//! fleet/api/NAME.toml                         who may use the API over the network; removed when revoked
//! ```
//!
//! Every change is one file replaced by rename, so several programs may work on the folder at the same time
//! (`luytre-collector token create` with and without a running collector), and a crash leaves the old or the new. The
//! collector's own key and certificate are made anew at each start and live in memory only.
//!
//! Sensors' certificates last [`SENSOR_DAYS`]. A connected sensor asks for the next one in time; both are accepted until
//! the new one is used for the first time. A sensor that was away for too long is enrolled again with a new token.

mod authority;
mod catalogues;
mod connections;
pub(crate) mod store;
mod tokens;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use luytre_collector_api::{ApiCertificate, SensorState, Token};
use rustls::ServerConfig;
use serde::{Deserialize, Serialize};

use crate::room::{Room, is_full};

use authority::Authority;
pub use authority::Signer;
pub use authority::{API_DAYS, SENSOR_DAYS};
pub use catalogues::Catalogues;
pub use connections::Connected;
use connections::Connections;
pub use tokens::{TOKEN_HOURS, TokenError};

/// What the names in certificates for the API begin with.
const API_PREFIX: &str = "api:";

/// What the collector is called.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FleetSettings {
    /// Further host names and addresses for the collector's certificate; loopback is always in it. Sensors do not need
    /// them: they know the collector by its authority.
    pub names: Vec<String>,
}

/// Why something about the fleet could not be done. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// No such sensor.
    #[error("no sensor is called {0}; `luytre-collector sensors` lists them")]
    Unknown(String),
    /// The certificate no longer speaks for anybody.
    #[error("{0}")]
    NotAdmitted(String),
    /// No such client of the API.
    #[error("no certificate for the API was made for {0}, or it was revoked already")]
    UnknownClient(String),
    /// A name that cannot be used.
    #[error("{0:?} cannot be a name: use 1 to 64 letters, digits, `-`, `_` and `.`, beginning with a letter or digit")]
    BadName(String),
    /// The name is in use.
    #[error("a sensor called {0} is enrolled already; revoke it first, or choose another name")]
    Taken(String),
    /// The token cannot be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The disk or the authority failed.
    #[error("{what}")]
    Failed {
        /// What was attempted.
        what: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl FleetError {
    fn failed(what: impl Into<String>) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> FleetError {
        let what = what.into();
        move |source| FleetError::Failed { what, source }
    }
}

/// A sensor as the fleet knows it.
#[derive(Debug, Clone)]
pub struct FleetSensor {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: SensorState,
    /// The program's version, once it has connected.
    pub program: Option<String>,
    /// When it was enrolled, nanoseconds since 1970-01-01 UTC.
    pub enrolled_ns: i64,
    /// When it was last heard.
    pub last_seen_ns: Option<i64>,
    /// Its clock minus ours.
    pub clock_skew_ms: Option<i64>,
}

/// `enrolment.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Enrolment {
    /// SHA-256 of the certificate (DER), hexadecimal.
    fingerprint: String,
    /// The certificate that the sensor was given and has not used yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_fingerprint: Option<String>,
    enrolled_ns: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_ns: Option<i64>,
}

/// `seen.toml`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Seen {
    program: String,
    last_seen_ns: i64,
    clock_skew_ms: i64,
}

/// `api/NAME.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ApiClient {
    /// SHA-256 of the certificate (DER), hexadecimal.
    fingerprint: String,
    expires_ns: i64,
}

/// What an enrolled sensor is given.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The name that the token was made for.
    pub name: String,
    /// Its certificate, PEM.
    pub certificate_pem: String,
    /// The authority's certificate, PEM.
    pub authority_pem: String,
}

/// Whether a certificate may speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Yes, for this sensor.
    Sensor(Arc<str>),
    /// No; the reason is for the sensor's operator.
    Refused(String),
}

/// The fleet; cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Fleet(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    names: Vec<String>,
    authority: Authority,
    catalogues: Catalogues,
    connections: Arc<Connections>,
    room: Room,
}

/// The time, nanoseconds since 1970-01-01 UTC.
pub(crate) fn now_ns() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC with nanoseconds.
pub(crate) fn time_text(time_ns: i64) -> String {
    luytre_events::json::time_text(time_ns)
}

impl Fleet {
    /// Opens or creates the fleet in `dir` (authority, tokens, sensors, catalogues). Programs may have the same folder
    /// open at the same time: `luytre-collector token create` works with and without a running collector.
    pub fn open(dir: &Path, settings: &FleetSettings) -> Result<Fleet, FleetError> {
        let what = format!("open the fleet in {}", dir.display());
        let make = |sub: &str| store::make_folder(&dir.join(sub));
        for sub in ["tokens", "sensors", "catalogues", "api"] {
            make(sub).map_err(|e| FleetError::failed(what.as_str())(e.into()))?;
        }
        let authority = Authority::open(&dir.join("authority")).map_err(FleetError::failed(what))?;
        let room = Room::default();
        Ok(Fleet(Arc::new(Inner {
            folder: dir.to_owned(),
            names: settings.names.clone(),
            authority,
            catalogues: Catalogues::new(dir.join("catalogues"), room.clone()),
            connections: Arc::default(),
            room,
        })))
    }

    /// The room of its folder.
    pub fn room(&self) -> &Room {
        &self.0.room
    }

    /// A new one-time token for a sensor to be called `name`; it lapses after 24 hours.
    pub fn create_token(&self, name: &str) -> Result<Token, FleetError> {
        self.require_free(name)?;
        let what = format!("make a token for {name}");
        let digest = self.0.authority.digest();
        let made = tokens::create(&self.0.folder.join("tokens"), name, digest, now_ns());
        let (token, expires_ns) = self.kept(made, what)?;
        Ok(Token { name: name.to_owned(), token, expires: time_text(expires_ns) })
    }

    /// Signs a certificate request for whoever holds a token's secret, and registers the sensor.
    pub fn enroll(&self, secret: &str, csr_pem: &str) -> Result<Issued, FleetError> {
        // The request is checked before the token is used up.
        let request =
            authority::Request::parse(csr_pem).map_err(FleetError::failed("read the sensor's certificate request"))?;
        let _alone = self.alone()?;
        let prepare = |name: &str| {
            self.require_free(name)?;
            let what = format!("enrol {name}");
            let issued = self.0.authority.issue_sensor(name, request).map_err(FleetError::failed(what.as_str()))?;
            let enrolment = Enrolment {
                fingerprint: issued.fingerprint.clone(),
                next_fingerprint: None,
                enrolled_ns: now_ns(),
                revoked_ns: None,
            };
            let prepared = store::prepare(&self.path(name, "enrolment.toml"), &enrolment);
            Ok((issued, self.kept(prepared, what)?))
        };
        let (name, (issued, enrolment)) = tokens::redeem(&self.0.folder.join("tokens"), secret, now_ns(), prepare)?;
        self.kept(enrolment.put(), format!("enrol {name}"))?;
        tracing::info!(sensor = %name, "a sensor was enrolled");
        let authority_pem = self.0.authority.certificate_pem().to_owned();
        Ok(Issued { name, certificate_pem: issued.certificate_pem, authority_pem })
    }

    /// Signs the next certificate, PEM, of the sensor that a certificate (DER) speaks for now: a connection may be older
    /// than a revocation or another enrolment of the same name.
    pub fn renew(&self, certificate: &[u8], csr_pem: &str) -> Result<String, FleetError> {
        let request =
            authority::Request::parse(csr_pem).map_err(FleetError::failed("read the sensor's certificate request"))?;
        let name: &str = match &self.admit(certificate) {
            Admission::Sensor(name) => &name.clone(),
            Admission::Refused(reason) => return Err(FleetError::NotAdmitted(reason.clone())),
        };
        let fingerprint = authority::fingerprint(certificate);
        let _alone = self.alone()?;
        let mut enrolment = self
            .enrolment(name)
            .filter(|known| known.revoked_ns.is_none() && known.fingerprint == fingerprint)
            .ok_or_else(|| FleetError::NotAdmitted(format!("sensor {name} was revoked or enrolled again just now")))?;
        let what = format!("renew the certificate of {name}");
        let issued = self.0.authority.issue_sensor(name, request).map_err(FleetError::failed(what))?;
        enrolment.next_fingerprint = Some(issued.fingerprint);
        self.save(name, "enrolment.toml", &enrolment)?;
        tracing::info!(sensor = name, "a sensor's certificate was renewed");
        Ok(issued.certificate_pem)
    }

    /// The authority's certificate, PEM: what clients of the API need to know us by.
    pub fn authority_pem(&self) -> &str {
        self.0.authority.certificate_pem()
    }

    /// Whom a certificate of our authority (DER) speaks for.
    pub fn admit(&self, certificate: &[u8]) -> Admission {
        let Some(name) = authority::common_name(certificate) else {
            return Admission::Refused("the certificate names no sensor: enrol the sensor again".into());
        };
        let fingerprint = authority::fingerprint(certificate);
        match self.enrolment(&name) {
            Some(Enrolment { revoked_ns: Some(at), .. }) => Admission::Refused(format!(
                "the certificate of sensor {name} was revoked at {}: enrol the sensor again with a new token",
                time_text(at)
            )),
            Some(known) if known.fingerprint == fingerprint => Admission::Sensor(name.into()),
            Some(known) if known.next_fingerprint.as_ref() == Some(&fingerprint) => {
                match self.promote(&name, fingerprint) {
                    Ok(true) => Admission::Sensor(name.into()),
                    // Changed in between (revoked, say): judged anew.
                    Ok(false) => self.admit(certificate),
                    Err(error) => {
                        Admission::Refused(format!("the collector cannot store the new certificate: {error}"))
                    }
                }
            }
            Some(_) => Admission::Refused(format!(
                "sensor {name} has been enrolled again since, with another certificate: this one is no longer accepted"
            )),
            None => Admission::Refused(format!("no sensor called {name} is enrolled here: enrol it with a token")),
        }
    }

    /// All sensors, by name.
    pub fn sensors(&self) -> Vec<FleetSensor> {
        let names = store::names(&self.0.folder.join("sensors"));
        names.into_iter().filter_map(|name| self.sensor(&name)).collect()
    }

    /// One sensor.
    pub fn sensor(&self, name: &str) -> Option<FleetSensor> {
        let enrolment = self.enrolment(name)?;
        let seen: Option<Seen> = store::load(&self.path(name, "seen.toml"));
        let live = self.0.connections.last_heard_ns(name);
        let state = match (enrolment.revoked_ns, live) {
            (Some(_), _) => SensorState::Revoked,
            (None, Some(_)) => SensorState::Connected,
            (None, None) => SensorState::Silent,
        };
        Some(FleetSensor {
            name: name.to_owned(),
            state,
            program: seen.as_ref().map(|seen| seen.program.clone()),
            enrolled_ns: enrolment.enrolled_ns,
            last_seen_ns: live.or(seen.as_ref().map(|seen| seen.last_seen_ns)),
            clock_skew_ms: seen.as_ref().map(|seen| seen.clock_skew_ms),
        })
    }

    /// No longer accepts the sensor's certificate and ends its connection.
    pub fn revoke(&self, name: &str) -> Result<FleetSensor, FleetError> {
        let unknown = || FleetError::Unknown(name.to_owned());
        let _alone = self.alone()?;
        let mut enrolment = self.enrolment(name).ok_or_else(unknown)?;
        enrolment.revoked_ns.get_or_insert_with(now_ns);
        self.save(name, "enrolment.toml", &enrolment)?;
        self.0.connections.end(name);
        tracing::info!(sensor = %name, "a sensor was revoked");
        self.sensor(name).ok_or_else(unknown)
    }

    /// The catalogues, for readers of the journal.
    pub fn catalogues(&self) -> Catalogues {
        self.0.catalogues.clone()
    }

    /// A new connection of a sensor; an older one of the same name is told to end.
    pub fn connected(&self, name: &Arc<str>) -> Connected {
        self.0.connections.clone().begin(name)
    }

    /// Remembers what a sensor said of itself.
    pub fn seen(&self, name: &str, program: &str, clock_skew_ms: i64) {
        // A version, not whatever a sensor likes to store here.
        let program = program.chars().take(64).collect();
        let seen = Seen { program, last_seen_ns: now_ns(), clock_skew_ms };
        if let Err(error) = self.save(name, "seen.toml", &seen) {
            tracing::warn!(sensor = name, %error, "when the sensor was last seen could not be stored");
        }
    }

    /// TLS for the intake: a fresh certificate of ours; clients may show one of the same authority (who is enrolling has
    /// none yet).
    pub fn intake_tls(&self) -> Result<ServerConfig, FleetError> {
        self.0.authority.server(&self.0.names, true).map_err(FleetError::failed("make the intake's certificate"))
    }

    /// A key and certificate for a client of the API called `name`, such as a console on another machine. One of the same
    /// name that was made before is no longer accepted.
    pub fn issue_api(&self, name: &str) -> Result<ApiCertificate, FleetError> {
        if !valid_name(name) {
            return Err(FleetError::BadName(name.to_owned()));
        }
        let _alone = self.alone()?;
        let what = format!("make a certificate for {name}");
        let (key, signed) =
            self.0.authority.issue_api(&format!("{API_PREFIX}{name}")).map_err(FleetError::failed(what.as_str()))?;
        let lifetime_ns = i64::try_from(API_DAYS).unwrap_or(0).saturating_mul(86_400_000_000_000);
        let client = ApiClient { fingerprint: signed.fingerprint, expires_ns: now_ns().saturating_add(lifetime_ns) };
        self.kept(store::save(&self.api_path(name), &client), what)?;
        tracing::info!(client = name, "a certificate for the API was made");
        Ok(ApiCertificate {
            name: name.to_owned(),
            certificate: signed.certificate_pem,
            key,
            authority: self.0.authority.certificate_pem().to_owned(),
            expires: time_text(client.expires_ns),
        })
    }

    /// No longer lets a client of the API connect.
    pub fn revoke_api(&self, name: &str) -> Result<(), FleetError> {
        let unknown = || FleetError::UnknownClient(name.to_owned());
        if !valid_name(name) {
            return Err(unknown());
        }
        let _alone = self.alone()?;
        std::fs::remove_file(self.api_path(name)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => unknown(),
            _ => FleetError::failed(format!("revoke the certificate of {name}"))(error.into()),
        })?;
        tracing::info!(client = name, "a certificate for the API was revoked");
        Ok(())
    }

    /// Whom a certificate of our authority (DER) lets use the API; nobody where it is a sensor's (no sensor's name has a
    /// colon), was revoked or replaced.
    pub fn admit_to_api(&self, certificate: &[u8]) -> Option<String> {
        let common_name = authority::common_name(certificate)?;
        let name = common_name.strip_prefix(API_PREFIX).filter(|name| valid_name(name))?;
        let known: ApiClient = store::load(&self.api_path(name))?;
        (known.fingerprint == authority::fingerprint(certificate)).then(|| name.to_owned())
    }

    fn api_path(&self, name: &str) -> PathBuf {
        self.0.folder.join("api").join(format!("{name}.toml"))
    }

    /// TLS for the API: clients must show a certificate of the same authority, and one that [`Fleet::admit_to_api`] knows.
    pub fn api_tls(&self) -> Result<ServerConfig, FleetError> {
        self.0.authority.server(&self.0.names, false).map_err(FleetError::failed("make the API's certificate"))
    }

    /// What evidence is signed with: a key of its own that the authority vouches for, made when it is first needed.
    pub fn evidence_signer(&self) -> Result<Signer, FleetError> {
        let _alone = self.alone()?;
        let what = "open the key that evidence is signed with";
        self.0.authority.signer(&self.0.folder.join("evidence")).map_err(FleetError::failed(what))
    }

    /// SHA-256 of the authority's certificate, hexadecimal.
    pub fn authority_fingerprint(&self) -> String {
        hex::encode(self.0.authority.digest())
    }

    /// The sensor has its new certificate: the old one is over. False when the enrolment has changed meanwhile.
    fn promote(&self, name: &str, fingerprint: String) -> Result<bool, FleetError> {
        let _alone = self.alone()?;
        match self.enrolment(name) {
            Some(known) if known.revoked_ns.is_none() && known.next_fingerprint.as_ref() == Some(&fingerprint) => {
                self.save(name, "enrolment.toml", &Enrolment { fingerprint, next_fingerprint: None, ..known })?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Keeps other threads and programs from changing an enrolment between our reading and our writing it, as long as
    /// the result lives: else a renewal could undo a revocation.
    fn alone(&self) -> Result<std::fs::File, FleetError> {
        let lock = || {
            let folder = std::fs::File::open(&self.0.folder)?;
            folder.lock()?;
            Ok::<_, std::io::Error>(folder)
        };
        let what = format!("lock {}", self.0.folder.display());
        lock().map_err(|error| FleetError::failed(what)(error.into()))
    }

    fn path(&self, name: &str, file: &str) -> PathBuf {
        self.0.folder.join("sensors").join(name).join(file)
    }

    fn enrolment(&self, name: &str) -> Option<Enrolment> {
        valid_name(name).then(|| store::load(&self.path(name, "enrolment.toml"))).flatten()
    }

    fn save<T: Serialize>(&self, name: &str, file: &str, content: &T) -> Result<(), FleetError> {
        let path = self.path(name, file);
        self.kept(store::save(&path, content), format!("write {}", path.display()))
    }

    /// What the disk said of `what`; where it is full, with what to do.
    fn kept<T>(&self, done: std::io::Result<T>, what: String) -> Result<T, FleetError> {
        self.0.room.note(done).map_err(|source| match is_full(&source) {
            true => {
                let dir = self.0.folder.display();
                FleetError::failed(format!("{what}: the disk of {dir} is full; free some space on it and try again"))(
                    source.into(),
                )
            }
            false => FleetError::failed(what)(source.into()),
        })
    }

    fn require_free(&self, name: &str) -> Result<(), FleetError> {
        if !valid_name(name) {
            return Err(FleetError::BadName(name.to_owned()));
        }
        match self.enrolment(name) {
            Some(Enrolment { revoked_ns: None, .. }) => Err(FleetError::Taken(name.to_owned())),
            _ => Ok(()),
        }
    }
}

/// Names are also folder names.
fn valid_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&name.len()) && name.chars().all(fits) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
