//! The one-time enrolment token: what the collector prints and a sensor is given.
//!
//! Text: `lt1.` and base64url without padding (RFC 4648 section 5) of a 16-byte secret and the 32-byte SHA-256 digest of
//! the authority's certificate (DER). The digest lets the sensor know its collector before it trusts anything.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const PREFIX: &str = "lt1.";

/// A token.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolmentToken {
    /// Known to the collector and to whoever was given the token.
    pub secret: [u8; 16],
    /// SHA-256 of the authority's certificate.
    pub authority: [u8; 32],
}

/// Why a text is not a token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an enrolment token: copy all of what `luytre-collector token create` printed, from `lt1.` on")]
pub struct BadToken;

impl EnrolmentToken {
    /// The secret as it goes over the wire.
    pub fn secret_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.secret)
    }
}

impl fmt::Display for EnrolmentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<u8> = self.secret.iter().chain(&self.authority).copied().collect();
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// Without the secret, so that it does not end in a log.
impl fmt::Debug for EnrolmentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrolmentToken({})", hex::encode(self.authority))
    }
}

impl FromStr for EnrolmentToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(BadToken)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| BadToken)?;
        let (secret, authority) = bytes.split_first_chunk::<16>().ok_or(BadToken)?;
        Ok(EnrolmentToken { secret: *secret, authority: authority.try_into().map_err(|_| BadToken)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_a_cut_one_does_not() {
        let token = EnrolmentToken { secret: [7; 16], authority: [9; 32] };
        let text = token.to_string();
        assert_eq!(text.parse(), Ok(token));
        for cut in 0..text.len() {
            assert!(text[..cut].parse::<EnrolmentToken>().is_err(), "{cut}");
        }
    }
}
