use std::{
    future::{Future, Ready, ready},
    net::IpAddr,
    pin::Pin,
};

use actix_web::{
    FromRequest, HttpRequest, dev,
    http::{Method, header},
    web::Data,
};
use xmas_core_auth::{AuthService, Authenticated, Scope};
use xmas_kernel::ErrorCode;
use xmas_players::Identity;

use crate::{error::ApiError, extract::Now, settings::HttpSettings};

/// Whoever holds a good token, whatever its scope.
#[derive(Clone, Debug)]
pub struct Bearer(pub Authenticated);

/// A player. Requests that change something count towards the player's limit per minute.
#[derive(Clone, Copy, Debug)]
pub struct Player(pub Identity);

impl Bearer {
    pub fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let header = request.headers().get(header::AUTHORIZATION);
        let header = header.ok_or_else(|| ApiError::new(ErrorCode::AuthRequired))?;
        let header = header
            .to_str()
            .map_err(|_| ApiError::new(ErrorCode::TokenInvalid))?;
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::new(ErrorCode::AuthRequired));
        }
        let auth = request.app_data::<Data<dyn AuthService>>();
        let auth = auth.expect("wiring registers authentication");
        Ok(Self(auth.authenticate(token.trim(), Now::of(request).0)?))
    }

    fn with_scope(request: &HttpRequest, scope: Scope) -> Result<Identity, ApiError> {
        let Self(authenticated) = Self::of(request)?;
        if authenticated.scope != scope {
            return Err(ApiError::new(ErrorCode::ForbiddenScope));
        }
        Ok(authenticated.identity)
    }
}

impl FromRequest for Bearer {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(Self::of(request).map_err(Into::into))
    }
}

impl FromRequest for Player {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let identity = Bearer::with_scope(request, Scope::Player);
        let changes_something = request.method() != Method::GET;
        let settings = request.app_data::<Data<HttpSettings>>().cloned();
        Box::pin(async move {
            let identity = identity?;
            if let Some(settings) = settings.filter(|_| changes_something) {
                let key = identity.user_id.to_string();
                let admitted = settings.player_writes.admit(&key).await;
                admitted.map_err(|throttled| ApiError::too_many(throttled.retry_after))?;
            }
            Ok(Self(identity))
        })
    }
}

/// Where a request comes from: the last address in `X-Forwarded-For` that is not a trusted proxy,
/// if a trusted proxy sent it; else the peer.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let settings = request.app_data::<Data<HttpSettings>>()?;
    let trusted = |address: IpAddr| {
        settings
            .trusted_proxies
            .iter()
            .any(|network| network.contains(&address))
    };
    let peer = request.peer_addr()?.ip();
    if !trusted(peer) {
        return Some(peer);
    }
    let forwarded = request.headers().get_all("x-forwarded-for");
    let mut hops: Vec<&str> = forwarded
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    // Each proxy appends whom it heard from; what stands before an untrusted hop is hearsay.
    let mut client = peer;
    while let Some(hop) = hops.pop().and_then(|hop| hop.parse().ok()) {
        client = hop;
        if !trusted(hop) {
            break;
        }
    }
    Some(client)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use actix_web::{dev::Payload, test::TestRequest};
    use xmas_cache::{MemoryCache, Throttle};
    use xmas_core_auth::{
        AuthError, LoginCommand, LogoutCommand, PasswordCommand, RefreshCommand, Session,
        TokenError,
    };
    use xmas_kernel::UserId;
    use xmas_time::{Clock, DateTime, SystemClock, Utc};

    use super::*;

    fn settings() -> HttpSettings {
        let cache = Arc::new(MemoryCache::default());
        HttpSettings {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            player_writes: Throttle::new(cache, "t", 1, Duration::from_secs(1)),
        }
    }

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let mut request = TestRequest::default()
            .peer_addr(format!("{peer}:4711").parse().unwrap())
            .app_data(Data::new(settings()));
        for value in forwarded {
            request = request.append_header(("x-forwarded-for", *value));
        }
        client_address(&request.to_http_request())
            .unwrap()
            .to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(address("203.0.113.1", &["198.51.100.1"]), "203.0.113.1");
        assert_eq!(address("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_a_client_claims_before_the_proxy_s_word_does_not_count() {
        assert_eq!(
            address("10.0.0.1", &["1.1.1.1, 198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(
            address("10.0.0.1", &["1.1.1.1", "198.51.100.1, 10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(address("10.0.0.1", &["198.51.100.1, nonsense"]), "10.0.0.1");
    }

    /// Takes "player" and "admin" for tokens, and nothing else.
    struct ByName;

    #[async_trait::async_trait]
    impl AuthService for ByName {
        async fn login(&self, _: &LoginCommand, _: DateTime<Utc>) -> Result<Session, AuthError> {
            Err(AuthError::InvalidCredentials)
        }

        async fn refresh(
            &self,
            _: &RefreshCommand,
            _: DateTime<Utc>,
        ) -> Result<Session, AuthError> {
            Err(AuthError::InvalidCredentials)
        }

        async fn logout(&self, _: &LogoutCommand, _: DateTime<Utc>) -> Result<(), AuthError> {
            Err(AuthError::InvalidCredentials)
        }

        async fn change_password(
            &self,
            _: &PasswordCommand,
            _: DateTime<Utc>,
        ) -> Result<Session, AuthError> {
            Err(AuthError::InvalidCredentials)
        }

        async fn admin_name(&self, _: &Identity) -> Result<String, AuthError> {
            Err(AuthError::InvalidCredentials)
        }

        fn authenticate(&self, token: &str, _: DateTime<Utc>) -> Result<Authenticated, TokenError> {
            let scope = match token {
                "player" => Scope::Player,
                "admin" => Scope::Admin,
                _ => return Err(TokenError::Invalid),
            };
            Ok(Authenticated {
                identity: Identity {
                    user_id: UserId(7),
                    token_epoch: 0,
                },
                scope,
                session_id: String::new(),
            })
        }
    }

    fn request(token: &str) -> HttpRequest {
        let auth: Arc<dyn AuthService> = Arc::new(ByName);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        TestRequest::default()
            .append_header(("authorization", format!("Bearer {token}")))
            .app_data(Data::from(auth))
            .app_data(Data::from(clock))
            .app_data(Data::new(settings()))
            .to_http_request()
    }

    fn code(error: &actix_web::Error) -> ErrorCode {
        error.as_error::<ApiError>().unwrap().code()
    }

    #[actix_web::test]
    async fn only_a_player_s_token_speaks_for_a_player() {
        let nothing = || Payload::None;
        let Player(player) = Player::from_request(&request("player"), &mut nothing())
            .await
            .unwrap();
        assert_eq!(player.user_id, UserId(7));
        let refused = Player::from_request(&request("admin"), &mut nothing())
            .await
            .unwrap_err();
        assert_eq!(code(&refused), ErrorCode::ForbiddenScope);
        let refused = Player::from_request(&request("other"), &mut nothing())
            .await
            .unwrap_err();
        assert_eq!(code(&refused), ErrorCode::TokenInvalid);
    }
}
