//! What a bundle of evidence says of itself.
//!
//! A bundle is a ZIP archive:
//!
//! ```text
//! manifest.json          what was sealed, by whom, of which alert, with which programs and rules ([`Manifest`])
//! alert.json             the alert
//! events.jsonl           its events, those of its flows, and those of its subject where it stands on several
//! packets/NNN.pcapng     the packets of its flows
//! files/SHA256.zip       carved files, behind a password
//! rules/...              the rules in force, as they were read
//! settings.txt           the collector's settings in force
//! agencies.toml          the networks of the agencies
//! authority.pem          the collector's authority
//! signer.pem             who signs, vouched for by the authority
//! DOC-TRUOC.txt          how to check it, for people
//! SHA256SUMS             SHA-256 of all of the above, as `sha256sum -c` reads it
//! SHA256SUMS.sig         its signature (ECDSA, P-256, SHA-256, ASN.1)
//! ```

use serde::{Deserialize, Serialize};

/// The form of bundles that this program writes and reads.
pub const FORMAT: &str = "luytre-evidence/1";
/// Names within a bundle.
pub mod names {
    /// The manifest.
    pub const MANIFEST: &str = "manifest.json";
    /// The alert.
    pub const ALERT: &str = "alert.json";
    /// Its events.
    pub const EVENTS: &str = "events.jsonl";
    /// The packets of its flows.
    pub const PACKETS: &str = "packets/";
    /// Carved files.
    pub const FILES: &str = "files/";
    /// Rules.
    pub const RULES: &str = "rules/";
    /// The collector's settings.
    pub const SETTINGS: &str = "settings.txt";
    /// Networks of the agencies.
    pub const AGENCIES: &str = "agencies.toml";
    /// The authority's certificate.
    pub const AUTHORITY: &str = "authority.pem";
    /// The signer's certificate.
    pub const SIGNER: &str = "signer.pem";
    /// How to check a bundle.
    pub const READ_ME: &str = "DOC-TRUOC.txt";
    /// Digests of all of it.
    pub const SUMS: &str = "SHA256SUMS";
    /// Their signature.
    pub const SIGNATURE: &str = "SHA256SUMS.sig";
}

/// `manifest.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// When it was sealed, RFC 3339.
    pub sealed: String,
    /// Who had it sealed.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The alert's id.
    pub alert: String,
    /// Its place in the log of alerts: a later one may have grown.
    pub alert_sequence: u64,
    /// What all its matches have in common: the rule, the sensor, then the subject as `name=value`.
    pub group: Vec<String>,
    /// Which programs saw and found it.
    pub programs: Programs,
    /// Which rules.
    pub rules: Rules,
    /// SHA-256 of `settings.txt`.
    pub configuration_sha256: String,
    /// How matches become alerts: window and longest span, in seconds.
    pub grouping_s: (u32, u32),
    /// Events of which there were more than are kept here, packets that were gone, and so on.
    pub missing: Vec<String>,
    /// Events in `events.jsonl`.
    pub events: u64,
    /// The files of packets.
    pub flows: Vec<Flow>,
    /// Carved files.
    pub files: Vec<CarvedFile>,
}

/// Versions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Programs {
    /// The collector's.
    pub collector: String,
    /// The sensor's name, and the version that it told, if it did.
    pub sensor: (String, Option<String>),
}

/// Rule sets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rules {
    /// Digest of the set that raised the alert.
    pub alert: String,
    /// Digest of the set in this bundle, which was in force when it was sealed.
    pub sealed: String,
    /// The files of it that are in the bundle; not all where they would be too large.
    pub files: u64,
}

/// The packets of a flow.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flow {
    /// `network.community_id`.
    pub community_id: String,
    /// Its name in the bundle.
    pub name: String,
    /// Packets in it.
    pub packets: u64,
}

/// A carved file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CarvedFile {
    /// SHA-256 of the file itself.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Its name in the bundle.
    pub name: String,
}

/// What stands in [`names::READ_ME`].
pub const READ_ME: &str = "\
HỒ SƠ CHỨNG CỨ DO LŨY TRE NIÊM PHONG

Kiểm tra bằng công cụ có sẵn, không cần mạng:
  1. sha256sum -c SHA256SUMS
  2. openssl verify -no_check_time -CAfile authority.pem signer.pem
  3. openssl x509 -in signer.pem -pubkey -noout -out signer.pub
     openssl dgst -sha256 -verify signer.pub -signature SHA256SUMS.sig SHA256SUMS
  4. openssl x509 -in authority.pem -noout -fingerprint -sha256
     So sánh với dấu vân tay mà đơn vị vận hành đã công bố.
Tệp trong files/ có thể là mã độc: mỗi tệp nằm trong một tệp ZIP có mật khẩu (AES-256).

EVIDENCE SEALED BY LUY TRE

Check it with standard tools, without a network: the four steps above. Compare the fingerprint with the one that the
operator has published. Files in files/ may be malicious: each stands in a ZIP archive with a password (AES-256).
";
