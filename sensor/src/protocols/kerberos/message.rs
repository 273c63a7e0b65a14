//! Reads one message (RFC 4120 section 5) as far as it goes.

use crate::protocols::asn1::{self, Element};
use crate::protocols::reader::Reader;
use crate::protocols::text;

/// Bytes of a name, a realm or a text of an error that are told.
const NAME_BYTES: usize = 256;
/// Parts of a name that are told.
const MAX_PARTS: usize = 8;
/// Kinds of encryption that a client may offer and that are told.
const MAX_OFFERED: usize = 16;
/// Pieces of pre-authentication that are looked at.
const MAX_PREAUTH: usize = 16;

/// Which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To the authentication service.
    AsRequest,
    /// Its reply.
    AsReply,
    /// To the ticket-granting service.
    TgsRequest,
    /// Its reply.
    TgsReply,
    /// To an application.
    ApRequest,
    /// Its reply.
    ApReply,
    /// Signed, encrypted or handed-on data between applications.
    Other,
    /// Any of them was refused.
    Error,
}

impl Kind {
    fn of(tag: u8) -> Option<Kind> {
        // The application tag carries the message's number.
        Some(match tag {
            0x6a => Kind::AsRequest,
            0x6b => Kind::AsReply,
            0x6c => Kind::TgsRequest,
            0x6d => Kind::TgsReply,
            0x6e => Kind::ApRequest,
            0x6f => Kind::ApReply,
            0x74..=0x76 => Kind::Other,
            0x7e => Kind::Error,
            _ => return None,
        })
    }

    /// Whether a client sends it.
    pub fn is_request(self) -> bool {
        matches!(self, Kind::AsRequest | Kind::TgsRequest | Kind::ApRequest)
    }

    /// Whether a server gives a ticket with it.
    pub fn is_ticket(self) -> bool {
        matches!(self, Kind::AsReply | Kind::TgsReply)
    }

    /// The request that this message is or answers: AS, TGS, AP.
    pub fn service(self) -> Option<&'static str> {
        match self {
            Kind::AsRequest | Kind::AsReply => Some("AS"),
            Kind::TgsRequest | Kind::TgsReply => Some("TGS"),
            Kind::ApRequest | Kind::ApReply => Some("AP"),
            Kind::Other | Kind::Error => None,
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which one it is.
    pub kind: Kind,
    /// Name of the client.
    pub client: Option<String>,
    /// Realm of the client.
    pub client_realm: Option<String>,
    /// Name of the service.
    pub service: Option<String>,
    /// Realm of the service.
    pub realm: Option<String>,
    /// Encryption of the part of a reply that is for the client.
    pub encryption: Option<i64>,
    /// Encryption of the ticket.
    pub ticket_encryption: Option<i64>,
    /// Kinds of encryption that the client takes.
    pub offered: Vec<i64>,
    /// Options of a request, as bits from the left.
    pub options: u32,
    /// Whether the request proves who asks.
    pub preauthenticated: bool,
    /// A service asks for a ticket on behalf of this user (S4U2Self).
    pub on_behalf_of: Option<String>,
    /// Time until which the ticket is wanted, as written.
    pub till: Option<String>,
    /// Number of an error.
    pub error: Option<i64>,
    /// Words of an error.
    pub error_text: Option<String>,
    /// Something in it could not be read.
    pub malformed: bool,
}

/// Which message begins here, if it surely is one: tag, sequence, version 5.
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    let mut r = Reader::new(bytes);
    let (tag, outer) = asn1::head(&mut r).ok()?;
    let kind = Kind::of(tag)?;
    let (sequence, inner) = asn1::head(&mut r).ok()?;
    let version = r.array::<5>().ok()?;
    // A KDC-REQ counts its fields from one, everything else from zero.
    let first = if matches!(kind, Kind::AsRequest | Kind::TgsRequest) { 0xa1 } else { 0xa0 };
    (sequence == asn1::SEQUENCE && inner < outer && version == [first, 3, 2, 1, 5]).then_some(kind)
}

/// Reads a message; nothing when it is none.
pub fn read(bytes: &[u8]) -> Option<Message> {
    let mut r = Reader::new(bytes);
    let (tag, outer) = asn1::head(&mut r).ok()?;
    let kind = Kind::of(tag)?;
    let (sequence, length) = asn1::head(&mut r).ok()?;
    if sequence != asn1::SEQUENCE {
        return None;
    }
    let body = r.rest();
    let mut message = Message {
        kind,
        client: None,
        client_realm: None,
        service: None,
        realm: None,
        encryption: None,
        ticket_encryption: None,
        offered: Vec::new(),
        options: 0,
        preauthenticated: false,
        on_behalf_of: None,
        till: None,
        error: None,
        error_text: None,
        malformed: body.len() < length || length > outer,
    };
    let mut r = Reader::new(body.get(..length).unwrap_or(body));
    while !r.is_empty() {
        match asn1::element(&mut r) {
            Ok(field) => message.field(field),
            Err(_) => {
                // What a cut field still shows is told: the ticket of a request that was not seen to its end.
                message.malformed = true;
                if let (Ok((tag, _)), rest) = (asn1::head(&mut r.clone()), r) {
                    let mut inside = rest;
                    if asn1::head(&mut inside).is_ok() {
                        message.field(Element { tag, content: inside.rest() });
                    }
                }
                break;
            }
        }
    }
    Some(message)
}

impl Message {
    fn field(&mut self, field: Element<'_>) {
        match (self.kind, field.tag) {
            (Kind::AsRequest | Kind::TgsRequest, 0xa3) => self.preauthentication(field),
            (Kind::AsRequest | Kind::TgsRequest, 0xa4) => {
                let Ok(body) = open(field) else { return };
                asn1::items(body).for_each(|field| self.request(field));
            }
            (Kind::AsReply | Kind::TgsReply, 0xa3) => self.client_realm = string(field),
            (Kind::AsReply | Kind::TgsReply, 0xa4) => self.client = name(field),
            (Kind::AsReply | Kind::TgsReply, 0xa5) => self.ticket(field),
            (Kind::AsReply | Kind::TgsReply, 0xa6) => self.encryption = encryption(field),
            (Kind::ApRequest, 0xa3) => self.ticket(field),
            (Kind::ApRequest, 0xa4) => self.encryption = encryption(field),
            (Kind::ApReply, 0xa2) => self.encryption = encryption(field),
            (Kind::Error, 0xa6) => self.error = field.inner().ok().and_then(|number| number.integer()),
            (Kind::Error, 0xa7) => self.client_realm = string(field),
            (Kind::Error, 0xa8) => self.client = name(field),
            (Kind::Error, 0xa9) => self.realm = string(field),
            (Kind::Error, 0xaa) => self.service = name(field),
            (Kind::Error, 0xab) => self.error_text = string(field),
            _ => {}
        }
    }

    /// The body of a KDC-REQ.
    fn request(&mut self, field: Element<'_>) {
        match field.tag {
            0xa0 => {
                // A bit string: the number of unused bits, then the bits.
                let bits = field.inner().ok().and_then(|bits| bits.content.get(1..)?.first_chunk().copied());
                self.options = bits.map_or(0, u32::from_be_bytes);
            }
            0xa1 => self.client = name(field),
            0xa2 => {
                self.realm = string(field);
                self.client_realm = self.realm.clone().filter(|_| self.kind == Kind::AsRequest);
            }
            0xa3 => self.service = name(field),
            0xa5 => self.till = string(field),
            0xa8 => {
                let kinds = field.inner().map(|list| list.items().filter_map(|kind| kind.integer()).take(MAX_OFFERED));
                self.offered = kinds.map(Iterator::collect).unwrap_or_default();
            }
            _ => {}
        }
    }

    fn preauthentication(&mut self, field: Element<'_>) {
        let Ok(list) = open(field) else { return };
        for piece in asn1::items(list).take(MAX_PREAUTH) {
            let mut fields = piece.items();
            let kind = fields.find(|f| f.tag == 0xa1).and_then(|f| f.inner().ok()?.integer());
            let value = fields.find(|f| f.tag == 0xa2).and_then(|f| f.inner().ok());
            match kind {
                // A ticket-granting ticket, an encrypted time, a certificate (PKINIT), a challenge of FAST.
                Some(1 | 2 | 16 | 17 | 138) => self.preauthenticated = true,
                Some(129) => {
                    let user = value.and_then(|value| value.inner().ok()?.items().find(|f| f.tag == 0xa0));
                    self.on_behalf_of = user.and_then(name);
                }
                _ => {}
            }
        }
    }

    /// A ticket (RFC 4120 section 5.3).
    fn ticket(&mut self, field: Element<'_>) {
        let Ok(ticket) = open(field) else { return };
        // The application tag of a ticket stands around the sequence.
        let Ok(fields) = open(Element { tag: field.tag, content: ticket }) else { return };
        for field in lenient(fields) {
            match field.tag {
                0xa1 => self.realm = string(field),
                0xa2 => self.service = name(field),
                0xa3 => self.ticket_encryption = encryption(field),
                _ => {}
            }
        }
    }
}

/// What stands inside the element that `field` holds; of a cut one as much as is there.
fn open(field: Element<'_>) -> Result<&[u8], crate::protocols::reader::Short> {
    let mut r = field.reader();
    let (_, length) = asn1::head(&mut r)?;
    Ok(r.rest().get(..length).unwrap_or(r.rest()))
}

/// The elements of these bytes; of the last one, if it is cut, as much as is there.
fn lenient(bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut r = Reader::new(bytes);
    std::iter::from_fn(move || {
        let (tag, length) = asn1::head(&mut r).ok()?;
        let rest = r.rest();
        let content = rest.get(..length).unwrap_or(rest);
        r.skip(content.len()).ok()?;
        Some(Element { tag, content })
    })
}

/// EncryptedData: which encryption. The rest may be cut.
fn encryption(field: Element<'_>) -> Option<i64> {
    let fields = open(field).ok()?;
    lenient(fields).find(|f| f.tag == 0xa0)?.inner().ok()?.integer()
}

fn string(field: Element<'_>) -> Option<String> {
    field.inner().ok().map(|string| text::text(string.content, NAME_BYTES))
}

/// A principal's name: its parts with slashes between.
fn name(field: Element<'_>) -> Option<String> {
    let list = field.inner().ok()?.items().find(|f| f.tag == 0xa1)?.inner().ok()?;
    let mut name = String::new();
    for (number, part) in list.items().take(MAX_PARTS).enumerate() {
        if number > 0 {
            name.push('/');
        }
        name.push_str(&text::text(part.content, NAME_BYTES));
    }
    Some(name).filter(|name| !name.is_empty())
}
