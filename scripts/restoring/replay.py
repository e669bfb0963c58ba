"""What is replayed of the binary log, and until where."""

import base64
import re
from datetime import datetime, timedelta, timezone

from .binlog import SECOND, Transaction, chain, renamed, transactions
from .problem import Problem

KST = timezone(timedelta(hours=9))
END_OF_STATEMENT = 1
ACCOUNTS = re.compile(r"(GRANT|REVOKE|SET\s+(PASSWORD|DEFAULT\s+ROLE)|(CREATE|ALTER|DROP|RENAME)\s+(USER|ROLE))\b", re.IGNORECASE)
HARMLESS = re.compile(r"(ANALYZE|OPTIMIZE|REPAIR|FLUSH|(CREATE|ALTER)\s+(DATABASE|SCHEMA))\b", re.IGNORECASE)
DROPS = re.compile(r"DROP\s+(DATABASE|SCHEMA)\b", re.IGNORECASE)
SCHEMA = re.compile(r"(CREATE|ALTER|DROP|RENAME|TRUNCATE)\b", re.IGNORECASE)
COMMENT = re.compile(r"^(\s|/\*(?!!).*?\*/)+", re.DOTALL)


def kst(microseconds):
    whole = datetime.fromtimestamp(microseconds // SECOND, KST)
    return (whole + timedelta(microseconds=microseconds % SECOND)).isoformat()


class Until:
    """T: an instant, the last transaction that is replayed, or the end of the log."""

    def __init__(self, at=None, gtid=None, text="the end of the log"):
        self.at, self.gtid, self.text = at, gtid, text

    def is_before(self, transaction):
        """Whether T lies before a transaction, which then is not replayed."""
        if self.gtid:
            return bool(transaction.gtid) and transaction.gtid[0] == self.gtid[0] and transaction.gtid[1] > self.gtid[1]
        return self.at is not None and transaction.at >= self.at


class Span:
    """The part of the log from the dump until T, and what comes after it."""

    def __init__(self, folder, dump, until, target):
        self.logs = chain(folder, dump.log)
        self.position, until_at = dump.position, until.at
        first, last = self.logs[0], self.logs[-1]
        if not first.is_boundary(self.position):
            raise Problem(f"{dump.log} has no event at {self.position}, where the dump begins: it is of another server.")
        if until_at is not None and first.is_mariadb and until_at % SECOND:
            raise Problem("MariaDB's log knows seconds only: give T without a fraction.")
        if until_at is not None and (first.last_before(self.position) + 1) * SECOND > until_at:
            raise Problem("T is before the dump: take an older one.")
        self.cut, reached = None, not until.gtid
        # All of it is read once before anything is loaded, so that whatever is wrong with it is said at once.
        for transaction in transactions(self.logs, self.position):
            if self.cut:
                continue
            reached = reached or transaction.gtid == until.gtid
            if until.is_before(transaction):
                self.cut = (transaction.log, transaction.start)
            elif transaction.statement:
                try:
                    fate(transaction.statement, dump.database, target)
                except Problem as problem:
                    raise Problem(f"at {kst(transaction.at)}: {problem}") from None
        end = last.last_before(len(last.data) + 1)
        if not reached:
            raise Problem(f"{until.text} is not in the log between the dump and its end.")
        if until_at is not None and self.cut is None and (end + 1) * SECOND <= until_at:
            raise Problem(f"the log ends before T, at {kst(end * SECOND)} ({last.name}): bring its newer files, or replay all there is with --until end.")

    def before(self):
        for transaction in transactions(self.logs, self.position):
            if (transaction.log, transaction.start) == self.cut:
                return
            yield transaction

    def after(self):
        if self.cut:
            names = [log.name for log in self.logs]
            yield from transactions(self.logs[names.index(self.cut[0]) :], self.cut[1])


def bare(statement):
    return COMMENT.sub("", statement.text)


def fate(statement, source, target):
    """Whether a statement that is logged as text is to be replayed. Refuses what cannot be told."""
    text = bare(statement)
    names_it = re.search(rf"(?<![\w$]){re.escape(source)}(?![\w$])", text)
    if DROPS.match(text) and (names_it or statement.database == source):
        raise Problem(f"the database was dropped between the dump and T ({text[:80]!r}): T must be before that, or the dump from after it.")
    if ACCOUNTS.match(text) or HARMLESS.match(text):
        return False
    if statement.database != source:
        if names_it and SCHEMA.match(text):
            raise Problem(f"{text[:80]!r} may have changed {source} from another database, which cannot be replayed here.")
        return False
    if re.match(r"(CREATE|DROP)\s+TEMPORARY\b", text, re.IGNORECASE):
        return False
    if not SCHEMA.match(text):
        raise Problem(f"{text[:80]!r} is in the log as a statement and not by row: the server needs binlog_format=ROW.")
    if source != target and re.search(rf"(?<![\w$.])`?{re.escape(source)}`?\s*\.", text):
        raise Problem(f"{text[:80]!r} names {source}: restore into a database of that name, on another server.")
    return True


class Replay:
    """SQL for the client, transaction by transaction, and what has been counted on the way."""

    def __init__(self, span, source, target):
        self.span, self.source, self.target = span, source, target
        self.transactions = self.statements = self.last_at = 0

    def pieces(self):
        formats = {log.name: log.format for log in self.span.logs}
        of = None
        yield b"DELIMITER /*!*/;\n"
        for transaction in self.span.before():
            if transaction.log != of:
                of = transaction.log
                # The server is told of the format, and that each transaction is a new one of its own. MariaDB passes over the comment.
                yield binlog([formats[of]]) + b"/*!50700 SET @@SESSION.GTID_NEXT = 'AUTOMATIC' *//*!*/;\n"
            piece = self.piece(transaction)
            if piece:
                self.last_at = transaction.at
                yield piece

    def piece(self, transaction: Transaction):
        if transaction.statement:
            if not fate(transaction.statement, self.source, self.target):
                return b""
            self.statements += 1
            mode = transaction.statement.sql_mode
            return (f"SET sql_mode = {mode}/*!*/;\n" if mode is not None else "").encode() + transaction.statement.text.encode() + b"\n/*!*/;\n"
        groups, maps, rows = [], {}, []
        for table, event in transaction.rows:
            if table.database != self.source:
                continue
            maps.setdefault(id(table), renamed(table, self.target))
            rows.append(event.raw)
            if event.body[6] & END_OF_STATEMENT:
                groups.append(binlog([*maps.values(), *rows]))
                maps, rows = {}, []
        if rows:
            raise Problem(f"{transaction.log} has a statement without an end at {transaction.start}.")
        if not groups:
            return b""
        self.transactions += 1
        return b"BEGIN/*!*/;\n" + b"".join(groups) + b"COMMIT/*!*/;\n"


def binlog(events):
    return b"BINLOG '\n" + base64.encodebytes(b"".join(events)) + b"'/*!*/;\n"
