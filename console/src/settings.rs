//! The console's configuration (`--config FILE`, TOML). Everything has a default; a data directory alone is enough.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use crate::auth::openid::settings::OpenIdSettings;
use crate::model::Lang;
use crate::reports::document::Letterhead;

/// All of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where it listens.
    pub listen: ListenSettings,
    /// Where the collector is.
    pub collector: CollectorSettings,
    /// What is demanded of whoever comes in.
    pub access: AccessSettings,
    /// How long sessions live.
    pub session: SessionSettings,
    /// Log-in with an identity provider.
    pub openid: OpenIdSettings,
    /// The mail server.
    pub mail: MailSettings,
    /// Notices, whatever carries them.
    pub notices: NoticeSettings,
    /// Reports.
    pub report: ReportSettings,
    /// The program that typesets.
    pub press: PressSettings,
    /// Figures for a monitoring system.
    pub metrics: MetricsSettings,
}

/// Where the console listens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListenSettings {
    /// Address and port of HTTPS.
    pub address: SocketAddr,
    /// What people type to get here: `https://HOST:PORT`; made from host name and port where it is empty. Stands in
    /// one-time links and e-mails.
    pub public_url: String,
    /// Certificate chain, PEM; self-made in the data directory where it is missing.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// Requests a second that one address may make on average (bursts of four times as many pass).
    pub requests_per_second: u32,
}

impl Default for ListenSettings {
    fn default() -> Self {
        ListenSettings {
            address: SocketAddr::from(([0, 0, 0, 0], 8443)),
            public_url: String::new(),
            certificate: None,
            key: None,
            requests_per_second: 100,
        }
    }
}

/// Where the collector is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollectorSettings {
    /// The Unix socket of its API.
    pub socket: PathBuf,
    /// Host and port of its API on another machine, instead of the socket: mutual TLS with the three files that
    /// `luytre-collector api-certificate` makes.
    pub address: Option<String>,
    /// The certificate of the collector's authority, PEM.
    pub authority: Option<PathBuf>,
    /// The console's own certificate, PEM.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// How long a search may take, in milliseconds.
    pub search_timeout_ms: u64,
    /// How long any other question may take, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for CollectorSettings {
    fn default() -> Self {
        CollectorSettings {
            socket: PathBuf::from("/var/lib/luytre/collector/api.sock"),
            address: None,
            authority: None,
            certificate: None,
            key: None,
            search_timeout_ms: 15_000,
            timeout_ms: 5_000,
        }
    }
}

/// What is demanded of whoever comes in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessSettings {
    /// The profile of sessions, passwords and second factors: `basic` or `level-3`.
    pub profile: String,
}

impl Default for AccessSettings {
    fn default() -> Self {
        AccessSettings { profile: crate::auth::profile::DEFAULT.to_owned() }
    }
}

/// How long sessions live; what is missing is the profile's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    /// Without a request, in minutes.
    pub idle_minutes: Option<u32>,
    /// At the longest, in hours.
    pub absolute_hours: Option<u32>,
    /// Failed log-ins of one name from one network that cost nothing; then the wait doubles from 10 seconds to 15
    /// minutes. Ten times as many cost nothing to a network, whatever the names, and to a name, wherever from.
    pub free_failures: u32,
}

impl Default for SessionSettings {
    fn default() -> Self {
        SessionSettings { idle_minutes: None, absolute_hours: None, free_failures: 5 }
    }
}

/// How the connection to the mail server is secured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// In clear first, then STARTTLS, which must succeed (port 587).
    #[default]
    Starttls,
    /// TLS from the first byte (port 465).
    Implicit,
    /// In clear: only to this machine itself, or with `allow_cleartext`.
    None,
}

/// The mail server of notices. Mail is off while `host` is empty. Who is told of what are notice rules, which
/// administrators edit in the console; `to` and `severity` are what the first rule of a fresh database is made of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailSettings {
    /// The mail server.
    pub host: String,
    /// Its port; 587, 465 or 25 by `tls` where it is missing.
    pub port: Option<u16>,
    /// How the connection is secured.
    pub tls: MailTls,
    /// An authority to trust besides the public ones, PEM.
    pub ca_file: Option<PathBuf>,
    /// The user to log in as; no log-in where it is empty.
    pub user: String,
    /// A file with the password, readable by the console only.
    pub password_file: Option<PathBuf>,
    /// The sender, as in `Lũy Tre <luytre@tinh.example>`.
    pub from: String,
    /// The configured recipients, whom a notice rule may name as a group.
    pub to: Vec<String>,
    /// The language of mails to addresses that are no user's.
    pub language: Lang,
    /// The least severity of the first notice rule.
    pub severity: luytre_collector_api::Severity,
    /// Allows `tls = "none"` to another machine.
    pub allow_cleartext: bool,
    /// How often a notice is tried before it is given up.
    pub max_attempts: u32,
    /// The wait after the first failure, in seconds; doubles up to an hour.
    pub first_retry_s: u32,
    /// The private key that signs mails (DKIM), PEM; mails are not signed where it is missing.
    pub dkim_key_file: Option<PathBuf>,
    /// The name of the public key in the DNS, below `_domainkey` of the domain.
    pub dkim_selector: String,
    /// The domain that signs; the sender's where it is empty.
    pub dkim_domain: String,
}

impl Default for MailSettings {
    fn default() -> Self {
        MailSettings {
            host: String::new(),
            port: None,
            tls: MailTls::Starttls,
            ca_file: None,
            user: String::new(),
            password_file: None,
            from: String::new(),
            to: Vec::new(),
            language: Lang::Vi,
            severity: luytre_collector_api::Severity::High,
            allow_cleartext: false,
            max_attempts: 20,
            first_retry_s: 30,
            dkim_key_file: None,
            dkim_selector: String::new(),
            dkim_domain: String::new(),
        }
    }
}

/// Notices, whatever carries them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoticeSettings {
    /// A folder with message templates that go before the program's own, file by file.
    pub templates: Option<PathBuf>,
    /// A channel counts as dead after so many failures in a row.
    pub dead_after: u32,
    /// An authority of webhooks to trust besides the public ones, PEM.
    pub ca_file: Option<PathBuf>,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        NoticeSettings { templates: None, dead_after: 5, ca_file: None }
    }
}

/// Reports.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReportSettings {
    /// The time zone whose days are reported, an IANA name.
    pub time_zone: String,
    /// The team whose report it is; stands in subtitle and foot.
    pub organisation: String,
    /// The heading of an administrative document; none where it is missing.
    pub letterhead: Option<Letterhead>,
}

impl Default for ReportSettings {
    fn default() -> Self {
        ReportSettings { time_zone: "Asia/Ho_Chi_Minh".to_owned(), organisation: String::new(), letterhead: None }
    }
}

/// The program that typesets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PressSettings {
    /// Its file; beside the console's own where it is missing.
    pub program: Option<PathBuf>,
    /// How long it may take, in milliseconds.
    pub timeout_ms: u64,
    /// How much memory it may use, in MiB.
    pub memory_mib: u64,
}

impl Default for PressSettings {
    fn default() -> Self {
        PressSettings { program: None, timeout_ms: 30_000, memory_mib: 1024 }
    }
}

/// Figures for a monitoring system, in clear on the loopback interface.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsSettings {
    /// Where they are read (`/metrics`); off where it is missing.
    pub address: Option<SocketAddr>,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        MetricsSettings { address: Some(SocketAddr::from(([127, 0, 0, 1], 9745))) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_section_can_be_set_and_a_typo_is_named() {
        let text = "[listen]\naddress = \"127.0.0.1:8443\"\n[mail]\nhost = \"mail.tinh.example\"\ntls = \"implicit\"\n\
            to = [\"truc@tinh.example\"]\nlanguage = \"en\"\nseverity = \"critical\"\n[report]\ntime_zone = \"Asia/Ho_Chi_Minh\"\n";
        let settings: Settings = luytre_settings::parse(text, Path::new("console.toml")).unwrap();
        assert_eq!(settings.mail.tls, MailTls::Implicit);
        let error =
            luytre_settings::parse::<Settings>("[mail]\nhots = \"x\"\n", Path::new("console.toml")).unwrap_err();
        assert!(error.to_string().contains("did you mean `host`?"), "{error}");
    }

    #[test]
    fn the_nearest_key_of_a_collector_on_another_machine_is_proposed() {
        let typo = "[collector]\naddress = \"collector.tinh.example:7444\"\nautority = \"/etc/luytre/authority.pem\"\n";
        let error = luytre_settings::parse::<Settings>(typo, Path::new("console.toml")).unwrap_err();
        assert!(error.to_string().contains("did you mean `authority`?"), "{error}");
    }

    #[test]
    fn nothing_set_is_enough() {
        let settings: Settings = luytre_settings::load(None).unwrap();
        assert_eq!(settings.listen.address.port(), 8443);
        assert!(settings.mail.host.is_empty());
    }
}
