//! What signatures look into of a message: its names and numbers. A message is a transaction.

use super::message::{Message, Resource};
use crate::protocols::buffer::{self, BufferId};
use crate::protocols::{Direction, Output};

/// Where the names of a message of one of DNS's relatives go.
pub struct Names {
    /// What is asked for.
    pub queries: BufferId,
    /// What is answered.
    pub answers: BufferId,
    /// Who is in charge.
    pub authorities: BufferId,
    /// What is told besides.
    pub additionals: BufferId,
    /// All names of an answer, where rules can ask for them.
    pub response: Option<BufferId>,
}

/// Hands over the names of a message of one of DNS's relatives.
pub fn names(out: &mut dyn Output, direction: Direction, names: &Names, message: &Message<'_>) {
    if !out.inspects() {
        return;
    }
    let response = names.response.filter(|_| message.header.is_answer());
    for question in &message.questions {
        let name = message.written(question.place);
        out.inspect(direction, names.queries, &name);
        if let Some(id) = response {
            out.inspect(direction, id, &name);
        }
    }
    for (records, id) in [
        (&message.answers, names.answers),
        (&message.authorities, names.authorities),
        (&message.additionals, names.additionals),
    ] {
        for record in records.iter().filter(|record| !record.name.is_empty()) {
            let name = message.written(record.place);
            out.inspect(direction, id, &name);
            if let Some(id) = response {
                out.inspect(direction, id, &name);
                if let Some(led_to) = name_in(record) {
                    out.inspect(direction, id, &led_to);
                }
            }
        }
    }
    out.transaction(direction);
}

/// Hands over a message; `alone` says that it is a transaction of its own.
pub fn message(out: &mut dyn Output, message: &Message<'_>, alone: bool) {
    let answer = message.header.is_answer();
    let direction = if answer { Direction::ToClient } else { Direction::ToServer };
    out.frame(direction, buffer::FRAME_DNS_PDU, message.bytes);
    if message.header.flags() & 0x0040 != 0 {
        out.notice(direction, "dns.z_flag_set");
    }
    if message.header.op_code() > 6 {
        out.notice(direction, "dns.invalid_opcode");
    }
    if !out.inspects() {
        return;
    }
    out.inspect_number(direction, buffer::DNS_OPCODE, message.header.op_code().into());
    if answer {
        out.inspect_number(direction, buffer::DNS_RCODE, message.header.response_code().into());
    }
    for question in &message.questions {
        let name = message.written(question.place);
        if !answer {
            out.inspect(direction, buffer::DNS_QUERY, &name);
        }
        out.inspect(direction, buffer::DNS_QUERIES_NAME, &name);
        out.inspect(direction, buffer::DNS_QUERY_NAME, &name);
        out.inspect_number(direction, buffer::DNS_RRTYPE, question.kind.into());
    }
    for (records, id) in [
        (&message.answers, buffer::DNS_ANSWERS_NAME),
        (&message.authorities, buffer::DNS_AUTHORITIES_NAME),
        (&message.additionals, buffer::DNS_ADDITIONALS_NAME),
    ] {
        for record in records.iter().filter(|record| !record.name.is_empty()) {
            let name = message.written(record.place);
            out.inspect(direction, id, &name);
            if answer {
                out.inspect(direction, buffer::DNS_RESPONSE_NAME, &name);
                if let Some(led_to) = name_in(record) {
                    out.inspect(direction, buffer::DNS_RESPONSE_NAME, &led_to);
                }
            }
        }
    }
    if answer {
        for question in &message.questions {
            out.inspect(direction, buffer::DNS_RESPONSE_NAME, &message.written(question.place));
        }
    }
    if alone {
        out.transaction(direction);
    }
}

/// The name that a record leads to (RFC 1035 section 3.3): name servers, aliases, mail servers and so on.
fn name_in(record: &Resource<'_>) -> Option<Vec<u8>> {
    let offset = match record.kind {
        2 | 5 | 6 | 12 | 39 => 0,
        15 => 2,
        33 => 6,
        _ => return None,
    };
    Some(record.data.written_at(offset)).filter(|name| !name.is_empty())
}
