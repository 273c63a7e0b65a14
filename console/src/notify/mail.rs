//! Hands mails to the configured SMTP server: STARTTLS or implicit TLS with the public authorities (and one's own), with
//! or without log-in. In clear only to this machine itself, unless the configuration insists. Mails have a text and an
//! HTML part, and are signed (DKIM) where a key is configured.

use std::net::ToSocketAddrs as _;
use std::time::Duration;

use anyhow::Context as _;
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::dkim::Signer;
use crate::settings::{MailSettings, MailTls};
use crate::store::notices::DueNotice;

/// How long one conversation with the server may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends mails.
#[derive(Debug)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    signer: Option<Signer>,
}

/// Why a mail or a message was not taken.
#[derive(Debug)]
pub struct Failure {
    /// What the server or the connection said.
    pub reason: String,
    /// True when trying again cannot help.
    pub permanent: bool,
}

impl Mailer {
    /// Ready to send, or nothing when no server is configured. Connects when there is something to send.
    pub fn new(settings: &MailSettings) -> anyhow::Result<Option<Mailer>> {
        if settings.host.is_empty() {
            return Ok(None);
        }
        let from: Mailbox = settings
            .from
            .parse()
            .with_context(|| format!("mail.from: `{}` is no e-mail address; set the sender", settings.from))?;
        let (tls, port) = security(settings)?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
            .port(settings.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if !settings.user.is_empty() {
            builder = builder.credentials(Credentials::new(settings.user.clone(), password(settings)?));
        }
        let signer = signer(settings, from.email.domain())?;
        Ok(Some(Mailer { transport: builder.build(), from, signer }))
    }

    /// Sends a notice; answers what the server said.
    pub async fn send(&self, notice: &DueNotice, now_s: i64) -> Result<String, Failure> {
        let broken = |error: anyhow::Error| Failure { reason: format!("{error:#}"), permanent: true };
        let message = self.message(notice).map_err(broken)?;
        let mut bytes = message.formatted();
        if let Some(signer) = &self.signer {
            bytes = signer.sign(&bytes, now_s).map_err(broken)?;
        }
        match self.transport.send_raw(message.envelope(), &bytes).await {
            Ok(response) => {
                let text: Vec<&str> = response.message().collect();
                Ok(format!("{} {}", response.code(), text.join(" ")).trim().chars().take(500).collect())
            }
            Err(error) => {
                let reason = format!("{:#}", anyhow::Error::new(error).context("hand the mail to the server"));
                // A refused log-in or a full mailbox is often put right by somebody: 5xx is tried again as well, slowly.
                Err(Failure { reason: reason.chars().take(500).collect(), permanent: false })
            }
        }
    }

    /// Whether the server answers.
    pub async fn works(&self) -> anyhow::Result<bool> {
        self.transport.test_connection().await.context("talk to the mail server")
    }

    fn message(&self, notice: &DueNotice) -> anyhow::Result<Message> {
        let to: Mailbox = notice.recipient.parse().context("read the recipient")?;
        let domain = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(notice.subject.as_str())
            .message_id(Some(format!("<{}@{domain}>", notice.id)));
        let text = SinglePart::plain(notice.body.clone());
        match &notice.html {
            Some(html) => {
                let both = MultiPart::alternative().singlepart(text).singlepart(SinglePart::html(html.clone()));
                message.multipart(both).context("write the mail")
            }
            None => message.singlepart(text).context("write the mail"),
        }
    }
}

/// Whoever signs, where a key is configured; the domain is the sender's unless another one is named.
fn signer(settings: &MailSettings, sender: &str) -> anyhow::Result<Option<Signer>> {
    let Some(key) = &settings.dkim_key_file else { return Ok(None) };
    let domain = if settings.dkim_domain.is_empty() { sender } else { &settings.dkim_domain };
    Signer::new(key, domain, &settings.dkim_selector).map(Some)
}

fn password(settings: &MailSettings) -> anyhow::Result<String> {
    let path = settings.password_file.as_ref().context("mail.user is set; set mail.password_file as well")?;
    let text =
        std::fs::read_to_string(path).with_context(|| format!("read the mail password from {}", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// How the connection is secured, and the usual port for that.
fn security(settings: &MailSettings) -> anyhow::Result<(Tls, u16)> {
    match settings.tls {
        MailTls::Starttls => Ok((Tls::Required(tls_parameters(settings)?), 587)),
        MailTls::Implicit => Ok((Tls::Wrapper(tls_parameters(settings)?), 465)),
        MailTls::None => {
            anyhow::ensure!(
                settings.allow_cleartext || is_this_machine(&settings.host),
                "mail.tls = \"none\" would send alerts in clear to {}; use starttls or implicit, or set \
                 mail.allow_cleartext = true",
                settings.host
            );
            Ok((Tls::None, 25))
        }
    }
}

fn tls_parameters(settings: &MailSettings) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).with_context(|| format!("read mail.ca_file {}", path.display()))?;
        let authority =
            Certificate::from_pem(&pem).with_context(|| format!("{} is no PEM certificate", path.display()))?;
        builder = builder.add_root_certificate(authority);
    }
    builder.build().context("set TLS up for the mail server")
}

fn is_this_machine(host: &str) -> bool {
    (host, 25u16).to_socket_addrs().is_ok_and(|mut addresses| {
        let mut any = false;
        addresses.all(|address| {
            any = true;
            address.ip().is_loopback()
        }) && any
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(host: &str, tls: MailTls) -> MailSettings {
        MailSettings {
            host: host.into(),
            tls,
            from: "Lũy Tre <luytre@tinh.example>".into(),
            to: vec!["truc@tinh.example".into()],
            ..MailSettings::default()
        }
    }

    #[test]
    fn cleartext_goes_to_this_machine_only() {
        let error = Mailer::new(&settings("192.0.2.25", MailTls::None)).unwrap_err().to_string();
        assert!(error.contains("allow_cleartext"), "{error}");
        let allowed = MailSettings { allow_cleartext: true, ..settings("192.0.2.25", MailTls::None) };
        // Building a transport needs a runtime only when it sends.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        assert!(Mailer::new(&allowed).unwrap().is_some());
        assert!(Mailer::new(&settings("127.0.0.1", MailTls::None)).unwrap().is_some());
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(Mailer::new(&MailSettings::default()).unwrap().is_none());
        let no_sender = MailSettings { from: String::new(), ..settings("mail.example", MailTls::Starttls) };
        assert!(Mailer::new(&no_sender).unwrap_err().to_string().contains("mail.from"));
        let no_password = MailSettings { user: "luytre".into(), ..settings("127.0.0.1", MailTls::None) };
        assert!(Mailer::new(&no_password).unwrap_err().to_string().contains("mail.password_file"));
    }
}
