//! Who this sensor is: its key and certificate, and the authority it trusts.
//!
//! `DATA/identity/{certificate.pem,key.pem,authority.pem,enrolment.toml,packets.key}`, for the owner only; written as a whole folder
//! that is renamed into place, so that a crash leaves the old identity or the new.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::Context as _;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use crate::packets::StoreKey;
use crate::packets::seal::KEY_FILE;

/// A sensor's identity.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The sensor's certificate, PEM.
    pub certificate_pem: String,
    /// Its key, PEM.
    pub key_pem: String,
    /// The authority's certificate, PEM.
    pub authority_pem: String,
    /// Name and collector.
    pub enrolment: Enrolment,
}

/// `enrolment.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Enrolment {
    /// The sensor's name, as its certificate says.
    pub name: String,
    /// `HOST:PORT` of the collector it was enrolled at.
    pub collector: String,
}

impl Identity {
    /// Reads `data/identity`.
    pub fn load(data: &Path) -> anyhow::Result<Identity> {
        let folder = data.join("identity");
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).with_context(|| {
                let path = path.display();
                format!(
                    "read {path}; enrol this sensor with `luytre-sensor enroll --collector HOST:PORT --token TOKEN`"
                )
            })
        };
        let enrolment = read("enrolment.toml")?;
        Ok(Identity {
            certificate_pem: read("certificate.pem")?,
            key_pem: read("key.pem")?,
            authority_pem: read("authority.pem")?,
            enrolment: toml::from_str(&enrolment)
                .with_context(|| format!("read enrolment.toml in {}", folder.display()))?,
        })
    }

    /// How many whole days the certificate is still valid; 0 when it is not.
    pub fn days_left(&self) -> anyhow::Result<u64> {
        let certificate =
            CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).context("read certificate.pem")?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).context("read certificate.pem")?;
        let left = parsed.validity().time_to_expiration().map_or(0, |left| left.whole_days());
        Ok(u64::try_from(left).unwrap_or(0))
    }

    /// Writes `data/identity`; an older one becomes `data/identity.before`.
    pub fn store(&self, data: &Path) -> anyhow::Result<()> {
        let (new, current, before) = (data.join("identity.new"), data.join("identity"), data.join("identity.before"));
        remove(&new)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&new)?;
        let enrolment = toml::to_string(&self.enrolment)?;
        let files = [
            ("certificate.pem", &self.certificate_pem),
            ("key.pem", &self.key_pem),
            ("authority.pem", &self.authority_pem),
            ("enrolment.toml", &enrolment),
        ];
        for (name, content) in files {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new.join(name))?;
            file.write_all(content.as_bytes())?;
            file.sync_all()?;
        }
        // The key of the packets outlives identities: what was kept under it must stay readable.
        let key = if current.join(KEY_FILE).exists() { StoreKey::load(data)? } else { StoreKey::generate()? };
        key.write(&new)?;
        if current.exists() {
            remove(&before)?;
            std::fs::rename(&current, &before)?;
        }
        std::fs::rename(&new, &current)?;
        std::fs::File::open(data)?.sync_all()?;
        Ok(())
    }
}

/// A certificate request for a key, PEM. What it asks for is up to the collector, which knows the sensor's name.
pub(super) fn request(key: &KeyPair) -> anyhow::Result<String> {
    let request = CertificateParams::default().serialize_request(key).and_then(|request| request.pem());
    request.context("make a certificate request")
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
