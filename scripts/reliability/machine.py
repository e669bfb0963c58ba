"""What is started, waited for and ended on this machine."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from throwaway import Broken

ROOT = Path(__file__).resolve().parents[2]
# Debian keeps mariadbd where the PATH of ordinary users does not look.
os.environ["PATH"] += ":/usr/sbin"


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
