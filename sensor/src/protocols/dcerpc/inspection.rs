//! What signatures look into of a call: its number, its interface, and what it carries.

use super::pdu::{Body, Fragment, Kind};
use crate::protocols::buffer;
use crate::protocols::{Direction, Output};

/// Bytes before what a call carries; an object in front of it takes more ([C706] section 12.6.4.9).
const CALL_HEADER_BYTES: usize = 24;
const OBJECT_BYTES: usize = 16;
const OBJECT_FLAG: u8 = 0x80;

/// Hands over a fragment of a call or of its answer; the last one completes it. Of an answer procedure and interface are
/// those of its call.
pub fn fragment(out: &mut dyn Output, fragment: &Fragment<'_>, bytes: &[u8], call: (Option<u16>, Option<&str>)) {
    if !out.inspects() {
        return;
    }
    let (direction, length, begin) = match &fragment.body {
        Body::Request { stub_bytes, .. } => {
            let object = bytes.get(3).is_some_and(|flags| flags & OBJECT_FLAG != 0);
            (Direction::ToServer, *stub_bytes, CALL_HEADER_BYTES + if object { OBJECT_BYTES } else { 0 })
        }
        Body::Response { stub_bytes } if fragment.kind == Kind::RESPONSE => {
            (Direction::ToClient, *stub_bytes, CALL_HEADER_BYTES)
        }
        _ => return,
    };
    if let Some(operation) = call.0 {
        out.inspect(direction, buffer::DCERPC_OPNUM, &u64::from(operation).to_be_bytes());
    }
    if let Some(interface) = call.1 {
        out.inspect(direction, buffer::DCERPC_INTERFACE, interface.as_bytes());
    }
    let rest = bytes.get(begin..).unwrap_or(&[]);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    out.inspect_part(direction, buffer::DCERPC_STUB, rest.get(..length).unwrap_or(rest));
    if fragment.last {
        out.transaction(direction);
    }
}
