//! Reads one message (RFC 4511 section 4) as far as it goes.

use super::filter;
use crate::protocols::asn1::{self, Element};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a name or a text that are told.
const TEXT_BYTES: usize = 512;
/// Attributes that are told.
const MAX_ATTRIBUTES: usize = 32;
/// Changes of an entry that are looked at.
const MAX_CHANGES: usize = 64;

/// Which operation a message is about; by its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation(pub u8);

impl Operation {
    pub const BIND: Operation = Operation(0x60);
    pub const BIND_RESPONSE: Operation = Operation(0x61);
    pub const UNBIND: Operation = Operation(0x42);
    pub const SEARCH: Operation = Operation(0x63);
    pub const SEARCH_ENTRY: Operation = Operation(0x64);
    pub const SEARCH_REFERENCE: Operation = Operation(0x73);
    pub const MODIFY: Operation = Operation(0x66);
    pub const ADD: Operation = Operation(0x68);
    pub const DELETE: Operation = Operation(0x4a);
    pub const MODIFY_NAME: Operation = Operation(0x6c);
    pub const COMPARE: Operation = Operation(0x6e);
    pub const ABANDON: Operation = Operation(0x50);
    pub const EXTENDED: Operation = Operation(0x77);
    pub const INTERMEDIATE: Operation = Operation(0x79);

    /// Whether a client sends it.
    pub fn is_request(self) -> bool {
        self.name().is_some()
    }

    /// Whether a server sends it.
    pub fn is_response(self) -> bool {
        matches!(self.0, 0x61 | 0x64 | 0x65 | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x73 | 0x78 | 0x79)
    }

    /// Its name, if it is a request.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Operation::BIND => "bind",
            Operation::UNBIND => "unbind",
            Operation::SEARCH => "search",
            Operation::MODIFY => "modify",
            Operation::ADD => "add",
            Operation::DELETE => "delete",
            Operation::MODIFY_NAME => "modify_dn",
            Operation::COMPARE => "compare",
            Operation::ABANDON => "abandon",
            Operation::EXTENDED => "extended",
            _ => return None,
        })
    }
}

/// A request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// Name of the entry that it is about; of a bind, who binds.
    pub name: Option<String>,
    /// Version of the protocol.
    pub version: Option<u64>,
    /// How the client proves who it is: simple, or a mechanism of SASL.
    pub mechanism: Option<String>,
    /// A password is sent in the clear.
    pub password: bool,
    /// Token of a mechanism.
    pub token: &'a [u8],
    /// base, one, sub, children.
    pub scope: Option<&'static str>,
    /// What entries must fulfil.
    pub filter: Option<String>,
    /// Attributes that are wanted, added or changed.
    pub attributes: Vec<String>,
    /// New name of an entry.
    pub new_name: Option<String>,
    /// Object identifier of an extended operation.
    pub extended: Option<String>,
}

/// The result of an operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// Number of the result.
    pub code: Option<u64>,
    /// The entry as far as which a name was found.
    pub matched: Option<String>,
    /// What the server says about it.
    pub text: Option<String>,
    /// Token of a mechanism.
    pub token: &'a [u8],
}

/// A message: its number, its operation and what that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// What a request and its results have in common.
    pub id: u64,
    /// What it is about.
    pub operation: Operation,
    /// What it holds.
    pub content: &'a [u8],
}

/// The operation of the message that begins here, if it surely is one.
pub fn begins(bytes: &[u8]) -> Option<Operation> {
    let mut r = Reader::new(bytes);
    let (tag, outer) = asn1::head(&mut r).ok()?;
    let start = r.position();
    let id = asn1::expect(&mut r, asn1::INTEGER).ok()?;
    let (operation, length) = asn1::head(&mut r).ok()?;
    let operation = Operation(operation);
    let fits = (r.position() - start).checked_add(length)? <= outer;
    let sound = tag == asn1::SEQUENCE && (1..=4).contains(&id.content.len()) && fits;
    let empty = operation != Operation::UNBIND || length == 0;
    (sound && empty && (operation.is_request() || operation.is_response())).then_some(operation)
}

/// Takes a message apart.
pub fn read(bytes: &[u8]) -> Result<Message<'_>, Short> {
    let outer = asn1::clipped(&mut Reader::new(bytes))?;
    let mut r = outer.reader();
    let id = asn1::expect(&mut r, asn1::INTEGER)?.integer().ok_or(Short)?;
    let operation = asn1::clipped(&mut r)?;
    let id = u64::try_from(id).map_err(|_| Short)?;
    Ok(Message { id, operation: Operation(operation.tag), content: operation.content })
}

/// Reads a request.
pub fn request<'a>(message: &Message<'a>) -> Result<Request<'a>, Short> {
    let mut r = Reader::new(message.content);
    let mut request = Request::default();
    match message.operation {
        Operation::BIND => {
            request.version = number(asn1::element(&mut r)?);
            request.name = Some(string(asn1::element(&mut r)?));
            bind(asn1::clipped(&mut r)?, &mut request);
        }
        Operation::SEARCH => {
            request.name = Some(string(asn1::element(&mut r)?));
            let scope = number(asn1::element(&mut r)?);
            request.scope = scope.and_then(|scope| match scope {
                0 => Some("base"),
                1 => Some("one"),
                2 => Some("sub"),
                3 => Some("children"),
                _ => None,
            });
            for _limit in ["aliases", "size", "time", "types only"] {
                asn1::element(&mut r)?;
            }
            request.filter = Some(filter::text(asn1::clipped(&mut r)?));
            let wanted = asn1::element(&mut r);
            let names = wanted.iter().flat_map(|list| list.items());
            request.attributes = names.take(MAX_ATTRIBUTES).map(string).collect();
        }
        Operation::ADD | Operation::MODIFY => {
            request.name = Some(string(asn1::element(&mut r)?));
            let changes = asn1::clipped(&mut r)?;
            for change in changes.items().take(MAX_CHANGES) {
                // A change has its kind before the attribute.
                let attribute = match message.operation {
                    Operation::MODIFY => change.items().nth(1),
                    _ => Some(change),
                };
                let name = attribute.and_then(|attribute| attribute.items().next()).map(string);
                if let Some(name) = name.filter(|name| !request.attributes.contains(name))
                    && request.attributes.len() < MAX_ATTRIBUTES
                {
                    request.attributes.push(name);
                }
            }
        }
        Operation::DELETE => request.name = Some(text::text(message.content, TEXT_BYTES)),
        Operation::MODIFY_NAME => {
            request.name = Some(string(asn1::element(&mut r)?));
            let name = string(asn1::element(&mut r)?);
            asn1::element(&mut r)?;
            let above = asn1::element(&mut r).ok().filter(|above| above.tag == 0x80).map(string);
            request.new_name = Some(above.map_or(name.clone(), |above| format!("{name},{above}")));
        }
        Operation::COMPARE => {
            request.name = Some(string(asn1::element(&mut r)?));
            let attribute = asn1::element(&mut r)?.items().next().map(string);
            request.attributes.extend(attribute);
        }
        Operation::EXTENDED => {
            let name = asn1::element(&mut r)?;
            request.extended = (name.tag == 0x80).then(|| string(name));
        }
        _ => {}
    }
    Ok(request)
}

/// The choice of ways to prove who one is.
fn bind<'a>(choice: Element<'a>, request: &mut Request<'a>) {
    match choice.tag {
        0x80 => {
            request.mechanism = Some("simple".to_owned());
            request.password = !choice.content.is_empty();
        }
        0xa3 => {
            let mut items = choice.reader();
            request.mechanism = asn1::element(&mut items).ok().map(string);
            request.token = asn1::clipped(&mut items).map(|token| token.content).unwrap_or_default();
            // The mechanisms that send a password as it is.
            let clear = matches!(request.mechanism.as_deref(), Some("PLAIN" | "LOGIN"));
            request.password = clear && !request.token.is_empty();
        }
        // Microsoft's own: NTLM without SASL around it.
        0x89..=0x8b => {
            request.mechanism = Some("NTLM".to_owned());
            request.token = choice.content;
        }
        _ => {}
    }
}

/// Reads a result.
pub fn outcome<'a>(message: &Message<'a>) -> Result<Outcome<'a>, Short> {
    let mut r = Reader::new(message.content);
    let code = number(asn1::element(&mut r)?);
    let matched = asn1::element(&mut r)?;
    let mut outcome = Outcome { code, ..Outcome::default() };
    outcome.matched = Some(string(matched)).filter(|text| !text.is_empty());
    outcome.text = Some(string(asn1::element(&mut r)?)).filter(|text| !text.is_empty());
    while let Ok(more) = asn1::clipped(&mut r) {
        if more.tag == 0x87 {
            outcome.token = more.content;
        }
    }
    // In Microsoft's own way the token stands where the matched name would be.
    if outcome.token.is_empty() && message.operation == Operation::BIND_RESPONSE {
        outcome.token = matched.content;
    }
    Ok(outcome)
}

/// Name of the entry that a search found.
pub fn entry(message: &Message<'_>) -> Option<String> {
    asn1::clipped(&mut Reader::new(message.content)).ok().map(string)
}

fn string(element: Element<'_>) -> String {
    text::text(element.content, TEXT_BYTES)
}

fn number(element: Element<'_>) -> Option<u64> {
    element.integer().and_then(|number| u64::try_from(number).ok())
}

/// Name of a result (RFC 4511 section 4.1.9), or its number.
pub fn result(code: u64) -> String {
    let name = match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        5 => "compareFalse",
        6 => "compareTrue",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        14 => "saslBindInProgress",
        16 => "noSuchAttribute",
        17 => "undefinedAttributeType",
        18 => "inappropriateMatching",
        19 => "constraintViolation",
        20 => "attributeOrValueExists",
        21 => "invalidAttributeSyntax",
        32 => "noSuchObject",
        33 => "aliasProblem",
        34 => "invalidDNSyntax",
        36 => "aliasDereferencingProblem",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        54 => "loopDetect",
        64 => "namingViolation",
        65 => "objectClassViolation",
        66 => "notAllowedOnNonLeaf",
        67 => "notAllowedOnRDN",
        68 => "entryAlreadyExists",
        69 => "objectClassModsProhibited",
        71 => "affectsMultipleDSAs",
        80 => "other",
        _ => return code.to_string(),
    };
    name.to_owned()
}
