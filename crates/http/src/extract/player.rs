use std::{
    future::{Future, Ready, ready},
    pin::Pin,
};

use actix_web::{FromRequest, HttpRequest, dev, http::header, web::Data};
use xmas_core_auth::{AuthService, Authenticated, Scope};
use xmas_kernel::ErrorCode;
use xmas_players::Identity;

use crate::{
    error::{ApiError, Refusal},
    extract::Now,
    settings::HttpSettings,
};

/// Whoever holds a good token, whatever its scope.
#[derive(Clone, Debug)]
pub struct Bearer(pub Authenticated);

/// A player. Requests that change something count towards one limit per minute, those that only read towards
/// another.
#[derive(Clone, Copy, Debug)]
pub struct Player(pub Identity);

impl Bearer {
    pub fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let mut headers = request.headers().get_all(header::AUTHORIZATION);
        let header = headers.next();
        let header = header.ok_or_else(|| ApiError::new(ErrorCode::AuthRequired))?;
        // A proxy before this one may have looked at the other.
        let only = headers.next().is_none().then_some(header);
        let header = only.and_then(|header| header.to_str().ok());
        let header = header.ok_or_else(|| ApiError::new(ErrorCode::TokenInvalid))?;
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
        let changes_something = !request.method().is_safe();
        let settings = request.app_data::<Data<HttpSettings>>().cloned();
        Box::pin(async move {
            let identity = identity?;
            let settings = settings.as_ref();
            let (throttle, refusal) = match changes_something {
                true => (settings.map(|it| &it.player_writes), Refusal::PlayerWrites),
                false => (settings.map(|it| &it.player_reads), Refusal::PlayerReads),
            };
            if let Some(Some(throttle)) = throttle {
                let admitted = throttle.admit(&identity.user_id.to_string()).await;
                admitted
                    .map_err(|throttled| ApiError::too_many(throttled.retry_after).by(refusal))?;
            }
            Ok(Self(identity))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use actix_web::{dev::Payload, test::TestRequest};
    use proptest::prelude::*;
    use xmas_cache::{Cache, MemoryCache, Throttle};
    use xmas_core_auth::{
        AuthError, LoginCommand, LogoutCommand, PasswordCommand, RefreshCommand, Session,
        TokenError,
    };
    use xmas_kernel::UserId;
    use xmas_time::{Clock, DateTime, SystemClock, Utc};

    use super::*;

    fn settings() -> HttpSettings {
        let cache: Arc<dyn Cache> = Arc::new(MemoryCache::default());
        let throttle = |name| {
            Some(Throttle::new(
                cache.clone(),
                name,
                1,
                Duration::from_secs(60),
            ))
        };
        HttpSettings {
            trusted_proxies: Vec::new(),
            player_writes: throttle("writes"),
            player_reads: throttle("reads"),
        }
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
        with_header(&format!("Bearer {token}"))
    }

    fn with_header(authorization: &str) -> HttpRequest {
        let auth: Arc<dyn AuthService> = Arc::new(ByName);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        TestRequest::default()
            .append_header(("authorization", authorization))
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

    proptest! {
        #[test]
        fn no_header_speaks_for_anybody_but_a_bearer_of_a_token(header in prop_oneof![
            "[!-~ ]{0,40}",
            "(Bearer|bearer|Basic)[ \t]{0,2}(player|admin|other)?[ ,]{0,2}(player)?",
        ]) {
            let request = with_header(&header);
            let words: Vec<&str> = header.split_ascii_whitespace().collect();
            let is_good = words.len() == 2
                && words[0].eq_ignore_ascii_case("bearer")
                && ["player", "admin"].contains(&words[1]);
            match Bearer::of(&request) {
                Ok(_) => prop_assert!(is_good, "{:?}", header),
                Err(error) => {
                    prop_assert!(!is_good || !header.to_lowercase().starts_with("bearer "), "{:?}", header);
                    prop_assert!(matches!(error.code(), ErrorCode::AuthRequired | ErrorCode::TokenInvalid));
                }
            }
        }
    }
}
