"""What is started, waited for and ended on this machine."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Debian keeps mariadbd where the PATH of ordinary users does not look.
os.environ["PATH"] += ":/usr/sbin"


class Broken(Exception):
    """What the suite needs is not there, or what it started does not come up."""


def is_free(port):
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(number):
    """Below the range from which outgoing connections take theirs, since a port has to stay free while nobody listens there."""
    free = []
    while len(free) < number:
        port = random.SystemRandom().randrange(10000, 24000)
        if is_free(port) and port not in free:
            free.append(port)
    return free


def wait_for(what, is_there, seconds=60):
    end = time.monotonic() + seconds
    while not (found := is_there()):
        if time.monotonic() > end:
            raise Broken(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)
    return found


def output(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120, **options)
    if done.returncode != 0:
        shown = " ".join(str(part) for part in command)[:300]
        raise Broken(f"{shown} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def require(databases, folder):
    """Installs what is missing for these kinds of databases, or unpacks it, as scripts/test does."""
    provider = Path(os.environ.get("GALERA_PROVIDER", "/usr/lib/galera/libgalera_smm.so"))
    missing = []
    if {"mariadb", "galera"} & set(databases) and not all(shutil.which(name) for name in ("mariadbd", "mariadb", "mariadb-install-db", "mariadb-admin")):
        missing += ["mariadb-server-core", "mariadb-client"]
    if "mariadb" in databases and not shutil.which(os.environ.get("REDIS_SERVER", "redis-server")):
        missing.append("redis-server")
    if missing:
        install = ["bash", "-c", 'source "$0/scripts/lib/apt-install.sh" && apt_install "$@"', ROOT, *missing]
        if subprocess.run(install, stdout=sys.stderr, check=False).returncode:
            raise Broken(f"these packages are missing and could not be installed: {' '.join(missing)}")
    if "galera" in databases and not provider.exists():
        unpack = ["bash", "-c", 'source "$0/scripts/lib/apt-unpack.sh" && apt_unpack "$1" galera-4', ROOT, folder]
        if subprocess.run(unpack, stdout=sys.stderr, check=False).returncode:
            raise Broken("galera-4 is missing and could not be unpacked: install it, or name its library in GALERA_PROVIDER")
        os.environ["GALERA_PROVIDER"] = str(folder / "usr/lib/galera/libgalera_smm.so")


class Process:
    """A program of ours, with a log in a file."""

    def __init__(self, command, log, **options):
        # A group of its own keeps a Ctrl-C that is meant for the suite away from it.
        with open(log, "ab") as out:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, **options)
        self.log = log

    def is_running(self):
        return self.child.poll() is None

    def send(self, number):
        if self.is_running():
            self.child.send_signal(number)

    def kill(self):
        self.send(signal.SIGKILL)
        self.child.wait()

    def end(self, seconds=30):
        """The exit code."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Broken(f"a process did not end within {seconds} s of SIGTERM; its log is {self.log}") from None

    def last_words(self):
        return Path(self.log).read_text(encoding="utf-8", errors="replace")[-2000:]
