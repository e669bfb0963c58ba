"""Replicas of the program, and the Redis server that they may share."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time

from reliability.machine import Process
from throwaway import Broken, free_ports, output, wait_for

SETTINGS = {
    "DATA_KEY": "0123456789abcdef" * 2, "JWT_SECRET": "fedcba9876543210" * 2, "RUST_LOG": "warn,xmas=info", "LOG_FORMAT": "json",
    # No limit hides anything, and a token outlives every step of the clock.
    "LOGINS_PER_MINUTE": "1000000", "LOGINS_PER_ADDRESS_PER_MINUTE": "1000000", "LOGINS_PER_ACCOUNT_PER_MINUTE": "1000000",
    "PLAYER_WRITES_PER_MINUTE": "0", "PLAYER_READS_PER_MINUTE": "0", "MAX_REQUESTS_PER_ADDRESS": "0", "MAX_CONNECTIONS_PER_ADDRESS": "0",
    "JWT_EXPIRE_MINUTES": "43200", "JWT_ADMIN_EXPIRE_MINUTES": "1440",
    # What is no part of the load is left out of it.
    "AUDIT_HOURS": "0", "DRAIN_SECONDS": "0",
}


class Answer:
    """What came back: a status with its body, or `lost` (the request was sent, and no answer came) or `refused` (nobody listened)."""

    def __init__(self, status, body=None, headers=None, cause=""):
        self.status, self.body, self.headers, self.cause = status, body, headers or {}, cause

    @property
    def code(self):
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error["code"] if isinstance(error, dict) else ""

    @property
    def is_good(self):
        return self.status in (200, 201, 204)

    @property
    def is_replay(self):
        return self.headers.get("idempotency-replayed") == "true"

    @property
    def is_decided(self):
        """Whether the server has said what became of the request."""
        return isinstance(self.status, int) and self.status < 500 and self.status not in (408, 429)

    def __str__(self):
        said = self.cause or (json.dumps(self.body, ensure_ascii=False) if self.body is not None else "")
        return f"{self.status} {said[:300]}"


class Client:
    """One connection that is kept, as browsers keep theirs."""

    PATIENCE = 20

    def __init__(self, port):
        self.port, self.connection = port, None

    def send(self, method, path, token=None, body=None, headers=None):
        headers = dict(headers or {})
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = None
        if isinstance(body, str):
            data = body.encode()
            headers["content-type"] = "text/csv"
        elif body is not None:
            data = json.dumps(body).encode()
            headers["content-type"] = "application/json"
        # The server hangs up on connections that are idle for 5 s, perhaps just when something is sent.
        if self.connection and time.monotonic() - self.used > 2:
            self.close()
        if not self.connection:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.PATIENCE)
            try:
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                self.close()
                return Answer("refused", cause=repr(error))
        self.used = time.monotonic()
        try:
            self.connection.request(method, path, data, headers)
            response = self.connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answer("lost", cause=repr(error))
        self.used = time.monotonic()
        found = {name.lower(): value for name, value in response.getheaders()}
        if found.get("connection") == "close":
            self.close()
        if found.get("content-type", "").startswith("application/json"):
            return Answer(response.status, json.loads(text), found)
        return Answer(response.status, text.decode(errors="replace") or None, found)

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None


class Replica:
    """A process that serves at a port of its own, and comes back at the same one."""

    def __init__(self, program, number, folder, settings):
        self.program, self.number, self.folder, self.process = program, number, folder, None
        self.port = free_ports(1)[0]
        self.name = f"replica {number + 1}"
        self.settings = {**SETTINGS, "PATH": os.environ["PATH"], "DATA_DIR": str(folder), "BIND_ADDR": f"127.0.0.1:{self.port}", **settings}

    def start(self, **more):
        self.process = Process([self.program, "serve"], self.folder / f"replica-{self.number + 1}.log", cwd=self.folder,
                               env={**self.settings, **more})

    def wait(self, seconds=60):
        def is_ready():
            if not self.process.is_running():
                raise Broken(f"{self.name} ended: {self.process.last_words()}")
            return self.readiness() == 200
        wait_for(f"{self.name} to be ready", is_ready, seconds)

    def readiness(self):
        """The status of /readyz; None while nobody answers."""
        with contextlib.closing(Client(self.port)) as client:
            client.PATIENCE = 5
            answer = client.send("GET", "/readyz")
        return answer.status if isinstance(answer.status, int) else None

    def freeze(self):
        self.process.send(signal.SIGSTOP)

    def thaw(self):
        self.process.send(signal.SIGCONT)

    def run(self, *arguments, **more):
        """Another verb of the program, on the same database."""
        return output([self.program, *arguments], cwd=self.folder, env={**self.settings, **more})

    def begin(self, *arguments):
        return subprocess.Popen([self.program, *arguments], cwd=self.folder, env=self.settings, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


class Redis:
    """A server that keeps nothing when it ends."""

    def __init__(self, folder):
        self.folder, self.process, self.port = folder, None, free_ports(1)[0]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.folder.mkdir(exist_ok=True)
        program = os.environ.get("REDIS_SERVER", "redis-server")
        self.process = Process([program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder],
                               self.folder / "log")
        wait_for("Redis", lambda: self.ask(b"PING\r\n").startswith(b"+PONG"))

    def ask(self, command):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
                connection.sendall(command)
                return connection.recv(100)
        except OSError:
            return b""

    def flush(self):
        if not self.ask(b"FLUSHALL\r\n").startswith(b"+OK"):
            raise Broken("Redis was not flushed")
