//! Follows one flow: pairs requests with what the server makes of them.

use std::collections::VecDeque;

use luytre_events::Transport;

use super::message::{self, ANSWER, CANCEL, CLIENT, FIRST, GSS, SERVER, SSL, STARTUP, name, string};
use super::prepared::{Names, Prepared};
use super::record::PostgresqlRequest;
use super::tls;
use crate::protocols::framing::{Format, Frames, Message, Step};
use crate::protocols::reader::Reader;
use crate::protocols::{Direction, Output, Parser, Progress, buffer, sql, text};

/// Requests that wait for their result.
pub const MAX_OPEN: usize = 128;
/// Results of one request that are told.
const MAX_RESULTS: usize = 16;

/// Bytes of a first message that has nothing but its length and its kind.
const FIRST_BYTES: usize = 8;

/// The parser of one flow.
#[derive(Default)]
pub struct PostgresqlParser {
    to_server: Frames,
    to_client: Frames,
    /// The client's messages have kinds from now on.
    started: bool,
    /// The server's first byte was seen.
    answered: bool,
    /// What the server demands as proof, by its number.
    demand: Option<u32>,
    open: VecDeque<Open>,
    /// Answers to wishes for encryption that are still to come.
    wishes: u8,
    statements: Names,
    portals: Names,
    /// An answer may have been missed.
    gapped: bool,
    secured: Option<Box<dyn Parser>>,
    over: bool,
}

/// A request that waits.
struct Open {
    kind: Kind,
    record: PostgresqlRequest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Wish,
    Login,
    Query,
    Execute,
    /// Told only if it fails.
    Prepare,
    Function,
    /// The end of a group of requests; never told.
    Sync,
}

impl Kind {
    /// Whether its end is that the server is ready for more.
    fn ends_when_ready(self) -> bool {
        matches!(self, Kind::Login | Kind::Query | Kind::Function | Kind::Sync)
    }
}

impl Parser for PostgresqlParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        loop {
            if let Some(secured) = &mut self.secured {
                return if bytes.is_empty() { Progress::Continue } else { secured.data(out, direction, bytes) };
            }
            if self.over {
                return Progress::Done;
            }
            let step = match direction {
                Direction::ToServer => self.to_server.next(&mut bytes, self.client_format()),
                Direction::ToClient => self.to_client.next(&mut bytes, self.server_format()),
            };
            match step {
                Some(Step::Message(message)) if direction == Direction::ToServer => self.request(out, &message),
                Some(Step::Message(message)) => self.answer(out, &message),
                Some(Step::Lost) => out.anomaly("postgresql.framing_lost"),
                None => break,
            }
        }
        if self.to_server.is_lost() && self.to_client.is_lost() { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        if let Some(secured) = &mut self.secured {
            return secured.gap(out, direction, length);
        }
        match direction {
            Direction::ToServer => {
                self.to_server.gap(length, self.client_format());
                // Whatever was missing, what comes next has a kind.
                self.started = true;
            }
            Direction::ToClient => {
                self.to_client.gap(length, self.server_format());
                (self.answered, self.gapped) = (true, true);
            }
        }
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for open in std::mem::take(&mut self.open) {
            tell(out, open);
        }
        if let Some(secured) = &mut self.secured {
            secured.finish(out);
        }
    }
}

impl PostgresqlParser {
    fn client_format(&self) -> &'static Format {
        if self.started { &CLIENT } else { &STARTUP }
    }

    fn server_format(&self) -> &'static Format {
        if self.wishes > 0 {
            &ANSWER
        } else if self.answered || self.started {
            &SERVER
        } else {
            &FIRST
        }
    }

    fn wait(&mut self, out: &mut dyn Output, kind: Kind, record: PostgresqlRequest) {
        if std::mem::take(&mut self.gapped) {
            for open in self.open.drain(..) {
                tell(out, open);
            }
        }
        if self.open.len() >= MAX_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            out.anomaly("postgresql.open_limit");
            tell(out, oldest);
        }
        self.open.push_back(Open { kind, record });
    }

    fn request(&mut self, out: &mut dyn Output, message: &Message<'_>) {
        if !self.started && message.bytes.first() == Some(&0) {
            self.startup(out, &message.bytes);
            return;
        }
        self.started = true;
        let mut r = Reader::new(message.bytes.get(5..).unwrap_or(&[]));
        let said = |r: &Reader<'_>| message.length.saturating_sub(5 + r.position()).saturating_sub(1) as u64;
        match message.bytes.first() {
            Some(b'Q') => {
                let bytes = said(&r);
                out.inspect(Direction::ToServer, buffer::PGSQL_QUERY, string(&mut { r }));
                out.transaction(Direction::ToServer);
                let statement = sql::statement(string(&mut r), message::QUOTES);
                let prepared = Prepared { statement: statement.text, bytes, secret: statement.secret, values: None };
                self.wait(out, Kind::Query, of_statement("query", Some(&prepared)));
            }
            Some(b'P') => {
                let name = text::text(string(&mut r), message::MAX_NAME_BYTES);
                let bytes = match string(&mut { r }) {
                    whole if message.is_whole() => whole.len() as u64,
                    _ => said(&r),
                };
                let statement = sql::statement(string(&mut r), message::QUOTES);
                let prepared = Prepared { statement: statement.text, bytes, secret: statement.secret, values: None };
                self.wait(out, Kind::Prepare, of_statement("prepare", Some(&prepared)));
                if self.statements.set(name, prepared) {
                    out.anomaly("postgresql.statement_limit");
                }
            }
            Some(b'B') => self.bind(out, r),
            Some(b'E') => {
                let portal = text::text(string(&mut r), message::MAX_NAME_BYTES);
                let record = of_statement("execute", self.portals.get(&portal));
                self.wait(out, Kind::Execute, record);
            }
            Some(b'F') => self.wait(out, Kind::Function, of_statement("function", None)),
            Some(b'S') => self.wait(out, Kind::Sync, PostgresqlRequest::default()),
            Some(b'p') => self.proof(r),
            Some(b'd') => {
                if let Some(open) = self.running() {
                    *open.record.copied.get_or_insert(0) += 1;
                }
            }
            Some(b'X') => self.over = self.open.is_empty(),
            _ => {}
        }
    }

    /// A client's first messages.
    fn startup(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        let mut r = Reader::new(bytes);
        let (_, Ok(code)) = (r.u32(), r.u32()) else { return };
        let record = |command| PostgresqlRequest { command, ..PostgresqlRequest::default() };
        match code {
            SSL | GSS => {
                self.wishes = self.wishes.saturating_add(1);
                self.wait(out, Kind::Wish, record(if code == SSL { "ssl_request" } else { "gss_request" }));
            }
            CANCEL => {
                let process_id = r.u32().ok().map(u64::from);
                out.event(PostgresqlRequest { process_id, ..record("cancel") }.into_body());
                self.over = true;
            }
            _ if !message::begins_session(bytes) && bytes.len() <= FIRST_BYTES => {
                // Nobody knows this kind of message, and it says nothing that could be told.
                out.anomaly("postgresql.malformed");
            }
            _ => {
                let mut record = record("login");
                record.version = Some(format!("{}.{}", code >> 16, code & 0xffff));
                while !r.is_empty() {
                    let (key, value) = (string(&mut r), string(&mut r));
                    match key {
                        b"user" => record.user = name(value),
                        b"database" => record.database = name(value),
                        b"application_name" => record.application = name(value),
                        b"replication" => record.replication = name(value),
                        _ => {}
                    }
                }
                // A database that is not named has the user's name.
                record.database = record.database.or_else(|| record.user.clone());
                self.started = true;
                self.wait(out, Kind::Login, record);
            }
        }
    }

    fn bind(&mut self, out: &mut dyn Output, mut r: Reader<'_>) {
        let portal = text::text(string(&mut r), message::MAX_NAME_BYTES);
        let statement = text::text(string(&mut r), message::MAX_NAME_BYTES);
        let formats = r.u16().unwrap_or(0);
        let values = r.skip(usize::from(formats) * 2).and_then(|()| r.u16()).ok().map(u64::from);
        let prepared = self.statements.get(&statement).cloned().unwrap_or_default();
        if self.portals.set(portal, Prepared { values, ..prepared }) {
            out.anomaly("postgresql.statement_limit");
        }
    }

    /// What the client proves itself with depends on what the server demanded.
    fn proof(&mut self, mut r: Reader<'_>) {
        let Some(login) = self.open.front_mut().filter(|open| open.kind == Kind::Login) else { return };
        match self.demand {
            Some(3) => login.record.password_seen = Some(true),
            Some(10) => login.record.method = name(string(&mut r)),
            _ => {}
        }
    }

    fn answer(&mut self, out: &mut dyn Output, message: &Message<'_>) {
        if message.length == 1 {
            self.granted(out, message.bytes.first() != Some(&b'N'), message.bytes.first() == Some(&b'S'));
            return;
        }
        self.answered = true;
        let body = message.bytes.get(5..).unwrap_or(&[]);
        let mut r = Reader::new(body);
        match message.bytes.first() {
            Some(b'R') => self.demanded(r),
            Some(b'S') if self.is_login() => {
                let (key, value) = (string(&mut r), string(&mut r));
                if let (b"server_version", Some(open)) = (key, self.open.front_mut()) {
                    open.record.server_version = name(value);
                }
            }
            Some(b'K') => {
                if let (Ok(id), Some(open)) = (r.u32(), self.open.front_mut()) {
                    open.record.process_id = Some(id.into());
                }
            }
            Some(b'1') if self.open.front().is_some_and(|open| open.kind == Kind::Prepare) => {
                self.open.pop_front();
            }
            Some(b'T') => {
                if let (Ok(columns), Some(open)) = (r.u16(), self.running()) {
                    open.record.columns = Some(columns.into());
                }
            }
            Some(b'D' | b'd') => {
                if let Some(open) = self.running() {
                    *open.record.rows.get_or_insert(0) += 1;
                    *open.record.row_bytes.get_or_insert(0) += message.length.saturating_sub(5) as u64;
                }
            }
            Some(b'C') => self.completed(out, name(string(&mut r))),
            Some(b's' | b'I') => self.completed(out, None),
            Some(b'E') => self.error(out, body),
            Some(b'Z') => self.ready(out),
            _ => {}
        }
    }

    fn is_login(&self) -> bool {
        self.open.front().is_some_and(|open| open.kind == Kind::Login)
    }

    /// The statement whose rows are coming.
    fn running(&mut self) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.kind != Kind::Prepare).filter(|open| open.kind != Kind::Sync)
    }

    /// The server's answer to a wish for encryption.
    fn granted(&mut self, out: &mut dyn Output, granted: bool, tls: bool) {
        self.wishes = self.wishes.saturating_sub(1);
        if let Some(wish) = self.open.pop_front_if(|open| open.kind == Kind::Wish) {
            out.event(PostgresqlRequest { encrypted: Some(granted), ..wish.record }.into_body());
        }
        if granted && tls {
            self.secured = Some((tls::PROTOCOL.parser)(Transport::TCP));
        } else if granted {
            self.over = true;
        }
    }

    fn demanded(&mut self, mut r: Reader<'_>) {
        let Ok(demand) = r.u32() else { return };
        let before = self.demand.replace(demand);
        let Some(login) = self.open.front_mut().filter(|open| open.kind == Kind::Login) else { return };
        let method = match demand {
            0 if before.is_none() => Some("none".to_owned()),
            2 => Some("kerberos_v5".to_owned()),
            3 => Some("password".to_owned()),
            5 => Some("md5".to_owned()),
            7 => Some("gss".to_owned()),
            9 => Some("sspi".to_owned()),
            10 => name(string(&mut r)),
            _ => None,
        };
        login.record.method = method.or(login.record.method.take());
    }

    /// One statement is done.
    fn completed(&mut self, out: &mut dyn Output, result: Option<String>) {
        let Some(open) = self.running() else { return };
        open.record.outcome = Some("success");
        if open.record.results.len() < MAX_RESULTS {
            open.record.results.extend(result);
        }
        if open.kind == Kind::Execute {
            let place = self.open.iter().position(|open| open.kind == Kind::Execute);
            if let Some(open) = place.and_then(|place| self.open.remove(place)) {
                tell(out, open);
            }
        }
    }

    fn error(&mut self, out: &mut dyn Output, body: &[u8]) {
        let error = message::error(body);
        // An old server does not understand a wish for encryption.
        self.wishes = 0;
        let front = self.open.front_mut().filter(|open| open.kind != Kind::Sync);
        let mut unasked = PostgresqlRequest { command: "error", ..PostgresqlRequest::default() };
        let told = front.is_none();
        let record = front.map_or(&mut unasked, |open| &mut open.record);
        record.outcome = Some("failure");
        record.error_code = error.code;
        record.error_message = error.message;
        if told {
            out.event(unasked.into_body());
            return;
        }
        let ends = [Kind::Prepare, Kind::Execute, Kind::Login, Kind::Wish];
        if let Some(failed) = self.open.pop_front_if(|open| ends.contains(&open.kind)) {
            // What could not be prepared is not executed either.
            let never = |open: &mut Open| open.kind == Kind::Execute && failed.kind == Kind::Prepare;
            self.open.pop_front_if(never);
            out.event(failed.record.into_body());
        }
    }

    /// The server is ready: what was asked before is over.
    fn ready(&mut self, out: &mut dyn Output) {
        while let Some(mut open) = self.open.pop_front() {
            let last = open.kind.ends_when_ready();
            if last && open.record.outcome.is_none() {
                open.record.outcome = Some("success");
            }
            tell(out, open);
            if last {
                break;
            }
        }
    }
}

/// Tells a request; a preparation was told with what executes it.
fn tell(out: &mut dyn Output, open: Open) {
    if !matches!(open.kind, Kind::Sync | Kind::Prepare) {
        out.event(open.record.into_body());
    }
}

fn of_statement(command: &'static str, prepared: Option<&Prepared>) -> PostgresqlRequest {
    let known = prepared.filter(|prepared| !prepared.statement.is_empty());
    PostgresqlRequest {
        command,
        statement: known.map(|prepared| prepared.statement.clone()),
        statement_bytes: known.map(|prepared| prepared.bytes),
        password_seen: known.and_then(|prepared| prepared.secret.then_some(true)),
        values: prepared.and_then(|prepared| prepared.values),
        ..PostgresqlRequest::default()
    }
}
