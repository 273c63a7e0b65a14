//! One message: its head becomes the event, its attachments become files.

use luytre_events::value::TimeNs;

use super::super::http::head::Fields;
use super::super::http::odd::Odd;
use super::address::{self, MAX_ADDRESSES};
use super::attachment::{self, Carved};
use super::inspection::Inspected;
use super::mime::{Mime, Parts};
use super::record::EmailMessage;
use super::words;
use crate::protocols::{Direction, Output};

/// Bytes kept of a field's value.
const MAX_VALUE_BYTES: usize = 1024;
/// Attachments that are told.
const MAX_ATTACHMENTS: usize = 64;
/// Messages told that this one answers.
const MAX_REFERENCES: usize = 8;

/// A message as it streams by.
pub struct Message {
    mime: Mime,
    seen: Seen,
}

/// What the event of the transaction that carried a message repeats of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Message-ID without its brackets.
    pub message_id: Option<String>,
    /// Subject, decoded.
    pub subject: Option<String>,
    /// Bytes as carried.
    pub bytes: u64,
}

struct Seen {
    record: EmailMessage,
    carved: Carved,
    direction: Direction,
    bytes: u64,
    inspected: Inspected,
}

impl Message {
    /// A message that this protocol carries in this direction.
    pub fn new(carrier: &'static str, direction: Direction) -> Message {
        let record = EmailMessage { carrier: Some(carrier), ..EmailMessage::default() };
        Message {
            mime: Mime::default(),
            seen: Seen { record, carved: Carved::default(), direction, bytes: 0, inspected: Inspected::new(carrier) },
        }
    }

    /// More of it.
    pub fn data(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        self.seen.bytes += bytes.len() as u64;
        self.mime.data(&mut Reading { seen: &mut self.seen, out }, bytes);
    }

    /// It is over: tells it, unless nothing of it came.
    pub fn end(mut self, out: &mut dyn Output, complete: bool) -> Summary {
        self.mime.end(&mut Reading { seen: &mut self.seen, out }, complete);
        self.seen.inspected.end(out, self.seen.direction);
        let Seen { mut record, bytes, .. } = self.seen;
        let summary = Summary { message_id: record.message_id.clone(), subject: record.subject.clone(), bytes };
        if bytes > 0 {
            (record.bytes, record.cut) = (Some(bytes), (!complete).then_some(true));
            out.event(record.into_body());
        }
        summary
    }
}

/// Fields that a message has once (RFC 5322 section 3.6).
const ONCE: [&str; 10] =
    ["date", "from", "sender", "reply-to", "to", "cc", "message-id", "in-reply-to", "references", "subject"];

/// A message, and where what it tells goes.
struct Reading<'a> {
    seen: &'a mut Seen,
    out: &'a mut dyn Output,
}

impl Parts for Reading<'_> {
    fn head(&mut self, fields: &Fields) {
        if !read(&mut self.seen.record, fields) {
            self.out.anomaly("email.too_many_addresses");
        }
        self.seen.inspected.head(self.out, self.seen.direction, fields);
        let once = |name: &&str| fields.all(name).nth(1).is_some();
        if ONCE.iter().any(once) {
            self.out.anomaly("email.repeated_field");
        }
        if fields.odd.has(Odd::COLON) || fields.odd.has(Odd::MANY) {
            self.out.anomaly("email.odd_head");
        }
    }

    fn begin(&mut self, fields: &Fields, _top: bool) {
        self.seen.inspected.begin(fields);
        let Some(attachment) = attachment::attachment(fields) else { return };
        let record = &mut self.seen.record;
        if record.attachment_names.len() < MAX_ATTACHMENTS {
            record.attachment_names.push(attachment.name.clone().unwrap_or_default());
            record.attachment_types.push(attachment.claimed_type.clone().unwrap_or_default());
        } else {
            self.out.anomaly("email.too_many_attachments");
        }
        self.seen.carved.open(self.out, attachment, self.seen.direction);
    }

    fn data(&mut self, bytes: &[u8]) {
        self.seen.inspected.data(self.out, bytes);
        self.seen.carved.data(self.out, bytes);
    }

    fn end(&mut self, complete: bool) {
        self.seen.carved.close(self.out, complete);
    }

    fn limit(&mut self, name: &'static str) {
        self.out.anomaly(name);
    }
}

/// Takes in the head of a message; says whether all of its addresses were.
fn read(record: &mut EmailMessage, fields: &Fields) -> bool {
    let text = |name: &str| {
        let value = fields.get(name).map(|value| words::decoded(value, MAX_VALUE_BYTES));
        value.filter(|value| !value.is_empty())
    };
    let mut all = true;
    let mut addresses = |name: &str| {
        let mut read: Vec<_> = fields.all(name).flat_map(address::addresses).take(MAX_ADDRESSES + 1).collect();
        all &= read.len() <= MAX_ADDRESSES;
        read.truncate(MAX_ADDRESSES);
        read
    };
    let from = addresses("from");
    let mut list = |name: &str| addresses(name).into_iter().map(|a| a.address).collect::<Vec<_>>();
    record.from_names = from.iter().filter_map(|address| address.name.clone()).collect();
    record.from = from.into_iter().map(|address| address.address).collect();
    (record.to, record.cc, record.bcc) = (list("to"), list("cc"), list("bcc"));
    record.reply_to = list("reply-to");
    record.sender = list("sender").into_iter().next();
    record.return_path = list("return-path").into_iter().next();
    record.subject = text("subject");
    record.message_id = text("message-id").map(|id| without_brackets(&id));
    let answers = text("in-reply-to").unwrap_or_default();
    record.in_reply_to = answers.split_ascii_whitespace().take(MAX_REFERENCES).map(without_brackets).collect();
    record.date = text("date").and_then(|date| timestamp(&date));
    record.x_mailer = text("x-mailer").or_else(|| text("user-agent"));
    record.content_type = fields.mime_type();
    let received = fields.all("received").count() as u64;
    record.received_count = (received > 0).then_some(received);
    record.originating_ip = text("x-originating-ip").map(|ip| ip.trim_matches(['[', ']']).to_owned());
    all
}

fn without_brackets(id: &str) -> String {
    id.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}

/// The moment of a Date field (RFC 5322 section 3.3), comments let go.
fn timestamp(date: &str) -> Option<TimeNs> {
    let plain = date.split('(').next()?.trim();
    let zoned = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_zoned(plain).ok()?;
    Some(TimeNs(i64::try_from(zoned.timestamp().as_nanosecond()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        let time = |date| timestamp(date).map(|time| time.0);
        assert_eq!(time("Sun, 22 Nov 2026 15:00:00 +0700 (ICT)"), Some(1_795_334_400_000_000_000));
        assert_eq!(time("22 Nov 2026 08:00:00 GMT"), Some(1_795_334_400_000_000_000));
        assert_eq!(time("yesterday"), None);
    }
}
