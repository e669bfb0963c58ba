use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::port::free_port;

/// A Redis server of a test's own, on a free port, with its files in a temporary folder. It ends with
/// its test.
#[derive(Debug)]
pub struct RedisServer {
    folder: TempDir,
    port: u16,
    password: Option<String>,
    is_tls: bool,
    running: Option<Child>,
}

impl RedisServer {
    /// The program in `REDIS_SERVER`. Without one a test can do nothing but return, and this says so.
    pub fn program() -> Option<PathBuf> {
        let program = std::env::var_os("REDIS_SERVER").filter(|program| !program.is_empty());
        if program.is_none() {
            eprintln!("not tested: REDIS_SERVER does not name a redis-server, as in scripts/test");
        }
        program.map(PathBuf::from)
    }

    /// A server without a password. `None` without [`RedisServer::program`].
    pub fn start() -> Option<Self> {
        Self::start_on(free_port())
    }

    /// [`RedisServer::start`] on a port that somebody else may have had.
    pub fn start_on(port: u16) -> Option<Self> {
        Self::with(port, None, false)
    }

    pub fn start_with_password(password: &str) -> Option<Self> {
        Self::with(free_port(), Some(password), false)
    }

    /// One that speaks TLS only, and has a certificate for `localhost` of an authority of its own.
    pub fn start_with_tls(password: &str) -> Option<Self> {
        Self::with(free_port(), Some(password), true)
    }

    fn with(port: u16, password: Option<&str>, is_tls: bool) -> Option<Self> {
        Self::program()?;
        let mut server = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            port,
            password: password.map(str::to_owned),
            is_tls,
            running: None,
        };
        if is_tls {
            server.make_certificates();
        }
        server.restart();
        Some(server)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        let password = self.password.as_deref().map(|it| format!(":{it}@"));
        let password = password.unwrap_or_default();
        if self.is_tls {
            format!("rediss://{password}localhost:{}", self.port)
        } else {
            format!("redis://{password}127.0.0.1:{}", self.port)
        }
    }

    /// The authority of a server with TLS, as PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Starts it again, with nothing in it.
    pub fn restart(&mut self) {
        self.kill();
        let folder = self.folder.path();
        let port = self.port.to_string();
        let mut command = Command::new(Self::program().expect("REDIS_SERVER is set"));
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(password) = &self.password {
            command.args(["--requirepass", password]);
        }
        if self.is_tls {
            command.args(["--port", "0", "--tls-port", &port]);
            for (option, file) in [
                ("--tls-cert-file", "server.pem"),
                ("--tls-key-file", "server.key"),
                ("--tls-ca-cert-file", "ca.pem"),
            ] {
                command.arg(option).arg(folder.join(file));
            }
            command.args(["--tls-auth-clients", "no"]);
        } else {
            command.args(["--port", &port]);
        }
        self.running = Some(command.spawn().expect("redis-server can be run"));
        for _ in 0..1000 {
            if self.is_up() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not answer on port {port}");
    }

    fn is_up(&self) -> bool {
        let Ok(mut connection) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        // Whatever it says, it says something; over TLS it is enough that it listens.
        self.is_tls
            || connection.write_all(b"PING\r\n").is_ok()
                && connection.read(&mut [0]).is_ok_and(|bytes| bytes == 1)
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().expect("a child can be killed");
            running.wait().expect("a child can be waited for");
        }
    }

    /// Keeps its connections open, and answers nothing until [`RedisServer::thaw`].
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.running.as_ref().expect("the server runs").id();
        let sent = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{signal} {pid}"))
            .status();
        assert!(sent.expect("a shell").success(), "SIG{signal} was not sent");
    }

    /// Sends one command, as somebody else who may write there, and returns the first line of the
    /// answer. Words must need no quotes; not over TLS.
    pub fn tell(&self, command: &str) -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let mut answers = BufReader::new(connection.try_clone().expect("a socket"));
        let mut ask = |command: &str| {
            let sent = connection.write_all(format!("{command}\r\n").as_bytes());
            sent.expect("it reads");
            let mut line = String::new();
            answers.read_line(&mut line).expect("it answers");
            line.trim_end().to_owned()
        };
        if let Some(password) = &self.password {
            assert_eq!(ask(&format!("AUTH {password}")), "+OK");
        }
        ask(command)
    }

    /// Forgets everything.
    pub fn flush(&self) {
        assert_eq!(self.tell("FLUSHALL"), "+OK");
    }

    fn make_certificates(&self) {
        let openssl = |arguments: &str| {
            let made = Command::new("openssl")
                .args(arguments.split(' '))
                .current_dir(self.folder.path())
                .output()
                .expect("openssl can be run");
            let problem = String::from_utf8_lossy(&made.stderr);
            assert!(made.status.success(), "openssl {arguments}: {problem}");
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(&format!(
            "req -x509 {key} -days 2 -subj /CN=test-authority -keyout ca.key -out ca.pem"
        ));
        openssl(&format!(
            "req {key} -subj /CN=localhost -keyout server.key -out server.csr"
        ));
        let extensions = self.folder.path().join("extensions");
        std::fs::write(extensions, "subjectAltName=DNS:localhost\n").expect("a file");
        openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile \
             extensions -out server.pem",
        );
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
