use chrono::{DateTime, TimeDelta, Utc};

/// How late a used refresh token may come back before that counts as theft: a client that lost the
/// answer asks again within seconds (docs/contract.md, "Sessions").
pub(crate) const REUSE_GRACE: TimeDelta = TimeDelta::seconds(30);

/// What is known of a refresh token.
#[derive(Clone, Debug)]
pub(crate) struct Presented {
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) used_at: Option<DateTime<Utc>>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

/// What to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Rotate,
    Expired,
    Revoked,
    /// Somebody else has used it: its family is to be revoked.
    Stolen,
}

pub(crate) fn judge(token: &Presented, now: DateTime<Utc>) -> Verdict {
    if token.revoked_at.is_some() {
        return Verdict::Revoked;
    }
    match token.used_at {
        Some(used_at) if now - used_at > REUSE_GRACE => Verdict::Stolen,
        _ if token.expires_at <= now => Verdict::Expired,
        _ => Verdict::Rotate,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn a_token_is_good_until_it_is_revoked_expired_or_used_long_ago() {
        let now = Utc.with_ymd_and_hms(2025, 12, 26, 0, 0, 0).unwrap();
        let second = TimeDelta::seconds(1);
        let fresh = Presented {
            expires_at: now + second,
            used_at: None,
            revoked_at: None,
        };
        let used = |ago| Presented {
            used_at: Some(now - ago),
            ..fresh.clone()
        };
        let expired = Presented {
            expires_at: now,
            ..fresh.clone()
        };
        let revoked = Presented {
            revoked_at: Some(now),
            ..used(REUSE_GRACE * 2)
        };
        assert_eq!(judge(&fresh, now), Verdict::Rotate);
        assert_eq!(judge(&used(REUSE_GRACE), now), Verdict::Rotate);
        assert_eq!(judge(&used(REUSE_GRACE + second), now), Verdict::Stolen);
        assert_eq!(judge(&expired, now), Verdict::Expired);
        assert_eq!(judge(&revoked, now), Verdict::Revoked);
    }
}
