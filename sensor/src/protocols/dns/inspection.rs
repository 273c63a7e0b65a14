//! What signatures look into of a message: its names and numbers. A message is a transaction.

use super::message::{Message, Resource};
use super::rdata;
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
        out.inspect(direction, names.queries, question.name.as_bytes());
        if let Some(id) = response {
            out.inspect(direction, id, question.name.as_bytes());
        }
    }
    for (records, id) in [
        (&message.answers, names.answers),
        (&message.authorities, names.authorities),
        (&message.additionals, names.additionals),
    ] {
        for record in records.iter().filter(|record| !record.name.is_empty()) {
            out.inspect(direction, id, record.name.as_bytes());
            let led_to = response.and_then(|_| name_in(record));
            for name in [Some(record.name.clone()), led_to].into_iter().flatten() {
                if let Some(id) = response {
                    out.inspect(direction, id, name.as_bytes());
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
        let name = question.name.as_bytes();
        if !answer {
            out.inspect(direction, buffer::DNS_QUERY, name);
        }
        out.inspect(direction, buffer::DNS_QUERIES_NAME, name);
        out.inspect(direction, buffer::DNS_QUERY_NAME, name);
        out.inspect_number(direction, buffer::DNS_RRTYPE, question.kind.into());
    }
    for (records, id) in [
        (&message.answers, buffer::DNS_ANSWERS_NAME),
        (&message.authorities, buffer::DNS_AUTHORITIES_NAME),
        (&message.additionals, buffer::DNS_ADDITIONALS_NAME),
    ] {
        for record in records.iter().filter(|record| !record.name.is_empty()) {
            out.inspect(direction, id, record.name.as_bytes());
            if answer {
                out.inspect(direction, buffer::DNS_RESPONSE_NAME, record.name.as_bytes());
                if let Some(name) = name_in(record) {
                    out.inspect(direction, buffer::DNS_RESPONSE_NAME, name.as_bytes());
                }
            }
        }
    }
    if answer {
        for question in &message.questions {
            out.inspect(direction, buffer::DNS_RESPONSE_NAME, question.name.as_bytes());
        }
    }
    if alone {
        out.transaction(direction);
    }
}

/// The name that a record leads to (RFC 1035 section 3.3): name servers, aliases, mail servers and so on.
fn name_in(record: &Resource<'_>) -> Option<String> {
    let text = rdata::data_text(record);
    match record.kind {
        2 | 5 | 12 | 39 => Some(text),
        6 => text.split(' ').next().map(str::to_owned),
        15 | 33 => text.rsplit(' ').next().map(str::to_owned),
        _ => None,
    }
}
