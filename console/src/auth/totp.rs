//! Time-based one-time codes (RFC 6238, SHA-1, six digits, thirty seconds), as authenticator apps make them.

use sha1::{Digest as _, Sha1};

/// Seconds for which a code stands.
pub const STEP_S: i64 = 30;

/// How many steps a clock may be off, each way.
const DRIFT: i64 = 1;

/// How many bytes a secret has.
const SECRET_BYTES: usize = 20;

/// RFC 4648 base 32.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret, as people type it into an app.
pub fn random_secret() -> anyhow::Result<String> {
    let mut bytes = [0u8; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|cause| anyhow::anyhow!("draw a random secret: {cause}"))?;
    Ok(encode(&bytes))
}

/// Ten recovery codes.
pub fn recovery_codes() -> anyhow::Result<Vec<String>> {
    let code = |_| {
        let mut bytes = [0u8; 10];
        getrandom::fill(&mut bytes).map_err(|cause| anyhow::anyhow!("draw a recovery code: {cause}"))?;
        let text = encode(&bytes).to_lowercase();
        let groups: Vec<String> =
            text.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
        Ok(groups.join("-"))
    };
    (0..10).map(code).collect()
}

/// The address that an app reads from a QR code.
pub fn address(secret: &str, name: &str) -> String {
    let name = crate::collector::path_part(name);
    format!("otpauth://totp/Luy%20Tre:{name}?secret={secret}&issuer=Luy%20Tre&algorithm=SHA1&digits=6&period={STEP_S}")
}

/// The address as a QR code: the path of an SVG whose modules are one unit wide, and its width.
pub fn picture(address: &str) -> anyhow::Result<(String, i32)> {
    let code = qrcodegen::QrCode::encode_text(address, qrcodegen::QrCodeEcc::Medium)
        .map_err(|cause| anyhow::anyhow!("draw a QR code: {cause}"))?;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in 0..code.size() {
            if code.get_module(x, y) {
                path.push_str(&format!("M{x} {y}h1v1h-1z"));
            }
        }
    }
    Ok((path, code.size()))
}

/// The time step in which a code fits now, newer than the last one used; nothing when it does not fit.
pub fn fits(secret: &str, code: &str, now_us: i64, last_step: i64) -> Option<i64> {
    let key = decode(secret)?;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let now = now_us.div_euclid(1_000_000 * STEP_S);
    (now - DRIFT..=now + DRIFT).find(|step| *step > last_step && super::secrets::same(&code_at(&key, *step), &code))
}

/// The code that an app shows at a moment; nothing when the secret is none.
pub fn shown(secret: &str, now_us: i64) -> Option<String> {
    Some(code_at(&decode(secret)?, now_us.div_euclid(1_000_000 * STEP_S)))
}

/// The code of a time step.
fn code_at(key: &[u8], step: i64) -> String {
    let mac = hmac_sha1(key, &step.to_be_bytes());
    let offset = usize::from(mac.last().copied().unwrap_or_default() & 0x0f);
    let word =
        mac.get(offset..offset + 4).unwrap_or_default().iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

/// HMAC (RFC 2104) with SHA-1; keys here are never longer than a block.
fn hmac_sha1(key: &[u8], text: &[u8]) -> [u8; 20] {
    let pad = |with: u8| -> Vec<u8> {
        let filled = key.iter().copied().chain(std::iter::repeat(0)).take(64);
        filled.map(|byte| byte ^ with).collect()
    };
    let inner = Sha1::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha1::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(5) {
        let word = (0..5).fold(0u64, |word, at| word << 8 | u64::from(group.get(at).copied().unwrap_or_default()));
        let letters = (group.len() * 8).div_ceil(5);
        for at in 0..letters {
            let index = usize::try_from(word >> (35 - 5 * at) & 31).unwrap_or_default();
            text.push(char::from(LETTERS.get(index).copied().unwrap_or(b'A')));
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut word, mut bits) = (0u32, 0);
    for letter in text.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter.to_ascii_uppercase())?;
        word = (word << 5 | u32::try_from(value).ok()?) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the last six of the eight digits there.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = encode(b"12345678901234567890");
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (at_s, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (20_000_000_000, "353130")]
        {
            assert_eq!(fits(&secret, code, at_s * 1_000_000, 0), Some(at_s / STEP_S), "{at_s}");
        }
    }

    #[test]
    fn a_code_works_once_and_only_in_its_time() {
        let secret = encode(b"12345678901234567890");
        let at = |s: i64| s * 1_000_000;
        assert_eq!(fits(&secret, "287 082", at(59 + 30), 0), Some(1), "a clock may be off by a step");
        assert_eq!(fits(&secret, "287082", at(59), 1), None, "used already");
        assert_eq!(fits(&secret, "287082", at(59 + 90), 0), None, "too old");
        assert_eq!(fits(&secret, "", at(59), 0), None);
        assert_eq!(fits("not base 32!", "287082", at(59), 0), None);
    }

    #[test]
    fn secrets_and_recovery_codes_differ() {
        let codes = recovery_codes().unwrap();
        assert_eq!((codes.len(), codes[0].len()), (10, 19));
        assert_ne!(codes[0], codes[1]);
        let secret = random_secret().unwrap();
        assert_eq!(decode(&secret).map(|bytes| bytes.len()), Some(SECRET_BYTES));
        let (path, size) = picture(&address(&secret, "lan")).unwrap();
        assert!(size > 20 && path.starts_with('M'));
    }
}
