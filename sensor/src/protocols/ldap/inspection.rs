//! What signatures look into of messages. A request is a transaction one way, all that answers it is one the other way.

use super::message::{Message, Operation};
use crate::protocols::asn1::{self, Element};
use crate::protocols::buffer;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output};

/// Attributes of a message that are handed over.
const MAX_ATTRIBUTES: usize = 256;

/// Number of an operation: that of its tag.
fn number(operation: Operation) -> u64 {
    u64::from(operation.0 & 0x1f)
}

/// Hands over a request.
pub fn request(out: &mut dyn Output, message: &Message<'_>) {
    if !out.inspects() {
        return;
    }
    let to_server = Direction::ToServer;
    out.inspect_number(to_server, buffer::LDAP_REQUEST_OPERATION, number(message.operation));
    // What cannot be read is left out.
    let _ = names(out, message);
    out.transaction(to_server);
}

fn names(out: &mut dyn Output, message: &Message<'_>) -> Result<(), Short> {
    let to_server = Direction::ToServer;
    let mut r = Reader::new(message.content);
    let name = match message.operation {
        Operation::BIND => {
            asn1::element(&mut r)?;
            asn1::element(&mut r)?.content
        }
        Operation::SEARCH | Operation::MODIFY | Operation::ADD | Operation::MODIFY_NAME | Operation::COMPARE => {
            asn1::element(&mut r)?.content
        }
        Operation::DELETE => message.content,
        _ => return Ok(()),
    };
    out.inspect(to_server, buffer::LDAP_REQUEST_DN, name);
    let mut attribute = |element: Option<Element<'_>>| {
        if let Some(element) = element {
            out.inspect(to_server, buffer::LDAP_REQUEST_ATTRIBUTE, element.content);
        }
    };
    match message.operation {
        Operation::SEARCH => {
            for _before in ["scope", "aliases", "size", "time", "types only"] {
                asn1::element(&mut r)?;
            }
            asn1::element(&mut r)?;
            asn1::element(&mut r)?.items().take(MAX_ATTRIBUTES).for_each(|name| attribute(Some(name)));
        }
        Operation::ADD => {
            asn1::clipped(&mut r)?.items().take(MAX_ATTRIBUTES).for_each(|one| attribute(one.items().next()));
        }
        Operation::MODIFY => asn1::clipped(&mut r)?.items().take(MAX_ATTRIBUTES).for_each(|change| {
            let changed = change.items().nth(1);
            attribute(changed.and_then(|changed| changed.items().next()));
        }),
        Operation::COMPARE => attribute(asn1::element(&mut r)?.items().next()),
        _ => {}
    }
    Ok(())
}

/// Hands over a part of an answer; the last one completes it. `answers` counts the parts.
pub fn response(out: &mut dyn Output, message: &Message<'_>, answers: &mut u64) {
    if !out.inspects() {
        return;
    }
    let to_client = Direction::ToClient;
    out.inspect_number(to_client, buffer::LDAP_RESPONSES_OPERATION, number(message.operation));
    // What cannot be read is left out.
    let _ = match message.operation {
        Operation::SEARCH_ENTRY => entry(out, message),
        Operation::SEARCH_REFERENCE | Operation::INTERMEDIATE => {
            *answers += 1;
            return;
        }
        _ => outcome(out, message),
    };
    *answers += 1;
    if message.operation != Operation::SEARCH_ENTRY {
        out.inspect_number(to_client, buffer::LDAP_RESPONSES_COUNT, std::mem::take(answers));
        out.transaction(to_client);
    }
}

fn entry(out: &mut dyn Output, message: &Message<'_>) -> Result<(), Short> {
    let mut r = Reader::new(message.content);
    out.inspect(Direction::ToClient, buffer::LDAP_RESPONSES_DN, asn1::element(&mut r)?.content);
    for attribute in asn1::clipped(&mut r)?.items().take(MAX_ATTRIBUTES) {
        if let Some(name) = attribute.items().next() {
            out.inspect(Direction::ToClient, buffer::LDAP_RESPONSES_ATTRIBUTE, name.content);
        }
    }
    Ok(())
}

fn outcome(out: &mut dyn Output, message: &Message<'_>) -> Result<(), Short> {
    let mut r = Reader::new(message.content);
    let code = asn1::element(&mut r)?.integer().and_then(|code| u64::try_from(code).ok()).ok_or(Short)?;
    out.inspect_number(Direction::ToClient, buffer::LDAP_RESPONSES_RESULT, code);
    let (matched, text) = (asn1::element(&mut r)?.content, asn1::element(&mut r)?.content);
    out.inspect(Direction::ToClient, buffer::LDAP_RESPONSES_DN, matched);
    out.inspect(Direction::ToClient, buffer::LDAP_RESPONSES_MESSAGE, text);
    Ok(())
}
