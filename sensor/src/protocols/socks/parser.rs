//! Follows one flow: what is said to the proxy, then what goes through it.

use super::message::{self, Place};
use super::record::SocksRequest;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::tunnel::Tunnel;
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// Bytes of one side that wait for their turn; the messages are shorter by their format.
const MAX_WAITING_BYTES: usize = 16 * 1024;

/// The parser of one flow.
#[derive(Default)]
pub struct SocksParser {
    /// Proxies around this connection.
    level: u8,
    client: Vec<u8>,
    server: Vec<u8>,
    stage: Stage,
    record: SocksRequest,
    told: bool,
    tunnel: Option<Tunnel>,
}

/// What comes next.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Greeting,
    Method,
    Password,
    PasswordReply,
    Request,
    Reply,
    Reply4,
    /// The proxy has handed over.
    Through,
    Over,
}

impl Stage {
    fn speaker(self) -> Direction {
        match self {
            Stage::Greeting | Stage::Password | Stage::Request => Direction::ToServer,
            _ => Direction::ToClient,
        }
    }
}

impl Parser for SocksParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if let Some(tunnel) = &mut self.tunnel {
            return tunnel.data(out, direction, bytes);
        }
        match direction {
            Direction::ToServer => self.client.extend_from_slice(bytes),
            Direction::ToClient => self.server.extend_from_slice(bytes),
        }
        if self.client.len().max(self.server.len()) > MAX_WAITING_BYTES {
            out.anomaly("socks.out_of_turn");
            return Progress::Done;
        }
        while !matches!(self.stage, Stage::Through | Stage::Over) {
            let stage = self.stage;
            let buffer = std::mem::take(self.buffer(stage.speaker()));
            let mut r = Reader::new(&buffer);
            let step = if buffer.is_empty() { Err(Short) } else { self.message(out, stage, &mut r) };
            let rest = if step.is_ok() { r.rest() } else { &buffer }.to_vec();
            *self.buffer(stage.speaker()) = rest;
            match step {
                Ok(next) => self.stage = next,
                Err(Short) => break,
            }
        }
        match self.stage {
            Stage::Through => self.through(out),
            Stage::Over => Progress::Done,
            _ => Progress::Continue,
        }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        self.tunnel.as_mut().map_or(Progress::Done, |tunnel| tunnel.gap(out, direction, length))
    }

    fn finish(&mut self, out: &mut dyn Output) {
        self.tell(out);
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.finish(out);
        }
    }
}

impl SocksParser {
    /// A parser for a connection inside `level` tunnels.
    pub fn inside(level: u8) -> SocksParser {
        SocksParser { level, ..SocksParser::default() }
    }

    fn buffer(&mut self, direction: Direction) -> &mut Vec<u8> {
        match direction {
            Direction::ToServer => &mut self.client,
            Direction::ToClient => &mut self.server,
        }
    }

    fn tell(&mut self, out: &mut dyn Output) {
        if self.record.version != 0 && !self.told {
            self.told = true;
            out.event(std::mem::take(&mut self.record).into_body());
        }
    }

    /// Hands over what came behind the proxy's messages, and tells the request first.
    fn through(&mut self, out: &mut dyn Output) -> Progress {
        self.tell(out);
        self.tunnel = Tunnel::new(self.level);
        let (client, server) = (std::mem::take(&mut self.client), std::mem::take(&mut self.server));
        for (direction, bytes) in [(Direction::ToServer, client), (Direction::ToClient, server)] {
            if !bytes.is_empty() && self.data(out, direction, &bytes) == Progress::Done {
                return Progress::Done;
            }
        }
        if self.tunnel.is_some() { Progress::Continue } else { Progress::Done }
    }

    fn message(&mut self, out: &mut dyn Output, stage: Stage, r: &mut Reader<'_>) -> Result<Stage, Short> {
        let record = &mut self.record;
        match stage {
            Stage::Greeting => match r.rest().first() {
                Some(4) => {
                    let request = message::request4(r.rest())?;
                    r.skip(request.length)?;
                    record.version = 4;
                    record.command = message::command(request.command);
                    record.user_name = name(&request.user);
                    self.place(request.place, request.port);
                    Ok(Stage::Reply4)
                }
                Some(5) => {
                    r.skip(1)?;
                    let methods = r.part8()?;
                    record.version = 5;
                    record.methods = methods.rest().iter().take(16).map(|method| message::method(*method)).collect();
                    Ok(Stage::Method)
                }
                _ => Ok(malformed(out)),
            },
            Stage::Method => {
                let (version, method) = (r.u8()?, r.u8()?);
                if version != 5 {
                    return Ok(malformed(out));
                }
                record.method = Some(message::method(method));
                Ok(match method {
                    0 => Stage::Request,
                    2 => Stage::Password,
                    // What other methods say is not known.
                    _ => Stage::Over,
                })
            }
            Stage::Password => {
                r.skip(1)?;
                let user = r.part8()?;
                let password = r.part8()?;
                record.user_name = name(user.rest());
                record.password_seen = (!password.is_empty()).then_some(true);
                Ok(Stage::PasswordReply)
            }
            Stage::PasswordReply => {
                r.skip(1)?;
                if r.u8()? == 0 {
                    return Ok(Stage::Request);
                }
                record.reply = Some("log-in refused".to_owned());
                Ok(Stage::Over)
            }
            Stage::Request => {
                let (version, command) = (r.u8()?, r.u8()?);
                r.skip(1)?;
                let Some((place, port)) = message::place5(r)?.filter(|_| version == 5) else {
                    return Ok(malformed(out));
                };
                record.command = message::command(command);
                self.place(place, port);
                Ok(Stage::Reply)
            }
            Stage::Reply => {
                let (version, reply) = (r.u8()?, r.u8()?);
                r.skip(1)?;
                let Some((place, port)) = message::place5(r)?.filter(|_| version == 5) else {
                    return Ok(malformed(out));
                };
                record.reply = Some(message::reply5(reply));
                if let (Place::Ip(ip), true) = (place, reply == 0) {
                    (record.bound_ip, record.bound_port) = (Some(ip), Some(port));
                }
                Ok(self.granted(reply == 0))
            }
            Stage::Reply4 => {
                r.skip(1)?;
                let reply = r.u8()?;
                let port = r.u16()?;
                let ip = r.array::<4>()?;
                record.reply = Some(message::reply4(reply));
                if reply == 90 {
                    (record.bound_ip, record.bound_port) = (Some(ip.into()), Some(port));
                }
                Ok(self.granted(reply == 90))
            }
            Stage::Through | Stage::Over => Err(Short),
        }
    }

    fn place(&mut self, place: Place, port: u16) {
        match place {
            Place::Ip(ip) => self.record.ip = Some(ip),
            Place::Domain(domain) => self.record.domain = Some(domain.to_lowercase()),
        }
        self.record.port = Some(port);
    }

    fn granted(&self, granted: bool) -> Stage {
        if granted && self.record.command == Some("connect") { Stage::Through } else { Stage::Over }
    }
}

fn name(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| text::text(bytes, 255))
}

fn malformed(out: &mut dyn Output) -> Stage {
    out.anomaly("socks.malformed");
    Stage::Over
}
