//! Bodies on their way.

use std::{io, time::Duration};

use actix_web::{
    dev::Payload,
    error::PayloadError,
    web::{Bytes, BytesMut},
};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, timeout_at};

/// What has arrived of a body.
pub enum Arrived {
    Whole(Bytes),
    /// What is there, and what is still to come.
    Partly(Bytes, Payload),
    /// What is there, and how it ended.
    Broken(Bytes, PayloadError),
}

/// Waits for a body to its end, or for more than `most` bytes of it.
pub async fn arrive(mut payload: Payload, most: usize) -> Arrived {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => return Arrived::Broken(body.freeze(), error),
        };
        if body.is_empty() && chunk.len() <= most {
            // Usually there is only one, which need not be copied.
            body = BytesMut::from(chunk);
        } else {
            body.extend_from_slice(&chunk);
        }
        if body.len() > most {
            return Arrived::Partly(body.freeze(), payload);
        }
    }
    Arrived::Whole(body.freeze())
}

/// The body again, whose rest must come within `time`: or else it ends with [`io::ErrorKind::TimedOut`].
pub fn arrive_later(arrived: Bytes, rest: Payload, time: Duration) -> Payload {
    let deadline = Instant::now() + time;
    let rest = stream::unfold(Some(rest), move |rest| async move {
        let mut rest = rest?;
        match timeout_at(deadline, rest.next()).await {
            Ok(chunk) => Some((chunk?, Some(rest))),
            Err(_) => {
                let late = io::Error::from(io::ErrorKind::TimedOut);
                Some((Err(PayloadError::Io(late)), None))
            }
        }
    });
    payload(stream::iter([Ok(arrived)]).chain(rest))
}

/// What is there of a body, and the error that it ended with.
pub fn broken(arrived: Bytes, error: PayloadError) -> Payload {
    payload(stream::iter([Ok(arrived), Err(error)]))
}

fn payload(chunks: impl Stream<Item = Result<Bytes, PayloadError>> + 'static) -> Payload {
    Payload::Stream {
        payload: Box::pin(chunks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(chunks: &'static [&'static str]) -> Payload {
        let chunks = chunks
            .iter()
            .map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
        payload(stream::iter(chunks))
    }

    async fn all_of(payload: Payload) -> Result<Vec<u8>, PayloadError> {
        let chunks: Vec<_> = payload.collect().await;
        let chunks: Result<Vec<Bytes>, _> = chunks.into_iter().collect();
        Ok(chunks?.concat())
    }

    #[tokio::test]
    async fn a_body_of_usual_size_arrives_whole() {
        for (chunks, expected) in [
            (&[][..], ""),
            (&["12345"], "12345"),
            (&["12", "", "345"], "12345"),
        ] {
            let Arrived::Whole(bytes) = arrive(body(chunks), 5).await else {
                panic!("{chunks:?} is within the limit");
            };
            assert_eq!(bytes, expected);
        }
    }

    #[tokio::test]
    async fn a_larger_one_is_read_later_and_loses_nothing() {
        for chunks in [&["123456", "7"][..], &["12", "3456", "7"]] {
            let Arrived::Partly(arrived, rest) = arrive(body(chunks), 5).await else {
                panic!("{chunks:?} is beyond the limit");
            };
            let payload = arrive_later(arrived, rest, Duration::from_secs(1));
            assert_eq!(all_of(payload).await.unwrap(), b"1234567");
        }
    }

    #[tokio::test]
    async fn one_that_breaks_off_ends_with_its_error() {
        let chunks = [
            Ok(Bytes::from_static(b"12")),
            Err(PayloadError::Incomplete(None)),
        ];
        let ended = payload(stream::iter(chunks));
        let Arrived::Broken(arrived, error) = arrive(ended, 5).await else {
            panic!("it is not whole");
        };
        assert_eq!(arrived, "12");
        let error = all_of(broken(arrived, error)).await.unwrap_err();
        assert!(matches!(error, PayloadError::Incomplete(None)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_stalls_is_given_up() {
        let never = stream::iter([Ok(Bytes::from_static(b"123456"))]).chain(stream::pending());
        let stalled = payload(never);
        let Arrived::Partly(arrived, rest) = arrive(stalled, 5).await else {
            panic!("it is beyond the limit");
        };
        let payload = arrive_later(arrived, rest, Duration::from_secs(60));
        let error = all_of(payload).await.unwrap_err();
        let PayloadError::Io(error) = error else {
            panic!("{error}");
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
