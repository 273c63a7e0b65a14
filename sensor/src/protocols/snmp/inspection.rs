//! What signatures look into of a message: version, community or user, what is asked. A message is a transaction.

use super::ber::{self, OCTETS, SEQUENCE};
use crate::protocols::buffer;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output};

/// Hands over a message.
pub fn message(out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Result<(), Short> {
    if !out.inspects() {
        return Ok(());
    }
    let mut whole = ber::expect(&mut Reader::new(bytes), SEQUENCE)?;
    let version = ber::integer(&mut whole)?;
    let outcome = match u64::try_from(version) {
        Ok(version @ (0 | 1)) => {
            out.inspect_number(direction, buffer::SNMP_VERSION, version + 1);
            community(out, direction, &mut whole)
        }
        Ok(3) => {
            out.inspect_number(direction, buffer::SNMP_VERSION, 3);
            version3(out, direction, whole)
        }
        _ => Err(Short),
    };
    out.transaction(direction);
    outcome
}

fn community(out: &mut dyn Output, direction: Direction, whole: &mut Reader<'_>) -> Result<(), Short> {
    let community = ber::expect(whole, OCTETS)?.rest();
    out.inspect(direction, buffer::SNMP_COMMUNITY, community);
    pdu_type(out, direction, ber::element(whole)?.0);
    Ok(())
}

/// RFC 3412 section 6: the user stands in the parameters of the security model, the question behind them.
fn version3(out: &mut dyn Output, direction: Direction, mut whole: Reader<'_>) -> Result<(), Short> {
    ber::expect(&mut whole, SEQUENCE)?;
    let mut security = ber::expect(&mut whole, OCTETS)?;
    let mut parameters = ber::expect(&mut security, SEQUENCE)?;
    ber::expect(&mut parameters, OCTETS)?;
    ber::integer(&mut parameters)?;
    ber::integer(&mut parameters)?;
    let user = ber::expect(&mut parameters, OCTETS)?.rest();
    if !user.is_empty() {
        out.inspect(direction, buffer::SNMP_USM, user);
    }
    let (tag, mut scoped) = ber::element(&mut whole)?;
    if tag == OCTETS {
        return Ok(());
    }
    ber::expect(&mut scoped, OCTETS)?;
    ber::expect(&mut scoped, OCTETS)?;
    pdu_type(out, direction, ber::element(&mut scoped)?.0);
    Ok(())
}

fn pdu_type(out: &mut dyn Output, direction: Direction, tag: u8) {
    out.inspect_number(direction, buffer::SNMP_PDU_TYPE, u64::from(tag & 0x1f));
}
