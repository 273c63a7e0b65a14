//! Keywords of protocols whose values are words or numbers of their own: `dnp3_obj`, `ike.chosen_sa_attribute`,
//! `krb5.ticket_encryption`, `krb5.weak_encryption`, `cip_service`, `ssh.protoversion`, `ssh.softwareversion`, `ssl_state`.

use super::super::buffer;
use super::super::language::{Comparison, NumberTest, Reason, number};
use super::super::rule::Condition;
use super::Draft;
use super::content::unquoted;

/// Attributes of IKE version 1 (RFC 2409 appendix A).
const ATTRIBUTES: [(&str, u64); 10] = [
    ("alg_enc", 1),
    ("alg_hash", 2),
    ("alg_auth", 3),
    ("alg_dh", 4),
    ("sa_group_type", 5),
    ("sa_life_type", 11),
    ("sa_life_duration", 12),
    ("alg_prf", 13),
    ("sa_key_length", 14),
    ("sa_field_size", 15),
];

/// Names of kinds of encryption of Kerberos, as rules spell them.
const ENCRYPTIONS: [(&str, i64); 11] = [
    ("des-cbc-crc", 1),
    ("des-cbc-md4", 2),
    ("des-cbc-md5", 3),
    ("des3-cbc-md5", 5),
    ("des3-cbc-sha1", 7),
    ("des3-cbc-sha1-kd", 16),
    ("aes128-cts-hmac-sha1-96", 17),
    ("aes256-cts-hmac-sha1-96", 18),
    ("rc4-hmac", 23),
    ("rc4-hmac-exp", 24),
    ("camellia128-cts-cmac", 25),
];

/// States of a handshake, and what the sensor calls them.
const STATES: [(&str, &str); 4] = [
    ("client_hello", "client_hello_done"),
    ("server_hello", "server_hello"),
    ("client_keyx", "client_keyx"),
    ("server_keyx", "server_keyx"),
];

impl Draft {
    /// Takes a keyword of this family.
    pub fn words(&mut self, keyword: &str, value: Option<&str>) -> Option<Result<(), Reason>> {
        let text = unquoted(value.unwrap_or("").trim());
        let numbers = |tests: Result<Vec<NumberTest>, Reason>| tests.map(Condition::Number);
        let (id, condition) = match keyword {
            "dnp3_obj" | "dnp3.obj" => (buffer::DNP3_OBJECT, numbers(object(text))),
            "ike.chosen_sa_attribute" => (buffer::IKE_CHOSEN, numbers(attribute(text))),
            "krb5.ticket_encryption" => (buffer::KRB5_TICKET_ENCRYPTION, numbers(encryptions(text))),
            "krb5.weak_encryption" => (buffer::KRB5_WEAK, numbers(Ok(vec![NumberTest(Comparison::Equal(1))]))),
            "ssh.protoversion" => match text {
                "2_compat" => (buffer::SSH_PROTO, Ok(Condition::OneOf(vec!["2", "2.0", "1.99"]))),
                _ => return Some(self.whole_word(buffer::SSH_PROTO, text)),
            },
            "ssh.softwareversion" => return Some(self.lists.named(buffer::SSH_SOFTWARE, text)),
            "ssl_state" => (buffer::APP_STATE, states(text)),
            "cip_service" => return Some(self.cip_service(text)),
            _ => return None,
        };
        self.addresses_only = false;
        if keyword == "ssl_state" {
            self.event_protocol = super::events::listed("spoken", keyword).map(str::to_owned);
        }
        Some(condition.and_then(|condition| self.lists.judged(id, condition)))
    }

    /// `service[,class[,attribute]]`.
    fn cip_service(&mut self, text: &str) -> Result<(), Reason> {
        self.addresses_only = false;
        let parts = [buffer::CIP_SERVICE, buffer::ENIP_CIP_CLASS, buffer::ENIP_CIP_ATTRIBUTE];
        for (id, part) in parts.into_iter().zip(text.split(',')) {
            self.lists.judged(id, Condition::Number(vec![NumberTest::parse(part)?]))?;
        }
        Ok(())
    }

    fn whole_word(&mut self, id: buffer::BufferId, text: &str) -> Result<(), Reason> {
        self.addresses_only = false;
        self.lists.whole(id, text)
    }
}

/// `group,variation`.
fn object(text: &str) -> Result<Vec<NumberTest>, Reason> {
    let small = |text: &str| number(text).filter(|number| *number < 256);
    let parts = text.split_once(',').and_then(|(group, variation)| Some((small(group)?, small(variation)?)));
    let (group, variation) = parts.ok_or_else(|| format!("{text} is no group and variation"))?;
    Ok(vec![NumberTest(Comparison::Equal(group << 8 | variation))])
}

/// `name=number`.
fn attribute(text: &str) -> Result<Vec<NumberTest>, Reason> {
    let (name, value) = text.split_once('=').ok_or("it wants attribute=number")?;
    let known = ATTRIBUTES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())).map(|(_, id)| *id);
    let id = known.ok_or_else(|| format!("{name} is no attribute"))?;
    let value = number(value).filter(|value| *value <= u64::from(u32::MAX));
    Ok(vec![NumberTest(Comparison::Equal(id << 32 | value.ok_or("the value is no number")?))])
}

/// `weak`, or numbers and names with commas between them.
fn encryptions(text: &str) -> Result<Vec<NumberTest>, Reason> {
    let equal = |kind: i64| NumberTest(Comparison::Equal(kind.cast_unsigned()));
    if text == "weak" {
        return Ok((0..=7).chain([16, 23, 24]).chain(-140..=-128).map(equal).collect());
    }
    let one = |word: &str| {
        let word = word.trim();
        let named = ENCRYPTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, kind)| *kind);
        named.or_else(|| word.parse().ok()).map(equal).ok_or_else(|| format!("{word} is no kind of encryption"))
    };
    text.split(',').map(one).collect()
}

/// Names of states with commas between them.
fn states(text: &str) -> Result<Condition, Reason> {
    let one = |word: &str| {
        let known = STATES.iter().find(|(known, _)| *known == word.trim()).map(|(_, state)| *state);
        known.ok_or_else(|| format!("{word} is no state of a handshake that is told to rules"))
    };
    Ok(Condition::OneOf(text.split([',', '|']).map(one).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(tests: Result<Vec<NumberTest>, Reason>, number: u64) -> bool {
        tests.unwrap().iter().any(|test| test.accepts(number))
    }

    #[test]
    fn words_stand_for_numbers() {
        assert!(accepts(object("12, 1"), 12 << 8 | 1) && object("12").is_err() && object("300,1").is_err());
        assert!(accepts(attribute("alg_hash=2"), 2 << 32 | 2) && attribute("x=1").is_err());
        assert!(accepts(encryptions("weak"), 23) && accepts(encryptions("weak"), (-133i64).cast_unsigned()));
        assert!(!accepts(encryptions("weak"), 18) && accepts(encryptions("23, aes256-cts-hmac-sha1-96"), 18));
        assert!(states("client_hello,server_hello").is_ok() && states("done").is_err());
    }
}
