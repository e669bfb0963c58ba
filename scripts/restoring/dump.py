"""A dump of docker/backup: whether it is whole and as it was written, and where in the binary log it is."""

import gzip
import hashlib
import re
from pathlib import Path

from .problem import Problem

POSITION = re.compile(rb"^-- CHANGE (?:MASTER|REPLICATION SOURCE) TO (?:MASTER|SOURCE)_LOG_FILE='([^']+)', (?:MASTER|SOURCE)_LOG_POS=(\d+);")
DATABASE = re.compile(rb"^-- Host: .*\bDatabase: (\S+)")
PIECE = 1 << 20


class Dump:
    """The name of the database that it is of, and the file and position of the binary log at that moment."""

    def __init__(self, path):
        self.path = Path(path)
        self.check_sum()
        self.database = self.log = self.position = None
        last = b""
        try:
            with gzip.open(self.path) as file:
                for line in file:
                    if (found := DATABASE.match(line)) and not self.database:
                        self.database = found[1].decode()
                    if (found := POSITION.match(line)) and not self.log:
                        self.log, self.position = found[1].decode(), int(found[2])
                    last = line if line.strip() else last
        except (OSError, EOFError) as error:
            raise Problem(f"{self.path.name} cannot be read: {error}") from None
        if not last.startswith(b"-- Dump completed"):
            raise Problem(f"{self.path.name} is not complete.")
        if not self.log or not self.database:
            raise Problem(f"{self.path.name} does not say which position in the binary log it is of, so nothing can be replayed after it. "
                          "It can still be restored as it is (docker/database restore).")

    def check_sum(self):
        try:
            beside = Path(f"{self.path}.sha256").read_text(encoding="utf-8").split()
        except OSError:
            raise Problem(f"the checksum {self.path.name}.sha256 is missing beside the dump.") from None
        try:
            with open(self.path, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise Problem(f"{self.path} cannot be read: {error.strerror}.") from None
        if beside[:1] != [found]:
            raise Problem(f"{self.path.name} is not what was written: its SHA-256 is another one than {self.path.name}.sha256 says.")

    def pieces(self):
        with gzip.open(self.path) as file:
            while piece := file.read(PIECE):
                yield piece
