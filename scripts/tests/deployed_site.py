"""A place to deploy to, for deploy_test.py: MariaDB with the demo in it, the nginx of this project in front, and releases of the program.

The releases `old` and `new` are the program that was built, and a copy that says another version of itself: everything that is compiled
into it is the same. Others are scripts that run `new` in another way. Nothing here is faked: processes serve, migrate and refuse as they do
anywhere."""

import contextlib
import functools
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from releasing import settings as settings_of
from releasing.journal import Journal
from releasing.processes import Processes
from throwaway import Broken, free_ports, output, wait_for

PROGRAM = Path(os.environ.get("XMAS_API", ROOT / "target/debug/xmas-api")).resolve()
REPLICAS = 2


class Site:
    """Ends with `close`, whatever has become of it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="xmas-deploy-"))
        self.nginx = None
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def build(self):
        self.https, self.http, *self.ports = free_ports(3 + REPLICAS + REPLICAS + 1)
        self.ports, self.metrics_ports = self.ports[: REPLICAS + 1], self.ports[REPLICAS + 1 :]
        (self.folder / "data").mkdir()
        self.url = output([ROOT / "scripts/mariadb", "start", self.folder / "mariadb"]).strip()
        self.sql("CREATE DATABASE event; CREATE USER app@'%', half@'%', blind@'%', reader@'%'")
        self.settings = {
            "DATA_DIR": self.folder / "data", "DATA_KEY": "k" * 40, "JWT_SECRET": "s" * 40, "TRUSTED_PROXIES": "127.0.0.1",
            "PLAYER_WRITES_PER_MINUTE": "0", "PLAYER_READS_PER_MINUTE": "0", "MAX_REQUESTS_PER_ADDRESS": "0", "RUST_LOG": "warn",
        }
        owner = {**os.environ, **{name: str(value) for name, value in self.settings.items()}, "DATABASE_URL": self.database("root")}
        output([PROGRAM, "migrate", "up"], env=owner)
        output([PROGRAM, "seed", "demo"], env=owner)
        self.grants = (ROOT / "scripts/grants.sql").read_text(encoding="utf-8").replace("{database}", "event")
        self.sql(self.grants.replace("{user}", "app@'%'"))
        # Who may not write what readiness tries to write: `/readyz` answers 503, and all else works.
        self.grant_all_but("job_lease", "half")
        # Whose replicas are ready, and answer 500 to whoever reads a text.
        self.grant_all_but("app_ui_config", "blind")
        self.sql("GRANT SELECT ON event.job_lease TO half@'%'; GRANT SELECT ON event.* TO reader@'%'")
        self.make_releases()
        self.start_nginx()

    def close(self):
        if self.nginx:
            # SIGKILL would leave its worker processes behind.
            self.nginx.terminate()
            self.nginx.wait(20)
        subprocess.run([ROOT / "scripts/mariadb", "stop", self.folder / "mariadb"], check=False)
        shutil.rmtree(self.folder)

    # -- The database

    def sql(self, text):
        return output(
            ["mariadb", "--no-defaults", f"--socket={self.folder}/mariadb/socket", "--user=root", "--batch", "--skip-column-names"], input=text
        )

    def grant_all_but(self, table, user):
        """The rights of scripts/grants.sql, but those on one table."""
        kept = [line for line in self.grants.splitlines() if f"`{table}`" not in line]
        assert len(kept) < len(self.grants.splitlines())
        self.sql("\n".join(kept).replace("{user}", f"{user}@'%'"))

    def database(self, user):
        return self.url.replace("root@", f"{user}@") + "/event"

    # -- Releases

    def make_releases(self):
        self.releases = self.folder / "releases"
        version, commit = re.fullmatch(r"xmas-api (\S+) \((\S+)\)", output([PROGRAM, "--version"]).strip()).groups()
        # As long as the one before, since it is written over that.
        next_version = version[:-1] + str((int(version[-1]) + 1) % 10)
        self.old_version, self.new_version = version, next_version
        (self.releases / "old").mkdir(parents=True)
        (self.releases / "old/xmas-api").symlink_to(PROGRAM)
        (self.releases / "new").mkdir()
        new = self.releases / "new/xmas-api"
        new.write_bytes(PROGRAM.read_bytes().replace(version.encode(), next_version.encode()))
        new.chmod(0o755)
        assert output([new, "--version"]) == f"xmas-api {next_version} ({commit})\n"

    def release(self, name, script):
        """A release that is `new` behind a few lines of sh; $NEW is its program, and `$LOG` a file of its own."""
        folder = self.releases / name
        folder.mkdir(exist_ok=True)
        log = folder / "log"
        log.unlink(missing_ok=True)
        program = folder / "xmas-api"
        program.write_text(f'#!/bin/sh\nNEW={self.releases}/new/xmas-api\nLOG={log}\n{script}\nexec "$NEW" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        return log

    # -- nginx, with the configuration that is shipped, edited as another place would edit it

    def start_nginx(self):
        nginx = os.environ.get("NGINX") or shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert nginx, "nginx is missing: the program in NGINX, or the one in the PATH"
        output([ROOT / "scripts/self-signed-certificate", self.folder / "tls"])
        shutil.copytree(ROOT / "nginx", self.folder / "nginx")
        (self.folder / "nginx/maintenance/on").unlink(missing_ok=True)
        self.edit("process.conf", ("pid /tmp/nginx.pid;", f"user root;\npid {self.folder}/nginx.pid;"))
        self.edit("temporary.conf", ("/tmp/nginx", f"{self.folder}/nginx"))
        self.edit("listen-http.conf", ("8080", f"127.0.0.1:{self.http}"))
        self.edit("listen-https.conf", ("8443", f"127.0.0.1:{self.https}"), ("/etc/xmas-tls", f"{self.folder}/tls"))
        self.edit("server.conf", ("/etc/xmas-nginx", f"{self.folder}/nginx"), ("127.0.0.11", "127.0.0.1:9"))
        upstream = self.folder / "nginx/site/upstream.conf"
        line = re.search(r"^server api:8000 .*$", upstream.read_text(encoding="utf-8"), re.MULTILINE)[0]
        upstream.write_text("\n".join(line.replace("api:8000", f"127.0.0.1:{port}") for port in self.ports), encoding="utf-8")
        with open(self.folder / "nginx.log", "wb") as log:
            self.nginx = subprocess.Popen(
                [nginx, "-c", self.folder / "nginx/nginx.conf", "-g", "daemon off;"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_for("nginx", self.nginx_listens)

    def edit(self, name, *edits):
        path = self.folder / "nginx/site" / name
        text = path.read_text(encoding="utf-8")
        for before, after in edits:
            assert before in text, f"{name} has no {before}"
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")

    def nginx_listens(self):
        assert self.nginx.poll() is None, (self.folder / "nginx.log").read_text(encoding="utf-8")
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.https)) == 0

    # -- Requests

    def connection(self):
        # Nobody has signed it.
        return http.client.HTTPSConnection("127.0.0.1", self.https, timeout=30, context=ssl._create_unverified_context())

    def send(self, connection, method, path, body=None, token=None, headers=None):
        headers = dict(headers or {})
        if token:
            headers["authorization"] = f"Bearer {token}"
        if body is not None:
            headers["content-type"] = "application/json"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text)

    def send_once(self, *request, **more):
        with contextlib.closing(self.connection()) as connection:
            return self.send(connection, *request, **more)

    def log_in(self, name, password="demo-pass"):
        status, answer = self.send_once("POST", "/api/auth/token", {"external_id": name, "password": password})
        assert status == 200, answer
        return answer["access_token"]


class Place:
    """What one test deploys: a state, settings and an environment of its own, on the ports of the site."""

    def __init__(self, site, name, **settings):
        self.site, self.folder = site, site.folder / "places" / name
        self.folder.mkdir(parents=True)
        self.state = self.folder / "state"
        self.environment(DRAIN_SECONDS="0", DATABASE_URL=site.database("app"))
        self.owner(site.database("root"))
        grant = f"mariadb --no-defaults --socket={site.folder}/mariadb/socket --user=root <{self.folder}/grants.sql"
        (self.folder / "grants.sql").write_text(site.grants.replace("{user}", "app@'%'"), encoding="utf-8")
        self.settings = {}
        self.set(**{
            "driver": "processes", "state": str(self.state), "releases": str(site.releases), "ports": site.ports,
            "metrics_ports": site.metrics_ports, "environment": str(self.folder / "api.env"),
            "owner_environment": str(self.folder / "owner.env"), "after_migration": ["sh", "-c", grant], "ready_seconds": 20,
            "steady_seconds": 0.1, "stop_seconds": 20, "free_megabytes": 1, **settings,
        })

    def set(self, **settings):
        self.settings.update(settings)
        # Strings, numbers and lists of them are the same in JSON and TOML.
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in self.settings.items()]
        (self.folder / "deploy.toml").write_text("".join(lines), encoding="utf-8")

    def environment(self, **more):
        self.write("api.env", {**self.site.settings, **more})

    def owner(self, url):
        self.write("owner.env", {"DATABASE_URL": url})

    def write(self, name, variables):
        (self.folder / name).write_text("".join(f"{key}={value}\n" for key, value in variables.items()), encoding="utf-8")

    def command(self, *arguments):
        return [sys.executable, ROOT / "scripts/deploy", "--settings", self.folder / "deploy.toml", *arguments]

    def deploy(self, *arguments):
        """The exit code, and all that was printed."""
        done = subprocess.run(
            self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL
        )
        return done.returncode, done.stdout

    def begin(self, *arguments):
        """A deploy that runs beside the test."""
        # Whoever runs the tests may have SIGHUP ignored.
        heed = functools.partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)
        return subprocess.Popen(
            self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, preexec_fn=heed
        )

    def journal(self):
        try:
            return json.loads((self.state / "journal.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"under_way": None}

    def start(self, release):
        """Replicas that an earlier deploy has left."""
        self.state.mkdir(exist_ok=True)
        driver = Processes(settings_of.load(self.folder / "deploy.toml"), ROOT)
        try:
            for _ in range(REPLICAS):
                driver.start(release)
                wait_for("its mark", lambda: self.all_run(driver) and len(driver.replicas()) == len(driver.children))
            wait_for("replicas", lambda: self.all_run(driver) and self.all_are_ready())
        except Broken as broken:
            said = [f"{replica} has written:\n{driver.last_words(replica)}" for replica in driver.children]
            raise Broken("\n".join([f"{broken}; running: {self.running()}", *said])) from None
        journal = Journal(self.state)
        journal.finish(release, None)
        return driver

    @staticmethod
    def all_run(driver):
        """Fails if a replica has ended: it will never be ready."""
        if ended := [str(replica) for replica, child in driver.children.items() if child.poll() is not None]:
            raise Broken(f"{', '.join(ended)} has ended")
        return True

    def all_are_ready(self):
        running = self.running()
        return len(running) == REPLICAS and "503" not in running

    def pids(self):
        """The processes that this place has started, which carry its folder."""
        found, mark = [], f"={self.state}|".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found

    def running(self):
        """What listens and is ready: the version of each replica, sorted."""
        found = []
        for port in self.site.ports:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/readyz")
                response = connection.getresponse()
                answer = json.loads(response.read())
                found.append(answer["version"] if response.status == 200 else str(response.status))
            except (OSError, http.client.HTTPException):
                continue
            finally:
                connection.close()
        return sorted(found)


class Load:
    """Players and an operator behind nginx: connections that are kept and new ones, GET and POST, none of which is repeated by us.

    Only what fails is kept. The operator gives coins one by one without an Idempotency-Key, so that a grant that was lost, or made twice, is
    seen in the wallet."""

    PLAYER = "demo-07"
    # Who does nothing, so that the wallet has what was granted, and no prize.
    GRANTED = "demo-08"

    def __init__(self, site):
        self.site, self.over, self.failures, self.answered, self.granted = site, threading.Event(), [], 0, 0
        self.lock = threading.Lock()

    def __enter__(self):
        self.operator, self.player = self.site.log_in("demo-admin", "demo-admin-pass"), self.site.log_in(self.PLAYER)
        self.granted_to = self.site.log_in(self.GRANTED)
        self.before = self.coins()
        kept, new = (self.reads, self.reads, self.plays, self.grants), (self.reads, self.plays, self.grants)
        work = [(each, True) for each in kept] + [(each, False) for each in new]
        self.threads = [threading.Thread(target=self.guard, args=each) for each in work]
        for thread in self.threads:
            thread.start()
        wait_for("load", lambda: self.answered > 100 or self.failures)
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.gained = self.coins() - self.before

    def coins(self):
        status, wallet = self.site.send_once("GET", "/api/wallet", token=self.granted_to)
        assert status == 200, wallet
        return wallet["balances"]["ROULETTE_COIN"]

    def guard(self, work, is_kept):
        connection = self.site.connection()
        # As fast as seven players would be, and not as the machine lets them: the releases need it too.
        while not self.over.wait(0.01):
            try:
                work(connection)
            except Exception as error:
                self.failures.append(f"{work.__name__}: {error!r}")
                connection.close()
                if len(self.failures) > 50:
                    break
            if not is_kept:
                connection.close()
        connection.close()

    def check(self, status, answer, *fine):
        with self.lock:
            self.answered += 1
        if status not in fine:
            self.failures.append(f"{status} {answer}")

    def reads(self, connection):
        self.check(*self.site.send(connection, "GET", "/api/season-pass/status", token=self.player), 200)

    def plays(self, connection):
        # All tokens may have been played, or the day's plays.
        self.check(*self.site.send(connection, "POST", "/api/dice/play", token=self.player), 200, 400)

    def grants(self, connection):
        body = {"external_id": self.GRANTED, "token_type": "ROULETTE_COIN", "amount": 1, "reason": "load"}
        status, answer = self.site.send(connection, "POST", "/admin/api/game-tokens/grant", body, self.operator)
        self.check(status, answer, 200)
        with self.lock:
            self.granted += status == 200
