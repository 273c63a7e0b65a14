//! Follows one flow through the fixed order of its messages (RFC 6143 section 7.1 to 7.3).

use super::record::RfbSession;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress, buffer, text};

/// Bytes of the first message of both sides.
pub const VERSION_BYTES: usize = 12;
/// Bytes of a name or reason that are told.
const MAX_TEXT_BYTES: usize = 256;
/// Longest name or reason that is believed.
const MAX_TEXT_LENGTH: usize = 16 * 1024;

/// Security types of which the exchange is known.
mod security {
    pub const INVALID: u8 = 0;
    pub const NONE: u8 = 1;
    pub const VNC: u8 = 2;
}

/// The parser of one flow.
#[derive(Default)]
pub struct RfbParser {
    client: Vec<u8>,
    server: Vec<u8>,
    stage: Stage,
    /// Minor version that both speak: 3, 7 or 8.
    minor: u32,
    /// How the client proves who it is.
    kind: u8,
    record: RfbSession,
    begun: bool,
}

/// What comes next, and from whom.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    #[default]
    ServerVersion,
    ClientVersion,
    /// The server decides (3.3).
    Decided,
    /// The server offers.
    Offered,
    /// The client chooses.
    Chosen,
    Challenge,
    Response,
    Result,
    Reason,
    ClientInit,
    ServerInit,
    Over,
}

/// What a message comes to.
type Step = Result<Stage, Stop>;

/// Why a message was not read.
enum Stop {
    /// Not all of it has come.
    More,
    /// It cannot be of this protocol.
    Malformed,
}

impl From<Short> for Stop {
    fn from(_: Short) -> Stop {
        Stop::More
    }
}

impl Stage {
    fn speaker(self) -> Direction {
        match self {
            Stage::ClientVersion | Stage::Chosen | Stage::Response | Stage::ClientInit => Direction::ToServer,
            _ => Direction::ToClient,
        }
    }
}

/// The version in the first message: `RFB 003.008` and a line end.
pub fn version(bytes: &[u8]) -> Option<(u32, u32)> {
    let line = bytes.get(..VERSION_BYTES)?.strip_prefix(b"RFB ")?.strip_suffix(b"\n")?;
    let (major, minor) = std::str::from_utf8(line).ok()?.split_once('.')?;
    let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?;
    Some((number(major)?, number(minor)?))
}

impl Parser for RfbParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        match direction {
            Direction::ToServer => self.client.extend_from_slice(bytes),
            Direction::ToClient => self.server.extend_from_slice(bytes),
        }
        while self.stage != Stage::Over {
            let stage = self.stage;
            let buffer = match stage.speaker() {
                Direction::ToServer => std::mem::take(&mut self.client),
                Direction::ToClient => std::mem::take(&mut self.server),
            };
            let mut r = Reader::new(&buffer);
            let step = self.message(stage, &mut r);
            let rest = if step.is_ok() { r.rest() } else { &buffer }.to_vec();
            match stage.speaker() {
                Direction::ToServer => self.client = rest,
                Direction::ToClient => self.server = rest,
            }
            match step {
                Ok(next) => {
                    self.stage = next;
                    self.inspect(out, stage);
                }
                Err(Stop::More) => break,
                Err(Stop::Malformed) => {
                    out.anomaly("rfb.malformed");
                    self.stage = Stage::Over;
                }
            }
        }
        // A side that says much out of turn is not followed.
        if self.client.len().max(self.server.len()) > 2 * MAX_TEXT_LENGTH {
            out.anomaly("rfb.malformed");
            return Progress::Done;
        }
        if self.stage == Stage::Over { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, _out: &mut dyn Output, _direction: Direction, _length: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if self.begun {
            out.event(std::mem::take(&mut self.record).into_body());
        }
    }
}

impl RfbParser {
    fn message(&mut self, stage: Stage, r: &mut Reader<'_>) -> Step {
        let record = &mut self.record;
        match stage {
            Stage::ServerVersion | Stage::ClientVersion => {
                let (major, minor) = version(r.take(VERSION_BYTES)?).ok_or(Stop::Malformed)?;
                self.begun = true;
                let told = Some(format!("{major}.{minor}"));
                if stage == Stage::ServerVersion {
                    record.server_version = told;
                    return Ok(Stage::ClientVersion);
                }
                record.client_version = told;
                // Others than 3.7 and 3.8 are spoken as 3.3 (RFC 6143 section 7.1.1), except Apple's 3.889, which is 3.8.
                self.minor = if minor >= 8 {
                    8
                } else if minor == 7 {
                    7
                } else {
                    3
                };
                Ok(if self.minor == 3 { Stage::Decided } else { Stage::Offered })
            }
            Stage::Decided => {
                let kind = u8::try_from(r.u32()?).map_err(|_| Stop::Malformed)?;
                if kind != security::INVALID {
                    record.security_types = vec![name(kind)];
                }
                Ok(self.chosen(kind))
            }
            Stage::Offered => {
                let kinds = r.part8()?;
                record.security_types = kinds.rest().iter().map(|kind| name(*kind)).collect();
                Ok(if kinds.is_empty() { Stage::Reason } else { Stage::Chosen })
            }
            Stage::Chosen => {
                let kind = r.u8()?;
                Ok(self.chosen(kind))
            }
            Stage::Challenge => r.skip(16).map(|()| Stage::Response).map_err(Stop::from),
            Stage::Response => r.skip(16).map(|()| Stage::Result).map_err(Stop::from),
            Stage::Result => {
                let success = r.u32()? == 0;
                record.auth_success = Some(success);
                Ok(match (success, self.minor) {
                    (true, _) => Stage::ClientInit,
                    (false, 8) => Stage::Reason,
                    (false, _) => Stage::Over,
                })
            }
            Stage::Reason => {
                record.failure_reason = Some(string(r)?);
                record.auth_success = Some(false);
                Ok(Stage::Over)
            }
            Stage::ClientInit => {
                record.shared = Some(r.u8()? != 0);
                Ok(Stage::ServerInit)
            }
            Stage::ServerInit => {
                let (width, height) = (r.u16()?, r.u16()?);
                // The format of a pixel.
                r.skip(16)?;
                let name = string(r)?;
                (record.width, record.height, record.desktop_name) = (Some(width), Some(height), Some(name));
                Ok(Stage::Over)
            }
            Stage::Over => Err(Stop::More),
        }
    }

    /// Hands over to signatures what a stage has told.
    fn inspect(&mut self, out: &mut dyn Output, stage: Stage) {
        if !out.inspects() {
            return;
        }
        match stage {
            Stage::Decided | Stage::Chosen => {
                out.inspect_number(stage.speaker(), buffer::RFB_SECURITY_TYPE, self.kind.into());
            }
            Stage::Result | Stage::Reason => {
                let failed = self.record.auth_success != Some(true);
                out.inspect_number(Direction::ToClient, buffer::RFB_SECURITY_RESULT, failed.into());
            }
            Stage::ServerInit => {
                let name = self.record.desktop_name.as_deref().unwrap_or("");
                out.inspect(Direction::ToClient, buffer::RFB_NAME, name.as_bytes());
            }
            _ => return,
        }
        out.transaction(stage.speaker());
    }

    fn chosen(&mut self, kind: u8) -> Stage {
        self.kind = kind;
        if kind != security::INVALID {
            self.record.security_type = Some(name(kind));
        }
        match kind {
            security::INVALID => Stage::Reason,
            security::VNC => Stage::Challenge,
            // Before 3.8 nothing is said of a log-in that nobody had to make.
            security::NONE if self.minor < 8 => Stage::ClientInit,
            security::NONE => Stage::Result,
            _ => Stage::Over,
        }
    }
}

/// A text with four bytes of length before it.
fn string(r: &mut Reader<'_>) -> Result<String, Stop> {
    let length = usize::try_from(r.u32()?).unwrap_or(usize::MAX);
    if length > MAX_TEXT_LENGTH {
        return Err(Stop::Malformed);
    }
    Ok(text::text(r.take(length)?, MAX_TEXT_BYTES))
}

/// Name of a security type, by the registry of RFC 6143 section 8.1.2.
fn name(kind: u8) -> String {
    let known = match kind {
        security::NONE => "None",
        security::VNC => "VNC",
        5 => "RA2",
        6 => "RA2ne",
        16 => "Tight",
        17 => "Ultra",
        18 => "TLS",
        19 => "VeNCrypt",
        20 => "SASL",
        21 => "MD5",
        22 => "xvp",
        30 => "Apple-DH",
        33 => "Apple-RSA-SRP",
        35 => "Apple-Kerberos",
        36 => "Apple-SRP",
        129 => "RA2-256",
        _ => return format!("type-{kind}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_form() {
        assert_eq!(version(b"RFB 003.889\n"), Some((3, 889)));
        assert_eq!(version(b"RFB 003.008"), None);
        assert_eq!(version(b"RFB 003 008\n"), None);
        assert_eq!(version(b"RFB +03.008\n"), None);
    }
}
