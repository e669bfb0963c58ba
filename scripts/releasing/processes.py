"""Replicas that are processes of this machine, for those who have no containers.

Each listens on a port of its own. There is one port more than replicas, and nginx knows them all: a new process takes the free one, and
leaves another free. Where nobody listens nginx is refused at once, and goes on to the next, also with a POST."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from releasing import commands
from releasing.outcome import Misused, Refused
from releasing.replica import Replica

# What a process has in its environment, so that it can be found again whatever became of the deploy that started it.
MARK = "DEPLOYED_AS"
REHEARSAL = "rehearsal"


class Processes:
    def __init__(self, settings, root):
        self.settings = settings
        self.state = root / settings.state
        self.releases = root / settings.releases
        self.serving = self.variables(root / settings.environment)
        self.owning = self.serving | self.variables(root / settings.owner_environment)
        self.places = [str(port) for port in settings.ports]
        self.metrics = dict(zip(self.places, settings.metrics_ports))
        # What this deploy has started itself: the system shows a mark a moment later only.
        self.children = {}
        # Where in its log each of them begins: earlier ones of the same port have written there too.
        self.begins = {}

    @staticmethod
    def variables(path):
        """The lines NAME=value of a file, and the little that a program needs of ours."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise Misused(f"{path} cannot be read: {error}") from None
        given = dict(line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
        return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | given

    # -- Releases

    def program(self, release):
        return str(self.releases / release / "xmas-api")

    def find(self, release):
        """Refuses a release that is not there."""
        if "/" in release or not os.access(self.program(release), os.X_OK):
            raise Refused(f"there is no program {self.program(release)}")

    def call(self, release, *arguments, owner=False):
        """Runs the release's program once, with what replicas have in their environment, or the owner of the schema."""
        return commands.run([self.program(release), *arguments], cwd=self.state, env=self.owning if owner else self.serving)

    def version(self, release):
        return self.call(release, "--version")

    def migrate(self, release):
        """Each step when it is asked for: what has failed if it does, and how it ended."""
        yield "the migration has failed", self.call(release, "migrate", "up", owner=True)
        if self.settings.after_migration:
            done = commands.run(self.settings.after_migration, cwd=self.state, env=self.owning)
            yield "the command of after_migration has failed; the schema is migrated", done

    def adopt(self, release):
        """Nothing else has to know which release runs."""

    def disk(self):
        return self.releases

    # -- Replicas

    def count(self, running):
        return len(self.places) - 1

    def replicas(self):
        """All that run, rehearsals too."""
        return [replica for replica, _ in self.marked()]

    def marked(self):
        mark = f"{MARK}={self.state}|".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                # A process that has ended, and that nobody has asked about yet, has no environment any more.
                found = [line for line in (folder / "environ").read_bytes().split(b"\0") if line.startswith(mark)]
                pid = int(folder.name)
                # What it has started has the same mark.
                if not found or os.getsid(pid) != pid:
                    continue
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            place, port, release = found[0].removeprefix(mark).decode().split("|")
            metrics = f"127.0.0.1:{self.metrics[place]}" if place in self.metrics else ""
            yield Replica(place, release, f"127.0.0.1:{port}", metrics, place == REHEARSAL), pid

    def refuse_strangers(self):
        """Refuses a port where somebody else listens, such as a replica that was started in another way."""
        ours = {replica.id for replica in self.replicas()}
        for place in self.places:
            for port in (place, *([self.metrics[place]] if place in self.metrics else [])):
                with socket.socket() as client:
                    if place not in ours and client.connect_ex(("127.0.0.1", int(port))) == 0:
                        raise Refused(f"somebody listens on 127.0.0.1:{port} whom this has not started: end it, or set another port")

    def pid(self, replica):
        if child := self.children.get(replica):
            return child.pid if child.poll() is None else None
        return next((pid for found, pid in self.marked() if found == replica), None)

    def is_running(self, replica):
        return self.pid(replica) is not None

    def start(self, release):
        taken = {replica.id for replica in self.replicas()}
        place = next(place for place in self.places if place not in taken)
        return self.launch(release, place, int(place))

    def rehearse(self, release):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        return self.launch(release, REHEARSAL, port)

    def launch(self, release, place, port):
        environment = self.serving | {MARK: f"{self.state}|{place}|{port}|{release}", "BIND_ADDR": f"127.0.0.1:{port}"}
        environment.pop("METRICS_ADDR", None)
        replica = Replica(place, release, f"127.0.0.1:{port}", is_rehearsal=place == REHEARSAL)
        if place in self.metrics:
            environment["METRICS_ADDR"] = f"127.0.0.1:{self.metrics[place]}"
            replica = Replica(place, release, replica.address, environment["METRICS_ADDR"])
        with open(self.log(place), "ab") as log:
            self.begins[replica] = log.tell()
            # A session of its own: it goes on when the deploy has ended, and Ctrl-C does not reach it.
            self.children[replica] = subprocess.Popen(
                [self.program(release), "serve"], cwd=self.state, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )
        return replica

    def stop(self, replica):
        """Lets it finish what it has begun. Gives back whether it did."""
        end = time.monotonic() + self.settings.stop_seconds
        # Nobody has to look away from a rehearsal first.
        number = signal.SIGINT if replica.is_rehearsal else signal.SIGTERM
        while (pid := self.pid(replica)) is not None:
            if number is not None:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    break
                number = None
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                return False
            time.sleep(0.05)
        return True

    def log(self, place):
        return self.state / f"{place}.log"

    def last_words(self, replica):
        written = self.log(replica.id).read_bytes()[self.begins.get(replica, 0) :].decode(errors="replace")
        return "\n".join(f"  | {line}" for line in written.splitlines()[-10:] or ["it wrote nothing"])
