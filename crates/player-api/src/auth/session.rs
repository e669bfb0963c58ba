use serde::Serialize;
use utoipa::ToSchema;
use xmas_core_auth::Session;

/// A session: the tokens, and whom they are for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLiJ9.e30.c2ln",
    "token_type": "bearer",
    "expires_in": 43200,
    "refresh_token": "q3p0u1R7dZkVb2mXo9yTnw5LsEaHcFgJiKx8Wv6MQYc",
    "user": {"id": 1, "external_id": "demo-01", "nickname": "데모 01", "status": "ACTIVE", "level": 1}
}))]
pub(crate) struct SessionAnswer {
    access_token: String,
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: u64,
    refresh_token: String,
    user: User,
}

#[derive(Debug, Serialize, ToSchema)]
struct User {
    id: i64,
    external_id: String,
    nickname: Option<String>,
    status: &'static str,
    /// The account level.
    level: i64,
}

impl From<Session> for SessionAnswer {
    fn from(session: Session) -> Self {
        let account = session.account;
        Self {
            access_token: session.access_token,
            token_type: "bearer",
            expires_in: session.expires_in.as_secs(),
            refresh_token: session.refresh_token,
            user: User {
                id: account.user_id.0,
                external_id: account.external_id,
                nickname: account.nickname,
                status: account.status.as_str(),
                level: account.account_level,
            },
        }
    }
}
