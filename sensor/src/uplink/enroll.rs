//! Enrolment: from a one-time token to an identity.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use luytre_events::token::EnrolmentToken;
use luytre_events::wire::{self, CollectorFrame, SensorFrame};
use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use tokio_util::bytes::Bytes;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::identity::{self, Enrolment, Identity};
use super::tls;

/// The largest answer, in bytes.
const ANSWER_MAX_BYTES: usize = 64 << 10;
/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Enrols this sensor: proves that the collector is the one that made the token, makes a key, and stores the identity in
/// `data/identity`. Returns the name that the token was made for. The key never leaves this machine.
pub async fn enroll(collector: &str, token: &str, data: &Path) -> anyhow::Result<String> {
    let token: EnrolmentToken = token.parse()?;
    // Whether the identity can be stored is tried before the token is used up.
    std::fs::create_dir_all(data).with_context(|| format!("make the folder {}", data.display()))?;
    let key = KeyPair::generate().context("make a key")?;
    let csr_pem = identity::request(&key)?;
    let stream = tls::connect(collector, Arc::new(tls::enrolling(token.authority)?))
        .await
        .context("enrol with the collector that made the token")?;
    let codec = LengthDelimitedCodec::builder().max_frame_length(ANSWER_MAX_BYTES).new_codec();
    let mut frames = Framed::new(stream, codec);
    let enroll = SensorFrame::Enroll { secret: token.secret_text(), csr_pem };
    frames.send(Bytes::from(wire::encode(&enroll)?)).await.map_err(tls::explained)?;
    let answer = tokio::time::timeout(PATIENCE, frames.next()).await.context("the collector did not answer in time")?;
    let answer = answer.context("the collector hung up; its log says why")?.map_err(tls::explained)?;
    let (name, certificate_pem, authority_pem) = match wire::decode(&answer)? {
        CollectorFrame::Enrolled { name, certificate_pem, authority_pem } => (name, certificate_pem, authority_pem),
        CollectorFrame::Refused { reason } => bail!("the collector refused: {reason}"),
        _ => bail!("the collector answered something else; are both of the same release?"),
    };
    let authority =
        CertificateDer::from_pem_slice(authority_pem.as_bytes()).context("read the authority's certificate")?;
    if Sha256::digest(&authority).as_slice() != token.authority {
        bail!("the collector sent an authority that is not the token's");
    }
    let enrolment = Enrolment { name: name.clone(), collector: collector.to_owned() };
    let identity = Identity { certificate_pem, key_pem: key.serialize_pem(), authority_pem, enrolment };
    tls::enrolled(&identity).context("use the new certificate")?;
    identity.store(data).with_context(|| format!("store the identity in {}", data.display()))?;
    Ok(name)
}
