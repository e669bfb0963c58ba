//! Clients that ask again as soon as they were answered, each over a connection of its own. They share the machine with what
//! they measure, and so do little: requests are made beforehand, and of an answer only the status is looked at.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Context,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use hyper::{
    Request, StatusCode,
    body::{Body, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

/// How much of a bad answer is kept.
const SHOWN: usize = 300;

/// What one connection asks for, by its place among the requests.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) requests: Vec<usize>,
    /// Whether it begins again at its end.
    pub(super) again: bool,
}

/// What came of a turn.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Of all that were answered with 200, in microseconds, ascending once all are together.
    pub(super) latencies: Vec<u32>,
    /// How many of them were answered in time.
    pub(super) in_time: usize,
    /// How many were answered with 503.
    pub(super) shed: usize,
    pub(super) errors: usize,
    /// One of the errors.
    pub(super) error: Option<String>,
    /// How long the turn lasted: its time, or less if everything was asked for before.
    pub(super) elapsed: Duration,
}

impl Outcome {
    pub(super) fn asked(&self) -> usize {
        self.latencies.len() + self.shed + self.errors
    }

    pub(super) fn join(&mut self, other: Outcome) {
        self.latencies.extend(other.latencies);
        self.in_time += other.in_time;
        self.shed += other.shed;
        self.errors += other.errors;
        self.error = self.error.take().or(other.error);
        self.elapsed = self.elapsed.max(other.elapsed);
    }

    /// Counts something that was done at once, such as a play of the floor.
    pub(super) fn count(&mut self, asked: Instant, until: Instant) {
        let done = Instant::now();
        let micros = done.duration_since(asked).as_micros();
        self.latencies
            .push(u32::try_from(micros).unwrap_or(u32::MAX));
        self.in_time += usize::from(done <= until);
    }
}

/// Asks over as many connections as there are scripts, for `time`. What was asked for by then is waited for.
pub(super) async fn run(
    server: &str,
    requests: &Arc<Vec<Request<String>>>,
    scripts: Vec<Script>,
    time: Duration,
) -> anyhow::Result<Outcome> {
    let mut streams = Vec::with_capacity(scripts.len());
    for _ in &scripts {
        streams.push(connect(server).await?);
    }
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for (stream, script) in streams.into_iter().zip(scripts) {
        let client = Client {
            requests: requests.clone(),
            script,
            next: 0,
            started,
            until: started + time,
            outcome: Outcome {
                latencies: Vec::with_capacity(16_384),
                ..Outcome::default()
            },
        };
        clients.spawn(client.run(server.to_owned(), stream));
    }
    let mut all = Outcome::default();
    while let Some(one) = clients.join_next().await {
        all.join(one??);
    }
    all.latencies.sort_unstable();
    Ok(all)
}

/// The whole answer to one request.
pub(super) async fn once(
    server: &str,
    request: Request<String>,
) -> anyhow::Result<serde_json::Value> {
    let (status, text) = connection(connect(server).await?, async move |mut sender| {
        let mut answer = sender.send_request(request).await?;
        let mut text = Vec::new();
        read(answer.body_mut(), Some(&mut text)).await?;
        Ok((answer.status(), text))
    })
    .await?;
    let shown = String::from_utf8_lossy(&text);
    ensure!(status == StatusCode::OK, "{status}: {shown}");
    serde_json::from_str(&shown).with_context(|| shown.to_string())
}

async fn connect(server: &str) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Drives a connection in the task of whoever uses it, so that no answer waits for another task to be woken.
async fn connection<T, F: Future<Output = anyhow::Result<T>>>(
    stream: TcpStream,
    using: impl FnOnce(SendRequest<String>) -> F,
) -> anyhow::Result<T> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connection = Some(Box::pin(connection));
    let mut using = pin!(using(sender));
    poll_fn(|context| {
        let mut drive = |context: &mut Context<'_>| {
            // Whoever waits for an answer hears of the end once the connection is dropped.
            connection.take_if(|open| open.as_mut().poll(context).is_ready());
        };
        drive(context);
        let outcome = using.as_mut().poll(context);
        if outcome.is_pending() {
            // What was just asked for is sent at once.
            drive(context);
        }
        outcome
    })
    .await
}

/// One client at work.
struct Client {
    requests: Arc<Vec<Request<String>>>,
    script: Script,
    /// The place in the script.
    next: usize,
    started: Instant,
    until: Instant,
    outcome: Outcome,
}

impl Client {
    /// Asks until the time is over, over a new connection whenever the server has closed one.
    async fn run(mut self, server: String, stream: TcpStream) -> anyhow::Result<Outcome> {
        let mut open = Some(stream);
        loop {
            let stream = match open.take() {
                Some(stream) => stream,
                None => connect(&server).await?,
            };
            if connection(stream, |sender| self.ask(sender)).await? {
                return Ok(self.outcome);
            }
        }
    }

    /// Whether everything was asked for; otherwise the connection is of no more use.
    async fn ask(&mut self, mut sender: SendRequest<String>) -> anyhow::Result<bool> {
        loop {
            if self.next == self.script.requests.len() && self.script.again {
                self.next = 0;
            }
            if sender.ready().await.is_err() {
                return Ok(false);
            }
            let asked = Instant::now();
            let next = self.script.requests.get(self.next);
            let Some(request) = next.filter(|_| asked < self.until) else {
                self.outcome.elapsed = asked.min(self.until).duration_since(self.started);
                return Ok(true);
            };
            self.next += 1;
            let request = self.requests[*request].clone();
            if let Err(error) = self.answer(&mut sender, request, asked).await {
                self.outcome.errors += 1;
                self.outcome.error = Some(format!("{error:#}"));
                return Ok(false);
            }
        }
    }

    async fn answer(
        &mut self,
        sender: &mut SendRequest<String>,
        request: Request<String>,
        asked: Instant,
    ) -> anyhow::Result<()> {
        let mut answer = sender.send_request(request).await?;
        let status = answer.status();
        if status == StatusCode::OK {
            read(answer.body_mut(), None).await?;
            self.outcome.count(asked, self.until);
            return Ok(());
        }
        let mut text = Vec::new();
        read(answer.body_mut(), Some(&mut text)).await?;
        text.truncate(SHOWN);
        let text = String::from_utf8_lossy(&text);
        ensure!(
            status == StatusCode::SERVICE_UNAVAILABLE,
            "{status}: {text}"
        );
        self.outcome.shed += 1;
        self.outcome.error = Some(format!("{status}: {text}"));
        Ok(())
    }
}

/// Reads a body to its end.
async fn read(body: &mut Incoming, mut kept: Option<&mut Vec<u8>>) -> anyhow::Result<()> {
    let mut body = pin!(body);
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(data) = frame?.into_data() else {
            bail!("an answer has trailers");
        };
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(&data);
        }
    }
    Ok(())
}
