//! What stands in the API's place, does as it is told, and keeps what it was asked.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Does {
    Answers,
    /// This status and these headers.
    Says(&'static str),
    /// As a process that is killed when it has read the request.
    HangsUp,
}

/// A process that the upstream of nginx leads to. It listens as long as its test runs.
#[derive(Clone)]
pub(super) struct Upstream {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    does: Does,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) head: String,
    pub(super) body: usize,
}

impl Asked {
    /// The values of a header, in order.
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let of_name = headers.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| value).collect()
    }
}

impl Upstream {
    pub(super) fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let upstream = Self {
            port: listener.local_addr().expect("an address").port(),
            asked: Arc::default(),
            does,
        };
        let served = upstream.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, served) = (stream.expect("a connection"), served.clone());
                std::thread::spawn(move || served.serve(stream));
            }
        });
        upstream
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What came since this was last asked for.
    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().expect("nobody panics with it"))
    }

    fn serve(&self, mut stream: TcpStream) {
        // Whatever is wrong with a connection ends it.
        while let Some(asked) = read_request(&mut stream) {
            self.asked.lock().expect("nobody panics with it").push(asked);
            let status = match self.does {
                Does::Answers => "200 OK",
                Does::Says(status) => status,
                Does::HangsUp => return,
            };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// One request with the body whose length it gives; nginx gives it, if it knows it.
fn read_request(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let mut asked = Asked {
        head: String::from_utf8_lossy(&head).into_owned(),
        body: 0,
    };
    let length = asked.header("content-length").first().map(|it| it.parse());
    let length: u64 = length.unwrap_or(Ok(0)).ok()?;
    let body = std::io::copy(&mut stream.take(length), &mut std::io::sink()).ok()?;
    asked.body = usize::try_from(body).ok()?;
    Some(asked)
}
