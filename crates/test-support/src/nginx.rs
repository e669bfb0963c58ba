use std::{
    fs::{self, OpenOptions},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::port::free_port;

/// An nginx of a test's own, on free ports, with the configuration in `nginx/` as it is shipped. Only what
/// stands in `nginx/site/` is changed, as another place would change it. It ends with its test.
#[derive(Debug)]
pub struct Nginx {
    folder: TempDir,
    http: u16,
    https: u16,
    running: Child,
}

/// What a test has behind nginx and in front of it.
#[derive(Debug, Default)]
pub struct Site {
    /// Where the API's processes listen, on 127.0.0.1.
    pub api: Vec<u16>,
    /// Where the server of the web client's files listens. `None`: its name cannot be resolved.
    pub frontend: Option<u16>,
    /// Whether 127.0.0.1 is a proxy that nginx believes.
    pub has_outer_proxy: bool,
}

impl Nginx {
    /// The program in `NGINX`. Without one a test can do nothing but return, and this says so.
    pub fn program() -> Option<PathBuf> {
        let program = std::env::var_os("NGINX").filter(|program| !program.is_empty());
        if program.is_none() {
            eprintln!("not tested: NGINX does not name an nginx, as in scripts/test");
        }
        program.map(PathBuf::from)
    }

    /// The one that players reach. `None` without [`Nginx::program`].
    pub fn start(site: &Site) -> Option<Self> {
        let program = Self::program()?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        make_certificate(folder.path());
        let (http, https) = (free_port(), free_port());
        let files = Files::copied_to(folder.path());
        files.edit("listen-http.conf", &[("8080", &local(http))]);
        let tls = folder.path().join("tls");
        files.edit(
            "listen-https.conf",
            &[("8443", &local(https)), ("/etc/xmas-tls", text(&tls))],
        );
        let api = site.api.iter().map(|port| local(*port));
        files.repeat("upstream.conf", "api:8000", api);
        if site.has_outer_proxy {
            files.edit(
                "outer-proxies.conf",
                &[(
                    "# set_real_ip_from 192.0.2.0/24",
                    "set_real_ip_from 127.0.0.1",
                )],
            );
        }
        let origin = format!("https://$host:{https}");
        let acme = folder.path().join("acme");
        // Nobody listens there, so that no name can be resolved.
        let resolver = local(9);
        let mut edits = vec![
            ("https://$host", origin.as_str()),
            ("/var/www/acme", text(&acme)),
            ("/etc/xmas-nginx", text(&files.0)),
            ("127.0.0.11", &resolver),
        ];
        let frontend = site.frontend.map(local);
        if let Some(frontend) = &frontend {
            edits.push(("frontend:8080", frontend));
        }
        files.edit("server.conf", &edits);
        Some(Self::run(program, folder, "nginx.conf", http, https))
    }

    /// The one that serves the web client's files in `root`.
    pub fn serving(root: &Path) -> Option<Self> {
        let program = Self::program()?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let files = Files::copied_to(folder.path());
        files.edit(
            "frontend-server.conf",
            &[("8080", &local(port)), ("/srv/frontend", text(root))],
        );
        Some(Self::run(program, folder, "frontend.conf", port, port))
    }

    fn run(program: PathBuf, folder: TempDir, configuration: &str, http: u16, https: u16) -> Self {
        // Two write to it, nginx through a file descriptor of its own.
        let mut log = OpenOptions::new();
        let log = log.create_new(true).append(true);
        let log = log.open(folder.path().join("log")).expect("a file");
        let errors = log.try_clone().expect("the same file");
        let running = Command::new(program)
            .arg("-c")
            .arg(folder.path().join("nginx").join(configuration))
            .args(["-g", "daemon off;"])
            // nginx reads the sockets of a predecessor in it.
            .env_remove("NGINX")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .expect("nginx can be run");
        let mut nginx = Self {
            folder,
            http,
            https,
            running,
        };
        nginx.wait_until_it_listens();
        nginx
    }

    fn wait_until_it_listens(&mut self) {
        for _ in 0..1000 {
            let ended = self.running.try_wait().expect("a child can be looked at");
            assert!(ended.is_none(), "nginx ended: {}", self.log());
            let ports = [self.http, self.https];
            if ports
                .iter()
                .all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("nginx does not listen: {}", self.log());
    }

    /// Where it speaks HTTP, on 127.0.0.1.
    pub fn http(&self) -> u16 {
        self.http
    }

    /// Where it speaks HTTPS, on 127.0.0.1.
    pub fn https(&self) -> u16 {
        self.https
    }

    /// Its certificate for `localhost`, as PEM, which no authority has signed.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("tls/fullchain.pem")
    }

    /// The folder for answers to ACME challenges. It is not there at first.
    pub fn acme(&self) -> PathBuf {
        self.folder.path().join("acme")
    }

    /// What is written while there is maintenance.
    pub fn maintenance_flag(&self) -> PathBuf {
        self.folder.path().join("nginx/maintenance/on")
    }

    /// Requests and errors, as they were logged.
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.path().join("log")).expect("a log");
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGKILL would leave its worker processes behind.
        let pid = self.running.id().to_string();
        // Already gone is as good.
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.running.wait();
    }
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn make_certificate(folder: &Path) {
    let made = Command::new(repository().join("scripts/self-signed-certificate"))
        .arg(folder.join("tls"))
        .output()
        .expect("the script can be run");
    let problem = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "no certificate: {problem}");
}

/// A copy of `nginx/`.
struct Files(PathBuf);

impl Files {
    fn copied_to(folder: &Path) -> Self {
        let files = Self(folder.join("nginx"));
        copy(&repository().join("nginx"), &files.0);
        let pid = folder.join("pid");
        files.edit(
            "process.conf",
            // The folder is for its owner only, whoever runs the test. Ignored, with a warning, unless that is root.
            &[(
                "pid /tmp/nginx.pid;",
                &format!("user root;\npid {};", text(&pid)),
            )],
        );
        let temporary = folder.join("temporary");
        files.edit("temporary.conf", &[("/tmp/nginx", text(&temporary))]);
        files
    }

    /// Changes a file in `site/`; each thing that is changed must be there.
    fn edit(&self, name: &str, edits: &[(&str, &str)]) {
        let path = self.0.join("site").join(name);
        let mut content = fs::read_to_string(&path).expect("a file of site/");
        for (from, to) in edits {
            assert!(content.contains(from), "{name} has no {from}");
            content = content.replace(from, to);
        }
        fs::write(path, content).expect("it can be written");
    }

    /// Repeats the line of a file in `site/` that begins a statement about `from`, for each of `to`.
    fn repeat(&self, name: &str, from: &str, to: impl Iterator<Item = String>) {
        let path = self.0.join("site").join(name);
        let content = fs::read_to_string(&path).expect("a file of site/");
        let mut lines = content.lines();
        let statement = lines.find(|line| !line.starts_with('#') && line.contains(from));
        let statement = statement.expect("the statement");
        let repeated: Vec<String> = to.map(|to| statement.replace(from, &to)).collect();
        fs::write(path, repeated.join("\n")).expect("it can be written");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a new folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("its type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
    // Whoever develops may have closed their own copy.
    let _ = fs::remove_file(to.join("maintenance/on"));
}
