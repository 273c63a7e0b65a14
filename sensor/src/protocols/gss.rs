//! What the tokens say by which clients and servers log in to each other (GSS-API, SPNEGO: RFC 2743, RFC 4178): the
//! names of NTLM and of Kerberos. The mechanisms' messages are found by how they begin, whatever wraps them.

use super::kerberos;
use super::ntlm;

/// Begins the initial token of Kerberos (RFC 4121 section 4.1): its object identifier and the number of an AP-REQ.
const KERBEROS_REQUEST: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00";

/// What was learnt of who logs in where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// Who logs in.
    pub user: Option<String>,
    /// Domain of the user.
    pub domain: Option<String>,
    /// Name of the client's computer.
    pub host: Option<String>,
    /// NTLMv1, NTLMv2 or anonymous.
    pub ntlm_proof: Option<&'static str>,
    /// Version of the client's system.
    pub client_version: Option<String>,
    /// Name of the server's computer.
    pub server: Option<String>,
    /// Name of the server's domain.
    pub server_domain: Option<String>,
    /// Version of the server's system.
    pub server_version: Option<String>,
    /// Service that a Kerberos ticket is for.
    pub service: Option<String>,
    /// Realm that gave the ticket.
    pub realm: Option<String>,
    /// Encryption of the ticket.
    pub encryption: Option<String>,
}

impl Login {
    /// Takes in one token; says whether it told anything.
    pub fn token(&mut self, bytes: &[u8]) -> bool {
        match ntlm::find(bytes) {
            Some(ntlm::Message::Challenge(server)) => {
                self.server = server.computer;
                self.server_domain = server.domain;
                self.server_version = server.version;
                return true;
            }
            Some(ntlm::Message::Authenticate(client)) => {
                let some = |name: String| Some(name).filter(|name| !name.is_empty());
                self.user = some(client.user);
                self.domain = some(client.domain);
                self.host = some(client.host);
                self.ntlm_proof = Some(client.proof);
                self.client_version = client.version;
                return true;
            }
            Some(ntlm::Message::Negotiate) => return true,
            None => {}
        }
        let found = bytes.windows(KERBEROS_REQUEST.len()).position(|window| window == KERBEROS_REQUEST);
        let request = found.and_then(|at| bytes.get(at + KERBEROS_REQUEST.len()..));
        let Some(message) = request.and_then(kerberos::message::read) else { return false };
        self.service = message.service;
        self.realm = message.realm;
        self.encryption = message.ticket_encryption.map(kerberos::names::encryption);
        true
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Login::default()
    }
}
