//! A client of HTTP/1.1 that sends what it is given, to the byte. A usual one would tidy up a path and refuse a
//! header before nginx could.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::Value;

/// After which a test gives up.
const LONG: Duration = Duration::from_secs(60);

/// What is asked, over one connection for as long as the server keeps it.
pub(super) struct Https {
    port: u16,
    tls: Arc<ClientConfig>,
    stream: Option<StreamOwned<ClientConnection, TcpStream>>,
}

impl Https {
    /// Of a server on 127.0.0.1 whose certificate for `localhost` this is.
    pub(super) fn new(port: u16, certificate: &Path) -> Self {
        Self {
            port,
            tls: Arc::new(configuration(certificate)),
            stream: None,
        }
    }

    /// The protocol that the server chooses of these, and its version of TLS, of those that it may choose.
    pub(super) fn negotiated(
        port: u16,
        certificate: &Path,
        protocols: &[&str],
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> (Option<String>, Option<ProtocolVersion>) {
        let mut tls = configuration_with(certificate, versions);
        tls.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
        let mut stream = connect(port, Arc::new(tls)).expect("a connection");
        while stream.conn.is_handshaking() {
            let shaken = stream.conn.complete_io(&mut stream.sock);
            shaken.expect("both agree");
        }
        let protocol = stream.conn.alpn_protocol().map(<[u8]>::to_vec);
        let protocol = protocol.map(|it| String::from_utf8(it).expect("text"));
        (protocol, stream.conn.protocol_version())
    }

    /// Sends this, and waits for the answer. A connection that the server kept is used again.
    pub(super) fn send(&mut self, request: &Request) -> io::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.port, self.tls.clone())?,
        };
        stream.write_all(&request.bytes())?;
        stream.flush()?;
        let answer = Answer::read(&mut stream, request.method == "HEAD")?;
        if answer.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    #[track_caller]
    pub(super) fn ask(&mut self, request: &Request) -> Answer {
        let answer = self.send(request);
        answer.unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path))
    }

    #[track_caller]
    pub(super) fn get(&mut self, path: &str) -> Answer {
        self.ask(&Request::new("GET", path))
    }
}

/// Asks over a connection without TLS.
pub(super) fn ask_plainly(port: u16, request: &Request) -> Answer {
    let mut stream = tcp(port).expect("a connection");
    stream.write_all(&request.bytes()).expect("it reads");
    Answer::read(&mut stream, request.method == "HEAD").expect("an answer")
}

/// What comes back for these bytes, until the server hangs up.
pub(super) fn exchange(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = tcp(port).expect("a connection");
    stream.write_all(bytes).expect("it reads");
    let mut answer = Vec::new();
    // It may hang up in any manner.
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn configuration(certificate: &Path) -> ClientConfig {
    configuration_with(certificate, rustls::ALL_VERSIONS)
}

fn configuration_with(
    certificate: &Path,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let pem = std::fs::read(certificate).expect("a certificate");
    let certificate = CertificateDer::from_pem_slice(&pem).expect("PEM");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("it can be trusted");
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions that it knows")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn connect(
    port: u16,
    tls: Arc<ClientConfig>,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(tls, name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(connection, tcp(port)?))
}

fn tcp(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(LONG))?;
    stream.set_write_timeout(Some(LONG))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What is sent, as it is written here.
#[derive(Clone, Debug)]
pub(super) struct Request {
    method: &'static str,
    path: String,
    headers: String,
    body: Option<Vec<u8>>,
    is_chunked: bool,
    /// Of the body, if it is not what comes.
    length: Option<usize>,
}

impl Request {
    pub(super) fn new(method: &'static str, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: String::new(),
            body: None,
            is_chunked: false,
            length: None,
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(super) fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The beginning of a body of this length, the rest of which never comes.
    pub(super) fn body_that_stops(mut self, beginning: &str, length: usize) -> Self {
        self.length = Some(length);
        self.body(beginning)
    }

    /// A body whose length is not known when it begins.
    pub(super) fn chunked(mut self, body: &[u8]) -> Self {
        let mut chunks = Vec::new();
        for part in body.chunks(8 * 1024) {
            chunks.extend(format!("{:x}\r\n", part.len()).bytes());
            chunks.extend(part);
            chunks.extend(b"\r\n");
        }
        chunks.extend(b"0\r\n\r\n");
        self.is_chunked = true;
        self.body(chunks)
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(body.to_string())
    }

    fn bytes(&self) -> Vec<u8> {
        let Self {
            method,
            path,
            headers,
            body,
            is_chunked,
            length,
        } = self;
        let length = match body {
            Some(_) if *is_chunked => "Transfer-Encoding: chunked\r\n".to_owned(),
            Some(body) => format!("Content-Length: {}\r\n", length.unwrap_or(body.len())),
            None if ["GET", "HEAD", "OPTIONS"].contains(method) => String::new(),
            None => "Content-Length: 0\r\n".to_owned(),
        };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(body.iter().flatten());
        bytes
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn read(stream: &mut impl Read, is_head: bool) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = position_of(&bytes, b"\r\n\r\n") {
                break end;
            }
            read_more(stream, &mut bytes)?;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.get(9..12)?.parse().ok());
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        let mut answer = Self {
            status: status.ok_or_else(|| io::Error::other(head.clone()))?,
            headers: headers.collect(),
            body: bytes.split_off(end + 4),
        };
        if !is_head && ![204, 304].contains(&answer.status) {
            answer.read_body(stream)?;
        }
        Ok(answer)
    }

    fn read_body(&mut self, stream: &mut impl Read) -> io::Result<()> {
        let length = self.header("content-length");
        if let Some(length) = length.and_then(|it| it.parse::<usize>().ok()) {
            while self.body.len() < length {
                read_more(stream, &mut self.body)?;
            }
            return Ok(());
        }
        // nginx sends the last chunk at the end of a packet.
        while !self.body.ends_with(b"0\r\n\r\n") {
            read_more(stream, &mut self.body)?;
        }
        self.body = unchunked(&self.body).ok_or_else(|| io::Error::other("no chunks"))?;
        Ok(())
    }

    /// A header that may be there once only.
    #[track_caller]
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let values = self.values(name);
        assert!(values.len() < 2, "{name} is there twice: {values:?}");
        values.first().copied()
    }

    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        let of_name = self.headers.iter().filter(|(known, _)| known == name);
        of_name.map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        let parsed = serde_json::from_slice(&self.body);
        parsed.unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    #[track_caller]
    pub(super) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

fn read_more(stream: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 16 * 1024];
    let read = stream.read(&mut part)?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    bytes.extend_from_slice(&part[..read]);
    Ok(())
}

fn position_of(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn unchunked(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = position_of(chunks, b"\r\n")?;
        let size = std::str::from_utf8(&chunks[..end]).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend(chunks.get(end + 2..end + 2 + size)?);
        chunks = chunks.get(end + 2 + size + 2..)?;
    }
}
