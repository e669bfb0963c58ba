//! What stands in the API's place, does as it is told, and keeps what it was asked.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Does {
    Answers,
    /// In JSON, and more than is sent as it is.
    AnswersAtLength,
    /// This status and these headers.
    Says(&'static str),
    /// 401 as soon as it has the headers.
    RefusesUnread,
    /// As a process that is killed when it has read the request.
    HangsUp,
    /// As one that hangs.
    FallsSilent,
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
        if matches!(self.does, Does::RefusesUnread) {
            // Whatever is wrong with a connection ends it.
            let _ = refuse_unread(&mut stream);
            return;
        }
        while let Some(asked) = read_request(&mut stream) {
            let mut all = self.asked.lock().expect("nobody panics with it");
            all.push(asked);
            drop(all);
            let answer = match self.does {
                Does::Answers => answer("200 OK", "ok"),
                Does::AnswersAtLength => answer(
                    "200 OK\r\nContent-Type: application/json",
                    &format!("\"{}\"", "long ".repeat(1_000)),
                ),
                Does::Says(status) => answer(status, "ok"),
                Does::RefusesUnread | Does::HangsUp => return,
                Does::FallsSilent => continue,
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn refuse_unread(stream: &mut TcpStream) -> std::io::Result<u64> {
    let unread = std::io::ErrorKind::UnexpectedEof;
    read_to(stream, b"\r\n\r\n").ok_or(unread)?;
    stream.write_all(answer("401 Unauthorized\r\nConnection: close", "no").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    // Hanging up at once on what is on its way would take the answer back.
    std::io::copy(stream, &mut std::io::sink())
}

/// One request with its body. nginx gives the length of a body, or sends it in chunks.
fn read_request(stream: &mut TcpStream) -> Option<Asked> {
    let head = read_to(stream, b"\r\n\r\n")?;
    let mut asked = Asked { head, body: 0 };
    if asked.header("transfer-encoding") == ["chunked"] {
        loop {
            let size = read_to(stream, b"\r\n")?;
            let size = usize::from_str_radix(size.trim_end(), 16).ok()?;
            // With the end of its line, which the last one has too.
            skip(stream, size + 2)?;
            asked.body += size;
            if size == 0 {
                return Some(asked);
            }
        }
    }
    if let Some(length) = asked.header("content-length").first() {
        let length = length.parse().ok()?;
        skip(stream, length)?;
        asked.body = length;
    }
    Some(asked)
}

fn read_to(stream: &mut TcpStream, end: &[u8]) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(end) {
        stream.read_exact(&mut byte).ok()?;
        bytes.extend(byte);
    }
    String::from_utf8(bytes).ok()
}

fn skip(stream: &mut TcpStream, size: usize) -> Option<()> {
    let wanted = u64::try_from(size).ok()?;
    let skipped = std::io::copy(&mut stream.take(wanted), &mut std::io::sink()).ok()?;
    (skipped == wanted).then_some(())
}
