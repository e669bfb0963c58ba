"""What is started, waited for and ended on this machine."""

import os
import random
import signal
import socket
import subprocess
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
