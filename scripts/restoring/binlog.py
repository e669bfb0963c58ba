"""Reads the binary log of MySQL 8/9 and MariaDB in the format ROW: files, events, transactions, and the rows that they change.

Nothing else is needed for it: the official image of MySQL has no mysqlbinlog. What is not known here is refused and never skipped."""

import mmap
import re
import struct
import uuid
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from .problem import Problem

MAGIC = b"\xfebin"
HEADER = struct.Struct("<IBIIIH")
QUERY, STOP, ROTATE, FORMAT, XID, TABLE_MAP, XA_PREPARE, PREVIOUS_GTIDS = 2, 3, 4, 15, 16, 19, 38, 35
WRITES, UPDATES, DELETES = {23, 30}, {24, 31}, {25, 32}
ROWS = WRITES | UPDATES | DELETES
GTID, ANONYMOUS_GTID, GTID_TAGGED, MARIADB_GTID, GTID_LIST = 33, 34, 42, 162, 163
BEGINS = {GTID, ANONYMOUS_GTID, GTID_TAGGED, MARIADB_GTID}
# Between transactions, or a comment within one: MySQL's rows query, MariaDB's annotation, checkpoint and list of GTIDs.
SILENT = {STOP, ROTATE, FORMAT, PREVIOUS_GTIDS, GTID_LIST, 29, 160, 161}
# Parts of a statement that is logged as text, which is refused where it is one of ours.
OF_STATEMENTS = {5, 13, 14}
STANDALONE = 1
IN_USE = 1
SECOND = 1_000_000


@dataclass
class Event:
    kind: int
    at: int
    start: int
    end: int
    raw: bytes
    # Without header and checksum.
    body: bytes


@dataclass
class Statement:
    """A statement that stands for itself, such as one that changes the schema."""

    database: str
    text: str
    sql_mode: int | None


@dataclass
class Table:
    database: str
    name: str
    types: bytes
    meta: list
    event: Event


@dataclass
class Transaction:
    log: str
    start: int
    end: int = 0
    # When it was committed, in microseconds since 1970: MariaDB says the second only, as of which the commit began.
    at: int = 0
    # The source that counts it, and its number there: MariaDB's domain, or the UUID of a server of MySQL.
    gtid: tuple | None = None
    statement: Statement | None = None
    # (table, event) in their order.
    rows: list = field(default_factory=list)


class Log:
    """One file."""

    def __init__(self, path):
        self.path, self.name = Path(path), Path(path).name
        with open(path, "rb") as file:
            if file.read(4) != MAGIC:
                raise Problem(f"{self.name} is no binary log, or an encrypted one.")
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.checksum = 0
        first = next(self.headers(4), None)
        if first is None or first[1] != FORMAT:
            raise Problem(f"{self.name} has no beginning.")
        at, _, start, end, flags = first
        # Everything else is read as the server's version says it here; a checksum of four bytes follows the name of its kind.
        self.format, self.at, self.is_in_use = self.data[start:end], at, bool(flags & IN_USE)
        self.checksum = 4 if self.data[end - 5] == 1 else 0
        self.is_mariadb = b"MariaDB" in self.format

    def headers(self, position):
        """What each whole event says of itself; whatever follows the last whole one was still being written."""
        size = len(self.data)
        while position + HEADER.size <= size:
            at, kind, _, length, _, flags = HEADER.unpack_from(self.data, position)
            if length < HEADER.size or position + length > size:
                return
            yield at, kind, position, position + length, flags
            position += length

    def event(self, at, kind, start, end):
        raw = self.data[start:end]
        if self.checksum and zlib.crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little") and kind != FORMAT:
            raise Problem(f"{self.name} is damaged at {start}: a checksum is wrong.")
        return Event(kind, at, start, end, raw, raw[HEADER.size : len(raw) - self.checksum])

    def successor(self):
        """Which file it says comes next; an empty text if the server was stopped or has mended it, None if it has no end."""
        last = None
        for last in self.headers(4):
            pass
        at, kind, start, end, _ = last
        if kind == ROTATE:
            return self.event(at, kind, start, end).body[8:].decode()
        return "" if kind == STOP or not self.is_in_use else None

    def is_boundary(self, position):
        return position == len(self.data) or any(start == position for _, _, start, _, _ in self.headers(4))

    def last_before(self, position):
        """When the last event before a position was written, in seconds."""
        return max((at for at, _, start, _, _ in self.headers(4) if start < position), default=0)

    def counted(self):
        """The number of the last transaction before this file in each of MariaDB's domains."""
        for at, kind, start, end, _ in self.headers(4):
            if kind == GTID_LIST:
                body = self.event(at, kind, start, end).body
                number = int.from_bytes(body[:4], "little") & (1 << 28) - 1
                # A domain has a line for each server that ever wrote to it, the newest last.
                return {str(domain): sequence for domain, _, sequence in struct.iter_unpack("<IIQ", body[4 : 4 + 16 * number])}
            if kind in BEGINS:
                break
        return {}

    def transactions(self):
        """The transactions that are whole."""
        open_one, tables = None, {}
        for at, kind, start, end, _ in self.headers(4):
            if kind in SILENT:
                continue
            event = self.event(at, kind, start, end)
            if kind in BEGINS:
                open_one, tables = Transaction(self.name, start), {}
                standalone = read_gtid(event, open_one)
                continue
            if open_one is None:
                raise Problem(f"{self.name} has an event of kind {kind} at {start} outside of a transaction.")
            is_over = False
            if kind == QUERY:
                statement = read_query(event)
                word = statement.text.upper().split(None, 1)[0].rstrip(";") if statement.text.strip() else ""
                if word in ("COMMIT", "ROLLBACK") and "TO" not in statement.text.upper().split():
                    is_over = True
                elif word not in ("BEGIN", "SAVEPOINT"):
                    if open_one.statement or open_one.rows:
                        raise Problem(f"{self.name} has {statement.text[:60]!r} at {start} within a transaction.")
                    open_one.statement = statement
                    # MySQL says BEGIN first, MariaDB says it beforehand.
                    is_over = standalone is not False
            elif kind == XID:
                is_over = True
            elif kind == TABLE_MAP:
                number, table = read_table(event)
                tables[number] = table
            elif kind in ROWS:
                open_one.rows.append((tables[int.from_bytes(event.body[:6], "little")], event))
            elif kind not in OF_STATEMENTS:
                raise Problem(f"{self.name} has an event of kind {kind} at {start}, which is not known here: "
                              "a compressed log, or XA, cannot be replayed.")
            if is_over:
                open_one.end = end
                open_one.at = open_one.at or at * SECOND
                yield open_one
                open_one = None


def read_gtid(event, transaction):
    """Fills in what the first event of a transaction says. For MariaDB also whether it is a statement alone."""
    body = event.body
    if event.kind == MARIADB_GTID:
        sequence, domain, flags = struct.unpack_from("<QIB", body)
        transaction.gtid = (str(domain), sequence)
        return bool(flags & STANDALONE)
    if event.kind == GTID:
        transaction.gtid = (str(uuid.UUID(bytes=body[1:17])), int.from_bytes(body[17:25], "little"))
    if event.kind != GTID_TAGGED:
        # To the microsecond, in seven bytes whose highest bit says that another time follows.
        transaction.at = int.from_bytes(body[42:49], "little") & (1 << 55) - 1
    return None


def read_query(event):
    body = event.body
    _, _, length, _, status = struct.unpack_from("<IIBHH", body)
    variables, rest = body[13 : 13 + status], body[13 + status :]
    # They come in order: 0 has four bytes, and 1 is sql_mode.
    at = 5 if variables[:1] == b"\0" else 0
    sql_mode = int.from_bytes(variables[at + 1 : at + 9], "little") if variables[at : at + 1] == b"\1" else None
    return Statement(rest[:length].decode(), rest[length + 1 :].decode("utf-8", "replace"), sql_mode)


def read_length(data, at):
    """A number of one to nine bytes, and where it ends."""
    first = data[at]
    size = {252: 2, 253: 3, 254: 8}.get(first, 0)
    return (int.from_bytes(data[at + 1 : at + 1 + size], "little") if size else first), at + 1 + size


# How many bytes describe a column, by its type; 0 for others.
META = {4: 1, 5: 1, 15: 2, 16: 2, 17: 1, 18: 1, 19: 1, 245: 1, 246: 2, 247: 2, 248: 2, 252: 1, 253: 2, 254: 2, 255: 1}


def read_table(event):
    body = event.body
    number, at = int.from_bytes(body[:6], "little"), 9
    database = body[at : at + body[8]].decode()
    at += body[8] + 1
    name = body[at + 1 : at + 1 + body[at]].decode()
    columns, at = read_length(body, at + body[at] + 2)
    types = body[at : at + columns]
    _, at = read_length(body, at + columns)
    meta = []
    for kind in types:
        meta.append(body[at : at + META.get(kind, 0)])
        at += META.get(kind, 0)
    return number, Table(database, name, types, meta, event)


def renamed(table, database):
    """The event that announces a table, with another database in it."""
    event, name = table.event, database.encode()
    checksum = len(event.raw) - HEADER.size - len(event.body)
    body = event.body[:8] + bytes([len(name)]) + name + event.body[9 + event.body[8] :]
    at, kind, server, _, position, flags = HEADER.unpack_from(event.raw)
    raw = HEADER.pack(at, kind, server, HEADER.size + len(body) + checksum, position, flags) + body
    return raw + zlib.crc32(raw).to_bytes(4, "little") if checksum else raw


def changes(table, event):
    """What an event did: for each row what it was before and what it is now, either of them None."""
    body = event.body
    at = 8 + (int.from_bytes(body[8:10], "little") if event.kind >= 30 else 0)
    columns, at = read_length(body, at)
    bitmap = (columns + 7) // 8
    images = 2 if event.kind in UPDATES else 1
    if any(bin(int.from_bytes(body[at + bitmap * i : at + bitmap * (i + 1)], "little") & (1 << columns) - 1).count("1") != columns for i in range(images)):
        raise Problem(f"the rows of {table.name} are not whole in the log: binlog_row_image must be FULL.")
    at += bitmap * images
    while at < len(body):
        found = []
        for _ in range(images):
            nulls, values = int.from_bytes(body[at : at + bitmap], "little"), []
            at += bitmap
            for column, kind in enumerate(table.types):
                if nulls >> column & 1:
                    values.append(None)
                else:
                    value, at = read_value(kind, table.meta[column], body, at)
                    values.append(value)
            found.append(values)
        if event.kind in WRITES:
            yield None, found[0]
        elif event.kind in DELETES:
            yield found[0], None
        else:
            yield found[0], found[1]


INTEGERS = {1: 1, 2: 2, 9: 3, 3: 4, 8: 8}


def read_value(kind, meta, data, at):
    """A value, and where it ends. Types that the schema does not have are refused."""
    if kind in INTEGERS:
        size = INTEGERS[kind]
        return int.from_bytes(data[at : at + size], "little", signed=True), at + size
    if kind == 254:
        high, low = meta
        length = low if high & 0x30 == 0x30 else low | (high & 0x30 ^ 0x30) << 4
        return read_text(data, at, 1 if length < 256 else 2)
    if kind in (15, 253):
        return read_text(data, at, 1 if int.from_bytes(meta, "little") < 256 else 2)
    if kind in (245, 252):
        return read_text(data, at, meta[0])
    if kind == 10:
        packed = int.from_bytes(data[at : at + 3], "little")
        return f"{packed >> 9:04}-{packed >> 5 & 15:02}-{packed & 31:02}", at + 3
    if kind == 18:
        packed = int.from_bytes(data[at : at + 5], "big") - (1 << 39)
        size = (meta[0] + 1) // 2
        part = int.from_bytes(data[at + 5 : at + 5 + size], "big") * 10 ** (6 - 2 * size)
        month, day = divmod(packed >> 22, 13), packed >> 17 & 31
        text = f"{month[0]:04}-{month[1]:02}-{day:02} {packed >> 12 & 31:02}:{packed >> 6 & 63:02}:{packed & 63:02}.{part:06}"
        return text, at + 5 + size
    if kind in (4, 5):
        size = meta[0]
        return struct.unpack_from("<f" if size == 4 else "<d", data, at)[0], at + size
    raise Problem(f"a column of type {kind} is not known here.")


def read_text(data, at, size):
    length = int.from_bytes(data[at : at + size], "little")
    at += size
    return data[at : at + length].decode("utf-8", "replace"), at + length


def chain(folder, first):
    """The files from one on to the newest, of which none may be missing and all but the newest must be whole."""
    stem, _, number = first.rpartition(".")
    there = {int(path.suffix[1:]): path for path in Path(folder).iterdir() if re.fullmatch(re.escape(stem) + r"\.\d{6,}", path.name)}
    if int(number) not in there:
        raise Problem(f"{first}, in which the dump begins, is not in {folder}.")
    logs = [Log(there[n]) for n in sorted(n for n in there if n >= int(number))]
    for before, after in zip(logs, logs[1:]):
        wanted = f"{stem}.{int(before.path.suffix[1:]) + 1:0{len(number)}}"
        if after.name != wanted:
            raise Problem(f"{wanted} is missing: {before.name} is followed by {after.name}. What was committed in it is not in {folder}.")
        # A file of MariaDB whose server has died has no end, and stays marked: the numbers of its transactions decide.
        successor = before.successor()
        if successor is None and not before.is_mariadb or successor and successor != after.name:
            raise Problem(f"{before.name} is not whole: it does not end where {after.name} begins. Copy it again.")
    return logs


def transactions(logs, position):
    """All transactions of these files from a position in the first on. MariaDB counts them, and a gap is refused."""
    highest = {}

    def count(log, at, domain, sequence, before):
        # A lower one is no gap: a log that was replayed with its own numbers leaves such.
        if before > highest.get(domain, before):
            raise Problem(f"transactions are missing in the log: in {log.name} at {at} comes {domain}-{sequence} after {domain}-{highest[domain]}.")
        highest[domain] = max(sequence, highest.get(domain, 0))

    for log in logs:
        for domain, sequence in log.counted().items():
            count(log, 4, domain, sequence, sequence)
        for transaction in log.transactions():
            if log.is_mariadb and transaction.gtid:
                count(log, transaction.start, *transaction.gtid, transaction.gtid[1] - 1)
            if log is not logs[0] or transaction.start >= position:
                yield transaction
