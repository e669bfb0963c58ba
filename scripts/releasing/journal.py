"""What is deployed, and what is under way: one file, so that a deploy that was killed can be continued or undone, and nobody guesses."""

import contextlib
import fcntl
import json
import os

from releasing.outcome import NeedsPerson, Refused


@contextlib.contextmanager
def lock(folder):
    """Only one deploy at a time. The system opens the lock when the process ends, however it ends."""
    with open(folder / "lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Refused(f"another deploy is running (process {file.read().strip() or 'unknown'})") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


class Journal:
    """`current` and `previous` are releases. `under_way` is None, or has `from`, `to`, `stage` and how many `replicas` there are to be."""

    def __init__(self, folder):
        self.path = folder / "journal.json"
        self.current = self.previous = self.under_way = None
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            self.current, self.previous, self.under_way = kept["current"], kept["previous"], kept["under_way"]
        except FileNotFoundError:
            pass
        except (ValueError, LookupError, TypeError) as error:
            raise NeedsPerson(f"{self.path} cannot be read ({error!r}): see `scripts/deploy status`, then delete it") from None

    def begin(self, before, release, replicas):
        self.under_way = {"from": before, "to": release, "stage": "migrating", "replicas": replicas}
        self.write()

    def enter(self, stage):
        self.under_way["stage"] = stage
        self.write()

    def finish(self, current, previous):
        self.current, self.previous, self.under_way = current, previous, None
        self.write()

    def give_up(self):
        """What was under way has come to nothing."""
        self.under_way = None
        self.write()

    def write(self):
        """All of it or nothing, also when the power goes."""
        new = self.path.with_suffix(".new")
        with open(new, "w", encoding="utf-8") as file:
            json.dump({"current": self.current, "previous": self.previous, "under_way": self.under_way}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.path)
