//! ID tokens: a signature by one of the provider's keys (JSON Web Signature, RFC 7515 and 7518), and claims that are meant
//! for this console and this log-in (OpenID Connect Core 1.0, 3.1.3.7).
//!
//! Only asymmetric algorithms are known, so that nothing can be signed with what everybody may read; `none` is none of
//! them. A key's own kind must fit the algorithm that the token names.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use super::claims::Claims;

/// How many keys of a provider are looked at.
pub const MAX_KEYS: usize = 50;

/// How far the provider's clock may be off, in seconds.
pub const DRIFT_S: i64 = 60;

/// Why a token is not taken. The texts are for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no token.
    #[error("the token is no signed JSON web token")]
    Form,
    /// Its algorithm is none of those that are known.
    #[error("the token's algorithm is not one that is taken")]
    Algorithm,
    /// No key of the provider has its name and kind.
    #[error("the token names a key that the provider does not publish")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the token's signature is wrong")]
    Signature,
    /// Another provider made it.
    #[error("the token is another issuer's")]
    Issuer,
    /// It is for somebody else.
    #[error("the token is meant for another audience")]
    Audience,
    /// Its time is over, or it names none.
    #[error("the token has expired")]
    Expired,
    /// Its time has not begun.
    #[error("the token is of the future; compare the clocks")]
    Early,
    /// It belongs to another log-in.
    #[error("the token's nonce is not that of this log-in")]
    Nonce,
    /// It names nobody.
    #[error("the token names nobody")]
    Subject,
}

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// How it knows the console.
    pub client_id: &'a str,
    /// What was sent along at the beginning of this log-in.
    pub nonce: &'a str,
    /// The time, seconds since 1970.
    pub now_s: i64,
}

/// The provider's keys, as it publishes them (RFC 7517).
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Keys {
    keys: Vec<Key>,
}

/// A public key; fields of other kinds than its own are empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: String,
    e: String,
    x: String,
    y: String,
}

#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// The claims of a token that is the provider's, for this console, of this log-in and of now.
pub fn check(token: &str, keys: &Keys, wanted: Wanted<'_>) -> Result<Claims, TokenError> {
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
    let (head, body) = signed.split_once('.').ok_or(TokenError::Form)?;
    let head: Head = decoded(head).and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(TokenError::Form)?;
    let signature = decoded(signature).ok_or(TokenError::Form)?;
    if head.crit.is_some() {
        return Err(TokenError::Form);
    }
    let kind = kind_of(&head.alg).ok_or(TokenError::Algorithm)?;
    let mut fitting = keys.keys.iter().take(MAX_KEYS).filter(|key| key.fits(&head, kind)).peekable();
    if fitting.peek().is_none() {
        return Err(TokenError::UnknownKey);
    }
    if !fitting.any(|key| key.signed(&head.alg, signed.as_bytes(), &signature)) {
        return Err(TokenError::Signature);
    }
    let claims: Value = decoded(body).and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(TokenError::Form)?;
    let claims = Claims(claims);
    check_claims(&claims, wanted)?;
    Ok(claims)
}

fn check_claims(claims: &Claims, wanted: Wanted<'_>) -> Result<(), TokenError> {
    if claims.get("iss").and_then(Value::as_str) != Some(wanted.issuer) {
        return Err(TokenError::Issuer);
    }
    let ours = match claims.get("aud") {
        Some(Value::String(audience)) => audience == wanted.client_id,
        // Whom else it is for, the provider says with `azp`, which must be us.
        Some(Value::Array(all)) => {
            all.iter().any(|one| one == wanted.client_id) && (all.len() == 1 || claims.get("azp").is_some())
        }
        _ => false,
    };
    if !ours || claims.get("azp").is_some_and(|party| party != wanted.client_id) {
        return Err(TokenError::Audience);
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    let now_s = wanted.now_s as f64;
    let drift_s = DRIFT_S as f64;
    if time("exp").is_none_or(|ends_s| ends_s <= now_s - drift_s) {
        return Err(TokenError::Expired);
    }
    let begins = [time("iat"), time("nbf")];
    if time("iat").is_none() || begins.into_iter().flatten().any(|begins_s| begins_s > now_s + drift_s) {
        return Err(TokenError::Early);
    }
    if claims.get("nonce").and_then(Value::as_str) != Some(wanted.nonce) {
        return Err(TokenError::Nonce);
    }
    if claims.subject().is_empty() { Err(TokenError::Subject) } else { Ok(()) }
}

impl Key {
    fn fits(&self, head: &Head, (kty, crv): (&str, Option<&str>)) -> bool {
        self.kty == kty
            && (crv.is_none() || self.crv.as_deref() == crv)
            && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.alg.as_ref().is_none_or(|alg| *alg == head.alg)
            && head.kid.as_ref().is_none_or(|kid| self.kid.as_ref() == Some(kid))
    }

    fn signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        let part = |text: &str| decoded(text).unwrap_or_default();
        match algorithm {
            "ES256" => self.signed_ec(&ECDSA_P256_SHA256_FIXED, 32, message, signature),
            "ES384" => self.signed_ec(&ECDSA_P384_SHA384_FIXED, 48, message, signature),
            "EdDSA" => UnparsedPublicKey::new(&ED25519, part(&self.x)).verify(message, signature).is_ok(),
            other => rsa(other).is_some_and(|parameters| {
                let (n, e) = (part(&self.n), part(&self.e));
                let key = RsaPublicKeyComponents { n: without_zeros(&n), e: without_zeros(&e) };
                key.verify(parameters, message, signature).is_ok()
            }),
        }
    }

    fn signed_ec(
        &self,
        algorithm: &'static ring::signature::EcdsaVerificationAlgorithm,
        size: usize,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let (x, y) = (decoded(&self.x).unwrap_or_default(), decoded(&self.y).unwrap_or_default());
        // An uncompressed point (SEC 1, 2.3.3); its two numbers have the curve's full length (RFC 7518, 6.2.1.2).
        let point = [&[4u8], x.as_slice(), y.as_slice()].concat();
        let whole = x.len() == size && y.len() == size;
        whole && UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
    }
}

/// The kind of key and the curve of an algorithm; nothing where it is not taken.
fn kind_of(algorithm: &str) -> Option<(&'static str, Option<&'static str>)> {
    match algorithm {
        "ES256" => Some(("EC", Some("P-256"))),
        "ES384" => Some(("EC", Some("P-384"))),
        "EdDSA" => Some(("OKP", Some("Ed25519"))),
        other => rsa(other).map(|_| ("RSA", None)),
    }
}

fn rsa(algorithm: &str) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    const WANTED: Wanted<'static> =
        Wanted { issuer: "https://id.tinh.example", client_id: "luytre", nonce: "n", now_s: 1_000_000 };

    fn encoded(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Signs with an Ed25519 key of its own.
    struct Signer(Ed25519KeyPair);

    impl Signer {
        fn new() -> Signer {
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
            Signer(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
        }

        fn keys(&self) -> Keys {
            let x = encoded(self.0.public_key().as_ref());
            serde_json::from_value(json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x}]})).unwrap()
        }

        fn token(&self, head: Value, claims: &Value) -> String {
            let signed = format!("{}.{}", encoded(head.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
            let signature = encoded(self.0.sign(signed.as_bytes()).as_ref());
            format!("{signed}.{signature}")
        }
    }

    fn claims() -> Value {
        json!({"iss": "https://id.tinh.example", "aud": "luytre", "sub": "u1", "nonce": "n", "exp": 1_000_300,
            "iat": 999_990})
    }

    fn head() -> Value {
        json!({"alg": "EdDSA", "kid": "k1"})
    }

    #[test]
    fn a_good_token_is_taken_and_each_wrong_claim_is_told() {
        let signer = Signer::new();
        let outcome = |change: &dyn Fn(&mut Value)| {
            let mut claims = claims();
            change(&mut claims);
            check(&signer.token(head(), &claims), &signer.keys(), WANTED).map(|claims| claims.subject().to_owned())
        };
        assert_eq!(outcome(&|_| {}), Ok("u1".to_owned()));
        assert_eq!(outcome(&|c| c["aud"] = json!(["luytre"])), Ok("u1".to_owned()));
        assert_eq!(outcome(&|c| c["exp"] = json!(999_950)), Ok("u1".to_owned()), "clocks differ a little");
        assert_eq!(outcome(&|c| c["iss"] = json!("https://id.tinh.example/")), Err(TokenError::Issuer));
        assert_eq!(outcome(&|c| c["aud"] = json!("other")), Err(TokenError::Audience));
        assert_eq!(outcome(&|c| c["aud"] = json!(["luytre", "other"])), Err(TokenError::Audience), "without azp");
        assert_eq!(outcome(&|c| c["azp"] = json!("other")), Err(TokenError::Audience));
        assert_eq!(outcome(&|c| c["exp"] = json!(999_940)), Err(TokenError::Expired));
        assert_eq!(outcome(&|c| c["exp"] = json!("1000300")), Err(TokenError::Expired), "a text is no time");
        assert_eq!(outcome(&|c| c["nbf"] = json!(1_000_100)), Err(TokenError::Early));
        assert_eq!(outcome(&|c| c["iat"] = Value::Null), Err(TokenError::Early));
        assert_eq!(outcome(&|c| c["nonce"] = json!("m")), Err(TokenError::Nonce));
        assert_eq!(outcome(&|c| c["nonce"] = Value::Null), Err(TokenError::Nonce));
        assert_eq!(outcome(&|c| c["sub"] = json!("")), Err(TokenError::Subject));
    }

    #[test]
    fn forged_tokens_are_refused() {
        let (signer, stranger) = (Signer::new(), Signer::new());
        let keys = signer.keys();
        let outcome = |token: &str| check(token, &keys, WANTED).map(|_| ()).unwrap_err();
        assert_eq!(outcome(&stranger.token(head(), &claims())), TokenError::Signature);
        let good = signer.token(head(), &claims());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let other = encoded(json!({"sub": "root"}).to_string().as_bytes());
        let (first, _) = signed.split_once('.').unwrap();
        assert_eq!(outcome(&format!("{first}.{other}.{signature}")), TokenError::Signature);
        assert_eq!(outcome(&signer.token(json!({"alg": "none"}), &claims())), TokenError::Algorithm);
        assert_eq!(outcome(&signer.token(json!({"alg": "HS256", "kid": "k1"}), &claims())), TokenError::Algorithm);
        assert_eq!(outcome(&signer.token(json!({"alg": "RS256", "kid": "k1"}), &claims())), TokenError::UnknownKey);
        assert_eq!(outcome(&signer.token(json!({"alg": "EdDSA", "kid": "k2"}), &claims())), TokenError::UnknownKey);
        let crit = json!({"alg": "EdDSA", "kid": "k1", "crit": ["b64"]});
        assert_eq!(outcome(&signer.token(crit, &claims())), TokenError::Form);
        for broken in ["", ".", "..", "a.b", "a.b.c", &format!("{signed}."), signed] {
            assert!(check(broken, &keys, WANTED).is_err(), "{broken}");
        }
    }

    #[test]
    fn keys_on_curves_are_read_as_points() {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let key =
            json!({"kty": "EC", "crv": "P-256", "use": "sig", "x": encoded(&point[1..33]), "y": encoded(&point[33..])});
        let keys: Keys = serde_json::from_value(json!({"keys": [key]})).unwrap();
        let head = encoded(json!({"alg": "ES256"}).to_string().as_bytes());
        let signed = format!("{head}.{}", encoded(claims().to_string().as_bytes()));
        let signature = pair.sign(&random, signed.as_bytes()).unwrap();
        assert!(check(&format!("{signed}.{}", encoded(signature.as_ref())), &keys, WANTED).is_ok());
    }

    /// The example of RFC 7515, A.2: a token that others have signed with RSA.
    #[test]
    fn the_example_of_the_standard_is_rightly_signed() {
        let modulus = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0B\
            m4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5\
            z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7\
            aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
        let (head, body) = (
            "eyJhbGciOiJSUzI1NiJ9",
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn\
            VlfQ",
        );
        let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F\
            p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB\
            MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeY\
            I2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
        let keys = json!({"keys": [{"kty": "RSA", "n": modulus, "e": "AQAB"}]});
        let keys: Keys = serde_json::from_value(keys).unwrap();
        let outcome = |body: &str| check(&format!("{head}.{body}.{signature}"), &keys, WANTED).map(|_| ());
        assert_eq!(outcome(body), Err(TokenError::Issuer), "signed well, though not for us");
        assert_eq!(outcome(&body.replace("MTk", "MTj")), Err(TokenError::Signature));
    }
}
