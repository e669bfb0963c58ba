use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xmas_kernel::{UserId, entropy::Entropy};
use xmas_players::Identity;

use crate::{Authenticated, Scope, TokenError, hs256};

const ISSUER: &str = "xmas-1week";
const AUDIENCE: &str = "xmas-1week-api";

/// The secret that signs, and the one that signed before: its tokens are good until they expire.
#[derive(Clone)]
pub struct SigningKeys {
    current: Key,
    previous: Option<Key>,
}

#[derive(Clone)]
struct Key {
    /// Names the key in a token's header without telling anything about it.
    id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl SigningKeys {
    /// `current` is `JWT_SECRET`, `previous` is `JWT_PREVIOUS_SECRET`.
    pub fn new(current: &str, previous: Option<&str>) -> Self {
        Self {
            current: Key::new(current),
            previous: previous.map(Key::new),
        }
    }

    fn by_id(&self, id: &str) -> Option<&Key> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|key| key.id == id)
    }
}

impl Key {
    fn new(secret: &str) -> Self {
        let digest = Sha256::digest([b"kid:", secret.as_bytes()].concat());
        Self {
            id: URL_SAFE_NO_PAD.encode(&digest[..8]),
            signing: EncodingKey::from_secret(secret.as_bytes()),
            verifying: DecodingKey::from_secret(secret.as_bytes()),
        }
    }
}

/// Mints and verifies access tokens.
#[derive(Clone)]
pub struct AccessTokens {
    keys: SigningKeys,
    player_lifetime: Duration,
    admin_lifetime: Duration,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    scope: Scope,
    jti: String,
    iat: i64,
    exp: i64,
    /// No token of ours has it; one that has is not good before (RFC 7519, 4.1.5).
    #[serde(skip_serializing)]
    nbf: Option<i64>,
    /// The player's token epoch when the token was minted.
    epoch: i64,
    /// The session: the refresh family.
    sid: String,
}

impl AccessTokens {
    pub fn new(keys: SigningKeys, player_lifetime: Duration, admin_lifetime: Duration) -> Self {
        hs256::install();
        Self {
            keys,
            player_lifetime,
            admin_lifetime,
        }
    }

    /// A token for `identity`, and how long it lives.
    pub fn mint(
        &self,
        identity: &Identity,
        scope: Scope,
        session_id: &str,
        entropy: &dyn Entropy,
        now: DateTime<Utc>,
    ) -> (String, Duration) {
        let lifetime = match scope {
            Scope::Player => self.player_lifetime,
            Scope::Admin => self.admin_lifetime,
        };
        let issued = now.timestamp();
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: identity.user_id.to_string(),
            scope,
            jti: random_token::<16>(entropy),
            iat: issued,
            exp: issued.saturating_add(seconds),
            nbf: None,
            epoch: identity.token_epoch,
            sid: session_id.to_owned(),
        };
        let header = Header {
            kid: Some(self.keys.current.id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        let token = jsonwebtoken::encode(&header, &claims, &self.keys.current.signing);
        (
            token.expect("these claims can be written as JSON and signed"),
            lifetime,
        )
    }

    pub(crate) fn verify(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Authenticated, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let key = header.kid.as_deref().and_then(|id| self.keys.by_id(id));
        let key = key.ok_or(TokenError::Invalid)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The crate would ask the system's clock; the injected one is asked below.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.verifying, &validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        if claims.exp <= now.timestamp() {
            return Err(TokenError::Expired);
        }
        if claims.nbf.is_some_and(|from| from > now.timestamp()) {
            return Err(TokenError::Invalid);
        }
        let user_id = claims.sub.parse().map_err(|_| TokenError::Invalid)?;
        Ok(Authenticated {
            identity: Identity {
                user_id: UserId(user_id),
                token_epoch: claims.epoch,
            },
            scope: claims.scope,
            session_id: claims.sid,
        })
    }
}

/// `BYTES` random bytes, as text that fits into a URL.
pub(crate) fn random_token<const BYTES: usize>(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; BYTES];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use xmas_kernel::entropy::OsEntropy;

    use super::*;

    const SECRET: &str = "a secret of at least thirty-two bytes";
    const OLD_SECRET: &str = "an older secret, also of some length!";

    fn tokens(current: &str, previous: Option<&str>) -> AccessTokens {
        let minute = Duration::from_secs(60);
        AccessTokens::new(
            SigningKeys::new(current, previous),
            minute * 720,
            minute * 480,
        )
    }

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2025, 12, 26, 0, 0, 0).unwrap()
    }

    fn identity() -> Identity {
        Identity {
            user_id: UserId(42),
            token_epoch: 3,
        }
    }

    fn mint(tokens: &AccessTokens, scope: Scope) -> String {
        tokens
            .mint(&identity(), scope, "session", &OsEntropy, now())
            .0
    }

    fn part(token: &str, index: usize) -> Value {
        let part = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    /// A token with the given header and claims, signed with `secret`.
    fn forge(header: &Value, claims: &Value, secret: &str) -> String {
        use hmac::{Hmac, KeyInit, Mac};
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        let signature = mac.chain_update(&message).finalize().into_bytes();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn a_token_carries_what_the_contract_says_and_reads_back() {
        let tokens = tokens(SECRET, None);
        let token = mint(&tokens, Scope::Admin);
        let claims = part(&token, 1);
        assert_eq!(claims["sub"], json!("42"));
        assert_eq!(claims["scope"], json!("admin"));
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            480 * 60
        );
        assert!(part(&token, 0)["kid"].is_string());
        let read = tokens.verify(&token, now()).unwrap();
        assert_eq!((read.identity, read.scope), (identity(), Scope::Admin));
        assert_eq!(read.session_id, "session");
        let other = mint(&tokens, Scope::Admin);
        assert_ne!(part(&other, 1)["jti"], claims["jti"]);
    }

    #[test]
    fn the_injected_clock_decides_when_a_token_expires() {
        let tokens = tokens(SECRET, None);
        let token = mint(&tokens, Scope::Player);
        let last = now() + TimeDelta::minutes(720) - TimeDelta::seconds(1);
        assert!(tokens.verify(&token, last).is_ok());
        let over = tokens.verify(&token, last + TimeDelta::seconds(1));
        assert_eq!(over, Err(TokenError::Expired));
    }

    #[test]
    fn the_previous_key_verifies_until_it_is_taken_away() {
        let old = mint(&tokens(OLD_SECRET, None), Scope::Player);
        assert!(tokens(SECRET, Some(OLD_SECRET)).verify(&old, now()).is_ok());
        assert_eq!(
            tokens(SECRET, None).verify(&old, now()),
            Err(TokenError::Invalid)
        );
    }

    #[test]
    fn forged_tokens_are_refused() {
        let tokens = tokens(SECRET, None);
        let good = mint(&tokens, Scope::Player);
        let (header, claims) = (part(&good, 0), part(&good, 1));
        assert!(
            tokens
                .verify(&forge(&header, &claims, SECRET), now())
                .is_ok(),
            "the forge works"
        );

        let with = |base: &Value, field: &str, value: Value| {
            let mut changed = base.clone();
            changed[field] = value;
            changed
        };
        let without = |base: &Value, field: &str| {
            let mut changed = base.clone();
            changed.as_object_mut().unwrap().remove(field);
            changed
        };
        let mut forged = vec![
            forge(&header, &claims, OLD_SECRET),
            forge(&without(&header, "kid"), &claims, SECRET),
            forge(&with(&header, "kid", json!("other")), &claims, SECRET),
            String::new(),
            "a.b.c".to_owned(),
            good.trim_end_matches(|c| c != '.').to_owned(),
            format!("{good}x"),
            format!("{good}.x"),
        ];
        for alg in ["none", "None", "HS384", "HS512", "RS256", "ES256", ""] {
            forged.push(forge(&with(&header, "alg", json!(alg)), &claims, SECRET));
        }
        for (field, value) in [
            ("aud", json!("another-api")),
            ("iss", json!("someone-else")),
            ("sub", json!("not a number")),
            ("sub", json!(42)),
            ("scope", json!("root")),
            ("exp", json!("tomorrow")),
            ("nbf", json!(now().timestamp() + 1)),
            ("nbf", json!("tomorrow")),
        ] {
            forged.push(forge(&header, &with(&claims, field, value), SECRET));
        }
        for field in ["iss", "aud", "sub", "exp", "epoch", "scope"] {
            forged.push(forge(&header, &without(&claims, field), SECRET));
        }
        let payload = URL_SAFE_NO_PAD.encode(with(&claims, "scope", json!("admin")).to_string());
        let mut parts: Vec<&str> = good.split('.').collect();
        parts[1] = &payload;
        forged.push(parts.join("."));
        for token in forged {
            assert_eq!(
                tokens.verify(&token, now()),
                Err(TokenError::Invalid),
                "{token}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_be_no_token(
            text in prop_oneof![any::<String>(), "[A-Za-z0-9_.-]{0,80}", "([A-Za-z0-9_-]{0,20}\\.){2}[A-Za-z0-9_-]{0,43}"],
        ) {
            prop_assert_eq!(tokens(SECRET, None).verify(&text, now()), Err(TokenError::Invalid));
        }

        #[test]
        fn a_token_is_no_token_once_a_letter_of_it_is_another(at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_.=+/-]") {
            let tokens = tokens(SECRET, None);
            let good = mint(&tokens, Scope::Player);
            let at = at.index(good.len());
            prop_assume!(good[at..=at] != letter);
            let mut changed = good;
            changed.replace_range(at..=at, &letter);
            prop_assert_eq!(tokens.verify(&changed, now()), Err(TokenError::Invalid));
        }

        #[test]
        fn signed_claims_of_any_form_are_read_or_refused(
            field in prop::sample::select(vec!["iss", "aud", "sub", "scope", "jti", "iat", "exp", "nbf", "epoch", "sid"]),
            value in prop_oneof![
                any::<i64>().prop_map(Value::from),
                any::<f64>().prop_map(Value::from),
                any::<String>().prop_map(Value::from),
                any::<bool>().prop_map(Value::from),
                Just(Value::Null),
                Just(json!([])),
                Just(json!({ "a": 1 })),
            ],
        ) {
            let tokens = tokens(SECRET, None);
            let good = mint(&tokens, Scope::Player);
            let (header, mut claims) = (part(&good, 0), part(&good, 1));
            claims[field] = value.clone();
            if let Ok(read) = tokens.verify(&forge(&header, &claims, SECRET), now()) {
                prop_assert!(!["iss", "aud"].contains(&field) || claims[field] == part(&good, 1)[field]);
                prop_assert_eq!(json!(read.identity.user_id.to_string()), claims["sub"].clone());
                prop_assert!(claims["exp"].as_i64() > Some(now().timestamp()));
            }
        }
    }
}
