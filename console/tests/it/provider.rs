//! An identity provider on the loopback interface, played: it publishes itself and its keys, checks what the console sends
//! for a code, and signs tokens that a test may spoil.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use luytre_console::settings::Settings;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

pub const CLIENT: &str = "luytre";
pub const SECRET: &str = "bí mật: & = %";

/// A provider.
#[derive(Clone)]
pub struct Provider {
    pub issuer: String,
    state: Arc<Mutex<Inside>>,
}

struct Inside {
    keys: Vec<(String, EcdsaKeyPair)>,
    /// What is exchanged for a code: the challenge it was asked with, and the token.
    codes: HashMap<String, (String, String)>,
    /// How often its keys were asked for.
    keys_asked: u32,
    away: bool,
}

/// Somebody on the page of the provider.
pub struct Visit {
    /// What the console's address said.
    pub asked: HashMap<String, String>,
    /// The claims of the token that they will get; a test may spoil them.
    pub claims: Value,
}

impl Provider {
    pub async fn start() -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://127.0.0.1:{}/realms/tinh", listener.local_addr().unwrap().port());
        let inside = Inside { keys: Vec::new(), codes: HashMap::new(), keys_asked: 0, away: false };
        let provider = Provider { issuer, state: Arc::new(Mutex::new(inside)) };
        provider.change_keys("k1");
        let router = Router::new()
            .route("/realms/tinh/.well-known/openid-configuration", get(publish))
            .route("/realms/tinh/keys", get(keys))
            .route("/realms/tinh/token", post(exchange))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// Configures a console to use it.
    pub fn configure(&self, settings: &mut Settings, folder: &tempfile::TempDir) {
        let file = folder.path().join("openid-secret");
        std::fs::write(&file, format!("{SECRET}\n")).unwrap();
        settings.openid.issuer = self.issuer.clone();
        settings.openid.client_id = CLIENT.into();
        settings.openid.client_secret_file = Some(file);
        settings.openid.name = "Tài khoản công vụ".into();
    }

    /// Signs with a new key from now on, and publishes no other.
    pub fn change_keys(&self, name: &str) {
        self.state.lock().unwrap().keys = vec![(name.to_owned(), new_key())];
    }

    pub fn go_away(&self, away: bool) {
        self.state.lock().unwrap().away = away;
    }

    pub fn keys_asked(&self) -> u32 {
        self.state.lock().unwrap().keys_asked
    }

    /// Somebody comes to the address that the console gave them, at a moment.
    pub fn visit(&self, address: &str, subject: &str, now_s: i64) -> Visit {
        let (page, query) = address.split_once('?').unwrap();
        assert_eq!(page, format!("{}/authorize", self.issuer));
        let asked: HashMap<String, String> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect();
        assert_eq!((&*asked["response_type"], &*asked["code_challenge_method"]), ("code", "S256"));
        assert_eq!(asked["redirect_uri"], "https://console.tinh.example:8443/openid");
        let claims = json!({"iss": self.issuer, "aud": CLIENT, "sub": subject, "nonce": asked["nonce"],
            "iat": now_s, "exp": now_s + 300});
        Visit { asked, claims }
    }

    /// Lets them in: the code with which they are sent back.
    pub fn let_in(&self, visit: &Visit) -> String {
        let inside = self.state.lock().unwrap();
        let (name, key) = inside.keys.last().unwrap();
        let token = signed(key, &json!({"alg": "ES256", "kid": name}), &visit.claims);
        drop(inside);
        self.let_in_with(visit, token)
    }

    /// Lets them in with this token.
    pub fn let_in_with(&self, visit: &Visit, token: String) -> String {
        let mut inside = self.state.lock().unwrap();
        let code = format!("code-{}", inside.codes.len());
        inside.codes.insert(code.clone(), (visit.asked["code_challenge"].clone(), token));
        code
    }
}

/// A new key on the curve P-256.
pub fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
}

/// A signed token.
pub fn signed(key: &EcdsaKeyPair, head: &Value, claims: &Value) -> String {
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let text = format!("{}.{}", encoded(head.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", encoded(signature.as_ref()))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            bytes.extend(hex::decode(&tail[..2]).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

async fn publish(State(provider): State<Provider>) -> (StatusCode, Json<Value>) {
    if provider.state.lock().unwrap().away {
        return (StatusCode::BAD_GATEWAY, Json(Value::Null));
    }
    let issuer = &provider.issuer;
    let said = json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "end_session_endpoint": format!("{issuer}/logout"), "scopes_supported": ["openid"]});
    (StatusCode::OK, Json(said))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    let mut inside = provider.state.lock().unwrap();
    inside.keys_asked += 1;
    let keys: Vec<Value> = inside
        .keys
        .iter()
        .map(|(name, key)| {
            let point = key.public_key().as_ref();
            let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": name,
                "x": encoded(&point[1..33]), "y": encoded(&point[33..])})
        })
        .collect();
    Json(json!({"keys": keys}))
}

/// RFC 6749, 4.1.3, with PKCE (RFC 7636, 4.6): a code is good once, for its client and for who asked for it.
async fn exchange(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error})));
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let pair = given.strip_prefix("Basic ").map(|text| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap());
    let pair = pair.as_deref().and_then(|pair| pair.split_once(':')).map(|(id, secret)| (decoded(id), decoded(secret)));
    if pair != Some((CLIENT.to_owned(), SECRET.to_owned())) {
        return refuse("invalid_client");
    }
    if form["grant_type"] != "authorization_code" || form["redirect_uri"] != "https://console.tinh.example:8443/openid"
    {
        return refuse("invalid_request");
    }
    let Some((challenge, token)) = provider.state.lock().unwrap().codes.remove(&form["code"]) else {
        return refuse("invalid_grant");
    };
    if challenge != URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes())) {
        return refuse("invalid_grant");
    }
    (StatusCode::OK, Json(json!({"access_token": "x", "token_type": "Bearer", "id_token": token})))
}
