"""The databases that an event can be on, each with what can happen to its servers, and where replicas find it."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

from reliability.machine import ROOT
from throwaway import Broken, free_ports, output, wait_for


def has_ended(pid):
    """Whether it has; nobody may have asked about it yet."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True


class Sqlite:
    """A file in a file system of its own, of a few megabytes, so that its disk can be full. One replica uses it."""

    name = "sqlite"
    replicas = 1
    SIZE = "96m"

    def __init__(self, folder):
        self.folder, self.disk, self.file, self.is_mounted = folder, folder / "disk", None, False

    def start(self):
        self.disk.mkdir(parents=True, exist_ok=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "chaos", self.disk], capture_output=True, check=False)
        self.is_mounted = mounted.returncode == 0

    def stop(self):
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", self.disk], check=False)
            self.is_mounted = False

    def new(self, name):
        """A fresh database. Where each replica finds it."""
        for old in self.disk.glob("*"):
            old.unlink()
        self.file = self.disk / f"{name}.db"
        return [f"sqlite://{self.file}?mode=rwc"]

    def read(self, queries, node=0):
        """Rows of each query: a pair of columns and what follows FROM."""
        connection = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=30)
        try:
            return [[list(row) for row in connection.execute(f"SELECT {columns} FROM {rest}")] for columns, rest in queries]
        finally:
            connection.close()

    def write(self, statement):
        connection = sqlite3.connect(self.file, timeout=30)
        with connection:
            connection.execute(statement)
        connection.close()

    # -- Faults

    def fill_disk(self):
        """Until nothing more fits."""
        if not self.is_mounted:
            raise Broken("a full disk needs the right to mount a tmpfs: run this as root, or leave the fault out")
        with open(self.disk / "ballast", "ab", buffering=0) as ballast:
            for piece in (1 << 16, 1 << 12):
                try:
                    while True:
                        ballast.write(b"\0" * piece)
                except OSError:
                    continue

    def free_disk(self):
        (self.disk / "ballast").unlink(missing_ok=True)


class Server:
    """What MariaDB and Galera share: rows come through the client as JSON, which has no line breaks and no tabs."""

    def client(self, node, statements):
        command = ["mariadb", "--no-defaults", f"--socket={self.socket(node)}", "--user=root", "--batch", "--raw", "--skip-column-names",
                   "--default-character-set=utf8mb4"]
        return output([*command, f"--execute={statements}", *([self.database] if self.database else [])])

    def read(self, queries, node=0):
        tagged = [f"SELECT JSON_ARRAY({number}, {columns}) FROM {rest};" for number, (columns, rest) in enumerate(queries)]
        found = [[] for _ in queries]
        for line in self.client(node, self.BEFORE_READS + "SET NAMES utf8mb4; " + " ".join(tagged)).splitlines():
            number, *row = json.loads(line)
            found[number].append(row)
        return found

    def write(self, statement):
        self.client(0, statement)

    def new(self, name):
        self.database, before = None, self.database
        self.client(0, f"CREATE DATABASE {name}" + (f"; DROP DATABASE {before}" if before else ""))
        self.database = name
        return [f"{url}/{name}" for url in self.urls]


class MariaDb(Server):
    """One server, two replicas. What was committed is in the hands of the system when the client hears of it, so SIGKILL loses nothing."""

    name = "mariadb"
    replicas = 2
    BEFORE_READS = ""

    def __init__(self, folder):
        self.folder, self.database = folder / "mariadb", None
        self.port = free_ports(1)[0]
        self.urls = [f"mysql://root@127.0.0.1:{self.port}"] * self.replicas

    def socket(self, node):
        return self.folder / "socket"

    def start(self):
        options = [f"--port={self.port}", "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=64M", "--performance-schema=OFF"]
        output([ROOT / "scripts/mariadb", "start", self.folder, *options])

    def stop(self):
        self.thaw()
        output([ROOT / "scripts/mariadb", "stop", self.folder])

    def pid(self):
        return int((self.folder / "pid").read_text(encoding="utf-8"))

    # -- Faults

    def kill(self):
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        wait_for("MariaDB's end", lambda: has_ended(pid))

    def freeze(self):
        os.kill(self.pid(), signal.SIGSTOP)

    def thaw(self):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            os.kill(self.pid(), signal.SIGCONT)


class Galera(Server):
    """Three nodes, and a replica of the program at each."""

    name = "galera"
    replicas = 3
    # Reads what every node has committed so far.
    BEFORE_READS = "SET SESSION wsrep_sync_wait = 15; "

    def __init__(self, folder):
        self.folder, self.database, self.urls = folder / "galera", None, []

    def socket(self, node):
        return self.folder / str(node + 1) / "socket"

    def call(self, *arguments):
        return output([ROOT / "scripts/galera", arguments[0], self.folder, *(str(each) for each in arguments[1:])])

    def start(self):
        self.urls = self.call("start").split()

    def stop(self):
        self.call("stop")

    def status(self, node, name):
        try:
            rows = self.client(node, f"SHOW GLOBAL STATUS LIKE '{name}'").split()
        except Broken:
            return None
        return rows[1] if len(rows) > 1 else None

    def is_whole(self):
        return all(self.status(node, "wsrep_cluster_size") == "3" and self.status(node, "wsrep_local_state_comment") == "Synced"
                   for node in range(self.replicas))

    # -- Faults

    def pid(self, node):
        try:
            return int((self.folder / str(node + 1) / "pid").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def kill(self, node):
        pid = self.pid(node)
        self.call("kill", node + 1)
        wait_for("a node's end", lambda: has_ended(pid))

    def end(self, node):
        """As a rolling restart does."""
        pid = self.pid(node)
        os.kill(pid, signal.SIGTERM)
        wait_for("a node's end", lambda: has_ended(pid))

    def freeze(self, *nodes):
        self.call("freeze", *(node + 1 for node in nodes))

    def thaw(self, node):
        pid = self.pid(node)
        if pid and Path(f"/proc/{pid}").exists():
            os.kill(pid, signal.SIGCONT)

    def rejoin(self, node):
        self.call("rejoin", node + 1)


KINDS = {kind.name: kind for kind in (Sqlite, MariaDb, Galera)}
