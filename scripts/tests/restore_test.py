"""Tests of scripts/backup and scripts/restore: an event that is played by several at once, whose server is killed, and that is restored to an
instant in the midst of it.

    python3 -m unittest discover -s scripts/tests -p '*_test.py'

XMAS_API names the program (target/debug/xmas-api). MariaDB's server and client are needed (scripts/mariadb).
"""

import contextlib
import csv
import gzip
import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from restoring.binlog import Statement, chain, transactions  # noqa: E402
from restoring.problem import Problem  # noqa: E402
from restoring.replay import fate  # noqa: E402
from throwaway import free_ports, wait_for  # noqa: E402

PROGRAM = str((ROOT / os.environ.get("XMAS_API", "target/debug/xmas-api")).resolve())
KEY = "the-key-of-the-tests-0123456789abcdef"
KST = timezone(timedelta(hours=9))
GAMES = ("roulette", "dice", "lottery")
# How many acknowledged plays each part of the load has at least.
ENOUGH = 60
# More than anybody plays here, so that what is left of it can be told.
SPINS = 5000


class MariaDb:
    def __init__(self, folder, *options):
        self.folder = folder
        self.url = subprocess.run([ROOT / "scripts/mariadb", "start", folder, *options], check=True, capture_output=True, text=True).stdout.strip()
        self.options = ["--no-defaults", "--host=127.0.0.1", f"--port={self.url.rpartition(':')[2]}", "--user=root"]

    def ask(self, sql):
        command = ["mariadb", *self.options, "--batch", "--skip-column-names", "--default-character-set=utf8mb4", "--execute", sql]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        return [line.split("\t") for line in run.stdout.splitlines()]

    def kill(self):
        """As a machine that is gone: nothing is finished."""
        number = int((self.folder / "pid").read_text())
        os.kill(number, signal.SIGKILL)
        wait_for("the end of the server", lambda: not Path(f"/proc/{number}").exists() or "Z" in Path(f"/proc/{number}/stat").read_text())

    def stop(self):
        subprocess.run([ROOT / "scripts/mariadb", "stop", self.folder], check=True)


def environment(url, folder, key=KEY):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "DATABASE_URL": url, "DATA_DIR": str(folder / "data"), "DATA_KEY": key, "JWT_SECRET": "tests-" + KEY, "DRAIN_SECONDS": "0", "RUST_LOG": "warn",
        "PLAYER_WRITES_PER_MINUTE": "0", "PLAYER_READS_PER_MINUTE": "0", "LOGINS_PER_ADDRESS_PER_MINUTE": "100000",
    }


class Api:
    """The program on a database, and what it is asked."""

    def __init__(self, url, folder):
        self.port = free_ports(1)[0]
        folder.mkdir(exist_ok=True)
        self.env = environment(url, folder) | {"BIND_ADDR": f"127.0.0.1:{self.port}"}
        self.folder, self.process = folder, None

    def call(self, *arguments):
        subprocess.run([PROGRAM, *arguments], env=self.env, cwd=self.folder, check=True, capture_output=True)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "serve"], env=self.env, cwd=self.folder, stdout=log, stderr=log)
        wait_for("the program", self.is_ready)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "log").read_text()[-2000:])
        with contextlib.suppress(OSError, http.client.HTTPException):
            return Client(self).send("GET", "/readyz")[0] == 200

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


class Client:
    """One connection, of one account once it has logged in. It is closed with the last who knows it."""

    def __init__(self, api):
        self.connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
        self.token = None

    def __del__(self):
        self.connection.close()

    def send(self, method, path, body=None, kind="application/json", **headers):
        if self.token:
            headers["authorization"] = "Bearer " + self.token
        if body is not None:
            headers["content-type"] = kind
            body = body if isinstance(body, str) else json.dumps(body)
        self.connection.request(method, path, body and body.encode(), headers)
        response = self.connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None

    def login(self, name):
        status, answer = self.send("POST", "/api/auth/token", {"external_id": name, "password": "demo-admin-pass" if name == "demo-admin" else "demo-pass"})
        if status != 200:
            raise AssertionError((name, status, answer))
        self.token = answer["access_token"]
        return self


class Load:
    """Players and an operator, who write down what they were told, and when they had asked for it."""

    def __init__(self, api):
        self.api, self.told, self.failures, self.is_over = api, [], [], threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.guard, args=(self.player, number)) for number in range(1, 7)]
        self.threads.append(threading.Thread(target=self.guard, args=(self.operator,)))

    def guard(self, work, *args):
        try:
            work(*args)
        except Exception as error:
            self.failures.append(f"{work.__name__}{args}: {error!r}")

    def tell(self, kind, asked, **found):
        with self.lock:
            self.told.append({"kind": kind, "asked": asked, "acknowledged": time.time(), **found})

    def player(self, number):
        name = f"demo-{number:02}"
        client = Client(self.api).login(name)
        step = number
        while not self.is_over.is_set():
            game = GAMES[step % 3]
            step += 1
            asked = time.time()
            status, answer = client.send("POST", f"/api/{game}/play", **{"idempotency-key": str(uuid.uuid4())})
            if status == 200:
                receipt = answer["receipt"]
                shown = answer.get("segment", answer.get("prize", answer.get("game")))
                self.tell("play", asked, user=number, game=game, id=receipt["play_id"], nonce=receipt["nonce"], day=receipt["day"],
                          coupon=receipt["coupon_code"], shown={"id": shown.get("id"), "dice": shown.get("user_dice")})
            elif answer["error"]["code"] not in ("NOT_ENOUGH_TOKENS", "LOCK_NOT_ACQUIRED"):
                raise AssertionError((game, status, answer))

    def operator(self):
        client = Client(self.api).login("demo-admin")
        step = 0
        while not self.is_over.wait(0.02):
            # Newcomers stamp once; everybody goes on having something to play with.
            step += 1
            if 7 <= step <= 20:
                self.stamp(step)
            for token in ("ROULETTE_COIN", "DICE_TOKEN", "LOTTERY_TICKET"):
                user, asked = 1 + step % 6, time.time()
                grant = {"external_id": f"demo-{user:02}", "token_type": token, "amount": 20, "reason": f"load {step}"}
                status, answer = client.send("POST", "/admin/api/game-tokens/grant", grant)
                if status != 200:
                    raise AssertionError((status, answer))
                self.tell("grant", asked, user=user, what=token, reason=grant["reason"])

    def stamp(self, number):
        client = Client(self.api).login(f"demo-{number:02}")
        asked = time.time()
        status, answer = client.send("POST", "/api/season-pass/stamp", {"source_feature_type": "ROULETTE"})
        if status != 200:
            raise AssertionError((status, answer))
        self.tell("stamp", asked, user=number)

    def plays(self, since=0.0):
        with self.lock:
            return [fact for fact in self.told if fact["kind"] == "play" and fact["asked"] >= since]

    def wait_for_plays(self, number, since=0.0):
        wait_for(f"{number} plays", lambda: self.failures or len(self.plays(since)) >= number)
        if self.failures:
            raise AssertionError(self.failures)

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        if self.failures:
            raise AssertionError(self.failures)


class Event:
    """What all tests look at: a dump, the log, and what was told to whom; the server of it is gone."""


def set_up_event(cleanup, folder):
    event = Event()
    event.folder, event.backups, event.logs = folder, folder / "backups", folder / "logs"
    old = MariaDb(folder / "old", "--log-bin=binlog", "--binlog-format=ROW", "--server-id=7")
    cleanup(old.stop)
    old.ask("CREATE DATABASE xmas; CREATE DATABASE other; CREATE TABLE other.notes (id INT PRIMARY KEY)")
    event.new = MariaDb(folder / "new")
    cleanup(event.new.stop)
    api = Api(old.url + "/xmas", folder / "old-api")
    cleanup(api.stop)
    api.call("migrate", "up")
    api.call("seed", "demo")
    api.start()
    prepare_games(Client(api).login("demo-admin"))

    load = Load(api)
    load.start()
    try:
        load.wait_for_plays(ENOUGH)
        event.backups.mkdir()
        backup(event.backups, old)
        event.dump = next(event.backups.glob("*.sql.gz"))
        load.wait_for_plays(len(load.plays()) + ENOUGH)
        # A second file of the log, and somebody else's database in it.
        old.ask("INSERT INTO other.notes VALUES (1); FLUSH BINARY LOGS")
        load.wait_for_plays(len(load.plays()) + ENOUGH)
        event.until = int(time.time()) + 1
        load.wait_for_plays(ENOUGH, since=event.until)
        # As after a rotation of DATA_KEY, codes have other fingerprints than at T.
        old.ask("UPDATE xmas.coupon_code SET fingerprint = SHA2(fingerprint, 256), folded = SHA2(folded, 256)")
        old.ask("INSERT INTO other.notes VALUES (2); FLUSH BINARY LOGS")
        load.wait_for_plays(2 * ENOUGH, since=event.until)
    finally:
        load.stop()
    event.told = load.told
    old.kill()
    api.stop()
    # The newest part is taken from where the server kept it, the rest from the copies.
    shutil.copytree(event.backups / "binlog", event.logs)
    for log in (folder / "old/data").glob("binlog.0*[0-9]"):
        shutil.copy(log, event.logs)
    return event


def prepare_games(admin):
    """Codes in stock, a lottery that gives many of them, and a limit of spins."""
    codes = "".join(f"TEST-{number:05}\n" for number in range(800))
    steps = [("POST", "/admin/api/coupons/1/codes", codes, "text/csv")]
    for path, change in (("lottery-config", lambda form: form["prizes"][0].update(reward_type="COUPON", reward_value=None, reward_amount=1, reward_item=1)),
                         ("roulette-config", lambda form: form.update(max_daily_spins=SPINS))):
        form = admin.send("GET", f"/admin/api/{path}/1")[1]
        change(form)
        steps.append(("PUT", f"/admin/api/{path}/1", form, "application/json"))
    for method, path, body, kind in steps:
        status, answer = admin.send(method, path, body, kind)
        if status != 200:
            raise AssertionError((path, status, answer))


def backup(folder, server):
    subprocess.run([ROOT / "scripts/backup", folder, *server.options], check=True, capture_output=True, text=True)


STACK = contextlib.ExitStack()
EVENT = None


def setUpModule():
    global EVENT
    folder = STACK.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
    try:
        EVENT = set_up_event(STACK.callback, Path(folder))
    except BaseException:
        STACK.close()
        raise


def tearDownModule():
    STACK.close()


def kst(seconds):
    return datetime.fromtimestamp(seconds, KST).strftime("%Y-%m-%d %H:%M:%S")


def command(into, until, dump=None, logs=None, more=()):
    # Given by an earlier test, in the place of EVENT's own.
    return [ROOT / "scripts/restore", "--dump", dump or EVENT.dump, "--binlogs", logs or EVENT.logs, "--until", until, "--into", into,
            "--report", EVENT.folder / f"{into}-report", "--program", PROGRAM, *more]


def restore(into, until=None, key=KEY, **arguments):
    """How it ended, and what it said."""
    env = environment(EVENT.new.url, EVENT.folder, key)
    if key is None:
        del env["DATA_KEY"]
    run = subprocess.run(command(into, until or kst(EVENT.until), **arguments), env=env, cwd=EVENT.folder, capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def databases():
    return {name for name, in EVENT.new.ask("SHOW DATABASES")}


class Restored(unittest.TestCase):
    """The event at T."""

    @classmethod
    def setUpClass(cls):
        cls.code, cls.said = restore("at_t")
        report = EVENT.folder / "at_t-report"
        cls.report = json.loads((report / "after.json").read_text(encoding="utf-8"))
        cls.facts = [fact | {"user": player["user_id"]} for player in cls.report["players"] for fact in player["facts"]]
        with open(report / "after.csv", encoding="utf-8-sig", newline="") as file:
            cls.rows = list(csv.DictReader(file))
        cls.sql = (report / "before-opening.sql").read_text(encoding="utf-8")
        cls.there = {int(number) for number, in EVENT.new.ask("SELECT id FROM at_t.feature_log")}

    def told(self, kind):
        return [fact for fact in EVENT.told if fact["kind"] == kind]

    def restored_grants(self):
        sql = "SELECT reason, JSON_UNQUOTE(JSON_EXTRACT(after_json, '$.token_type')) FROM at_t.admin_audit_log WHERE action = 'TOKEN_GRANT'"
        return {(reason, token) for reason, token in EVENT.new.ask(sql)}

    def of(self, name):
        return [fact for fact in self.facts if fact["class"] == name]

    def test_a_it_is_good_and_counts_on(self):
        self.assertEqual(self.code, 0, self.said)
        self.assertIn("Good: DATA_KEY opens what is sealed", self.said)
        # Also if nobody runs the file, no number is given twice; and on another server the file sees to it.
        (counts_on,), = EVENT.new.ask("SELECT auto_increment FROM information_schema.tables WHERE (table_schema, table_name) = ('at_t', 'feature_log')")
        self.assertEqual(int(counts_on), max(fact["id"] for fact in self.told("play")) + 1)
        self.assertIn(f"ALTER TABLE `feature_log` AUTO_INCREMENT = {counts_on};", self.sql)
        self.assertNotIn("restore_in_progress", [name for name, in EVENT.new.ask("SHOW TABLES FROM at_t")])

    def test_a_what_was_acknowledged_before_t_is_there_and_nothing_that_was_asked_for_later(self):
        before = {fact["id"] for fact in self.told("play") if fact["acknowledged"] < EVENT.until}
        later = {fact["id"] for fact in self.told("play") if fact["asked"] >= EVENT.until}
        self.assertGreaterEqual(len(before), 3 * ENOUGH)
        self.assertGreaterEqual(len(later), 2 * ENOUGH)
        self.assertEqual(before - self.there, set())
        self.assertEqual(later & self.there, set())
        grants = self.restored_grants()
        for fact in self.told("grant"):
            if fact["acknowledged"] < EVENT.until:
                self.assertIn((fact["reason"], fact["what"]), grants)
            if fact["asked"] >= EVENT.until:
                self.assertNotIn((fact["reason"], fact["what"]), grants)

    def test_a_every_wallet_is_the_sum_of_its_ledger(self):
        wrong = EVENT.new.ask(
            "SELECT user_id, asset, SUM(balance), SUM(delta) FROM (SELECT user_id, asset, balance, 0 AS delta FROM at_t.user_game_wallet UNION ALL "
            "SELECT user_id, asset, 0, delta FROM at_t.wallet_ledger) both_of_them GROUP BY user_id, asset HAVING SUM(balance) <> SUM(delta)")
        self.assertEqual(wrong, [])

    def test_a_the_report_names_exactly_what_was_acknowledged_and_is_not_there(self):
        lost = [fact for fact in self.told("play") if fact["id"] not in self.there]
        self.assertEqual({(fact["user"], fact["id"], fact["what"]) for fact in self.of("play")},
                         {(fact["user"], fact["id"], fact["game"].upper()) for fact in lost})
        coupons = Counter(fact["user"] for fact in lost if fact["coupon"])
        self.assertGreater(coupons.total(), 0)
        self.assertEqual(Counter(fact["user"] for fact in self.of("coupon")), coupons)
        # A play spends one token each.
        spent = Counter((fact["user"], fact["reference"]) for fact in self.of("balance") if fact["detail"].startswith("PLAY "))
        self.assertEqual(set(spent), {(fact["user"], f"play:{fact['id']}") for fact in lost})
        grants = [fact for fact in self.told("grant") if (fact["reason"], fact["what"]) not in self.restored_grants()]
        self.assertGreater(len(grants), 0)
        self.assertEqual(Counter(fact["detail"] for fact in self.of("admin")), Counter(fact["reason"] for fact in grants))
        # Players also got stamps by playing, which nobody has counted.
        stamped = {int(user) for user, in EVENT.new.ask("SELECT user_id FROM at_t.season_pass_stamp_log WHERE user_id >= 7")}
        self.assertEqual({fact["user"] for fact in self.of("stamp") if fact["user"] >= 7}, {fact["user"] for fact in self.told("stamp")} - stamped)
        self.assertEqual(len(self.rows), len(self.facts))

    def test_a_no_code_of_a_coupon_is_shown(self):
        for fact in self.told("play"):
            if fact["coupon"]:
                for file in (EVENT.folder / "at_t-report").iterdir():
                    self.assertNotIn(fact["coupon"], file.read_text(encoding="utf-8"))

    def test_b_the_event_goes_on(self):
        """Played on: numbers and days continue, the same draws come again, and no code that was handed out is given to another."""
        EVENT.new.ask("USE at_t; " + self.sql)
        handed = {fact["coupon"] for fact in self.told("play") if fact["coupon"]}
        api = Api(EVENT.new.url + "/at_t", EVENT.folder / "new-api")
        self.addCleanup(api.stop)
        api.start()
        client = Client(api).login("demo-01")
        mine = [fact for fact in self.told("play") if fact["user"] == 1 and fact["game"] == "roulette"]
        lost = {fact["nonce"]: fact for fact in mine if fact["id"] not in self.there}
        kept = max(fact["nonce"] for fact in mine if fact["id"] in self.there)
        status, before = client.send("GET", "/api/roulette/status")
        self.assertEqual(before["remaining_spins"], SPINS - kept - 1)
        highest = max(fact["id"] for fact in self.told("play"))
        for nonce in range(kept + 1, kept + 4):
            status, answer = client.send("POST", "/api/roulette/play")
            self.assertEqual(status, 200, answer)
            receipt = answer["receipt"]
            self.assertGreater(receipt["play_id"], highest)
            self.assertEqual((receipt["nonce"], receipt["day"]), (nonce, mine[0]["day"]))
            self.assertEqual(answer["segment"]["id"], lost[nonce]["shown"]["id"])
        given = set()
        while len(given) < 5:
            status, answer = client.send("POST", "/api/lottery/play")
            self.assertEqual(status, 200, answer)
            given |= {answer["receipt"]["coupon_code"]} - {None}
        self.assertEqual(given & handed, set())
        status, answer = Client(api).login("demo-admin").send("GET", "/admin/api/coupons/withheld/?limit=200")
        self.assertEqual(len(answer["items"]), min(200, len(self.of("coupon"))))
        audit = subprocess.run([PROGRAM, "audit"], env=api.env, cwd=api.folder, capture_output=True, text=True)
        self.assertEqual(audit.returncode, 0, audit.stdout)


class Whole(unittest.TestCase):
    def test_all_there_is(self):
        """Until the end of the log, whose newest file was cut off in the midst of an event."""
        logs = EVENT.folder / "cut-off"
        shutil.copytree(EVENT.logs, logs)
        newest = max(logs.glob("binlog.0*[0-9]"))
        size = newest.stat().st_size
        with open(newest, "r+b") as file:
            file.truncate(size - 5)
        code, said = restore("all", "end", logs=logs)
        self.assertEqual(code, 0, said)
        there = {int(number) for number, in EVENT.new.ask("SELECT id FROM `all`.feature_log")}
        acknowledged = [fact for fact in EVENT.told if fact["kind"] == "play"]
        last = max(fact["acknowledged"] for fact in acknowledged)
        # Only the last transaction is cut.
        self.assertLessEqual(len({fact["id"] for fact in acknowledged} - there), 1)
        self.assertEqual({fact["id"] for fact in acknowledged if fact["acknowledged"] < last - 1} - there, set())
        self.assertIn("After T nothing was changed.", said)


    def test_until_a_transaction(self):
        """What a replica had received, by the last number that it knows."""
        logs = chain(EVENT.logs, "binlog.000001")
        counted = [transaction.gtid for transaction in transactions(logs, 4) if any(table.name == "feature_log" for table, _ in transaction.rows)]
        domain, number = counted[-4]
        code, said = restore("by_number", f"{domain}-7-{number}")
        self.assertEqual(code, 0, said)
        there = {int(play) for play, in EVENT.new.ask("SELECT id FROM by_number.feature_log")}
        lost = {fact["id"] for fact in EVENT.told if fact["kind"] == "play"} - there
        self.assertEqual(len(lost), 3)
        with open(EVENT.folder / "by_number-report/after.csv", encoding="utf-8-sig", newline="") as file:
            self.assertEqual({int(row["id"]) for row in csv.DictReader(file) if row["class"] == "play"}, lost)


class Refused(unittest.TestCase):
    """Nothing is loaded, and the reason is said."""

    def refused(self, says, *arguments, **named):
        before = databases()
        code, said = restore("refused", *arguments, **named)
        self.assertEqual(code, 1, said)
        self.assertIn(says, said)
        self.assertEqual(databases(), before)
        self.assertFalse((EVENT.folder / "refused-report").exists())

    def copy_of_dump(self, change):
        path = EVENT.folder / f"{self.id().rpartition('.')[2]}.sql.gz"
        with gzip.open(EVENT.dump) as file:
            content = change(file.read())
        path.write_bytes(gzip.compress(content))
        Path(f"{path}.sha256").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
        return path

    def copy_of_logs(self):
        folder = EVENT.folder / self.id().rpartition(".")[2]
        shutil.copytree(EVENT.logs, folder)
        return folder, sorted(folder.glob("binlog.0*[0-9]"))

    def test_another_checksum(self):
        path = self.copy_of_dump(lambda content: content)
        with open(path, "ab") as file:
            file.write(b"\0")
        self.refused("is not what was written", dump=path)

    def test_no_checksum(self):
        path = self.copy_of_dump(lambda content: content)
        Path(f"{path}.sha256").unlink()
        self.refused("is missing beside the dump", dump=path)

    def test_a_dump_without_its_end(self):
        self.refused("is not complete", dump=self.copy_of_dump(lambda content: content[: len(content) // 2]))

    def test_a_dump_without_a_position(self):
        self.refused("does not say which position", dump=self.copy_of_dump(lambda content: content.replace(b"-- CHANGE MASTER TO", b"-- ")))

    def test_a_position_of_another_server(self):
        self.refused("of another server", dump=self.copy_of_dump(lambda content: content.replace(b"MASTER_LOG_POS=", b"MASTER_LOG_POS=1", 1)))

    def test_a_file_of_the_log_is_missing(self):
        folder, logs = self.copy_of_logs()
        self.assertGreaterEqual(len(logs), 3)
        logs[1].unlink()
        self.refused(f"{logs[1].name} is missing", logs=folder)

    def test_the_first_file_of_the_log_is_missing(self):
        folder, logs = self.copy_of_logs()
        logs[0].unlink()
        self.refused("in which the dump begins, is not in", logs=folder)

    def test_a_file_that_was_copied_too_early(self):
        folder, logs = self.copy_of_logs()
        with open(logs[1], "r+b") as file:
            file.truncate(logs[1].stat().st_size // 2)
        self.refused("transactions are missing in the log", logs=folder)

    def test_a_damaged_file(self):
        folder, logs = self.copy_of_logs()
        with open(logs[1], "r+b") as file:
            # In the middle of an event's content.
            content = file.read()
            at = content.rindex(b"feature_log")
            file.seek(at)
            file.write(b"FEATURE_LOG")
        self.refused("a checksum is wrong", logs=folder)

    def test_t_before_the_dump(self):
        began = datetime.strptime(EVENT.dump.name, "xmas-%Y%m%d-%H%M%S.sql.gz").replace(tzinfo=KST).timestamp()
        self.refused("T is before the dump", kst(began - 1))

    def test_t_after_the_log(self):
        wait_for("a second after the log", lambda: time.time() > max(fact["acknowledged"] for fact in EVENT.told) + 2)
        self.refused("the log ends before T", kst(time.time() - 1))

    def test_t_to_a_fraction(self):
        self.refused("seconds only", kst(EVENT.until) + ".5")

    def test_t_that_is_no_transaction_of_the_log(self):
        self.refused("is not in the log", "0-7-99999999")

    def test_t_that_is_none(self):
        for until, says in ((kst(time.time() + 3600), "in the future"), ("yesterday", "is no instant")):
            code, said = restore("refused", until)
            self.assertEqual(code, 2)
            self.assertIn(says, said)

    def test_a_database_that_holds_something(self):
        EVENT.new.ask("CREATE DATABASE full; CREATE TABLE full.kept (id INT); INSERT INTO full.kept VALUES (1)")
        for more in ((), ("--again",)):
            code, said = restore("full", more=more)
            self.assertEqual(code, 1)
            self.assertIn("full is not empty", said)
        self.assertEqual(EVENT.new.ask("SELECT * FROM full.kept"), [["1"]])


class Keys(unittest.TestCase):
    def test_another_key_is_not_good(self):
        code, said = restore("another_key", key="another-key-0123456789-0123456789ab")
        self.assertEqual(code, 1)
        self.assertIn("NOT GOOD: DATA_KEY is not the one", said)
        self.assertNotIn("Good:", said)

    def test_no_key_is_not_good(self):
        code, said = restore("no_key", key=None)
        self.assertEqual(code, 1)
        self.assertIn("NOT GOOD: DATA_KEY is not given", said)


class Interrupted(unittest.TestCase):
    def test_half_of_it_is_seen_and_begun_anew(self):
        process = subprocess.Popen(command("half", kst(EVENT.until)), env=environment(EVENT.new.url, EVENT.folder), start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        count = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'half'"
        wait_for("some tables", lambda: int(EVENT.new.ask(count)[0][0]) > 5)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        code, said = restore("half")
        self.assertEqual(code, 1)
        self.assertIn("half of what an interrupted restore has loaded", said)
        code, said = restore("half", more=("--again",))
        self.assertEqual(code, 0, said)


class Copies(unittest.TestCase):
    """What scripts/backup and docker/backup keep."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.data = cls.folder / "server/data"
        cls.addClassCleanup(lambda: cls.server.stop())
        cls.start()

    @classmethod
    def start(cls):
        cls.server = MariaDb(cls.folder / "server", "--log-bin=binlog", "--binlog-format=ROW", "--server-id=7")
        cls.server.ask("CREATE DATABASE IF NOT EXISTS xmas; CREATE TABLE IF NOT EXISTS xmas.seaql_migrations (version VARCHAR(99) PRIMARY KEY)")

    def setUp(self):
        self.backups = self.folder / self.id().rpartition(".")[2]
        self.backups.mkdir()

    def backup(self):
        run = subprocess.run([ROOT / "scripts/backup", self.backups, *self.server.options], capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    def logs(self, folder):
        return {path.name: path.read_bytes() for path in folder.glob("binlog.0*[0-9]")}

    def assert_copied(self, wanted):
        """The server adds to the newest file by itself, also after the copy."""
        found, newest = self.logs(self.backups / "binlog"), max(wanted)
        self.assertTrue(wanted[newest].startswith(found[newest]))
        self.assertEqual(found | {newest: b""}, wanted | {newest: b""})

    def test_the_log_is_copied_and_goes_with_the_dumps(self):
        begins = []
        for number in range(1, 4):
            begins.append(max(self.logs(self.data)))
            self.assertEqual(self.backup()[0], 0)
            self.server.ask("INSERT INTO xmas.seaql_migrations VALUES (UUID()); FLUSH BINARY LOGS")
            # An old one: its name says so.
            (newest,) = self.backups.glob("xmas-202[6-9]*.gz")
            for path in (newest, Path(f"{newest}.sha256")):
                path.rename(self.backups / path.name.replace(path.name[:20], f"xmas-2020010{number}-000000"))
        self.assertEqual(self.backup()[0], 0)
        # The first dump is gone, and with it the part of the log that only it needed.
        self.assertEqual(sorted(path.name[:13] for path in self.backups.glob("*.gz"))[:2], ["xmas-20200102", "xmas-20200103"])
        self.assertLess(begins[0], begins[1])
        wanted = {name: content for name, content in self.logs(self.data).items() if name >= begins[1]}
        self.assertEqual(len(wanted), 3)
        self.assert_copied(wanted)

    def test_the_log_of_a_database_that_cannot_be_dumped_is_copied(self):
        self.server.ask("RENAME TABLE xmas.seaql_migrations TO xmas.gone")
        self.addCleanup(self.server.ask, "RENAME TABLE xmas.gone TO xmas.seaql_migrations")
        code, said = self.backup()
        self.assertEqual(code, 1, said)
        self.assertEqual(list(self.backups.glob("xmas-*.gz")), [])
        self.assert_copied(self.logs(self.data))

    def test_the_log_of_another_server_is_kept_apart(self):
        # With another number than the new server begins with.
        self.server.ask("FLUSH BINARY LOGS")
        self.assertEqual(self.backup()[0], 0)
        before = self.logs(self.backups / "binlog")
        self.server.stop()
        shutil.rmtree(self.data)
        wait_for("another second", lambda: int(time.time()) > (self.backups / "binlog/.copied").stat().st_mtime + 1)
        self.start()
        self.assertEqual(self.backup()[0], 0)
        (apart,) = self.backups.glob("binlog-until-*")
        self.assertEqual(self.logs(apart), before)
        self.assert_copied(self.logs(self.data))

    def test_what_could_not_be_replayed_is_refused(self):
        self.server.ask("SET GLOBAL binlog_format = 'MIXED'")
        code, said = self.backup()
        self.assertEqual(code, 1)
        self.assertIn("binlog_format=ROW", said)
        self.server.stop()
        type(self).server = MariaDb(self.data.parent)
        code, said = self.backup()
        self.server.stop()
        self.start()
        self.assertEqual(code, 1)
        self.assertIn("writes no binary log", said)
        self.assertEqual(list(self.backups.glob("*.gz")), [])

    def test_a_copy_that_is_too_old_is_unhealthy(self):
        self.assertEqual(self.backup()[0], 0)

        def healthy():
            env = os.environ | {"BACKUPS": str(self.backups), "DUMP": "mariadb-dump"}
            return subprocess.run([ROOT / "docker/backup", "healthy"], env=env, capture_output=True, text=True)

        self.assertEqual(healthy().returncode, 0)
        os.utime(self.backups / "binlog/.copied", (time.time() - 7200,) * 2)
        self.assertIn("last copied more than", healthy().stderr)
        self.assertEqual(healthy().returncode, 1)


class Statements(unittest.TestCase):
    """What is logged as text."""

    def test_the_schema_is_replayed_and_nothing_of_others(self):
        for database, text, replayed in (
            ("xmas", "ALTER TABLE user ADD x INT", True), ("xmas", "/* a comment */ CREATE INDEX i ON user (x)", True),
            ("xmas", "DROP TABLE `old` /* generated by server */", True), ("other", "DROP TABLE old", False), ("", "GRANT SELECT ON xmas.* TO a", False),
            ("xmas", "CREATE DATABASE IF NOT EXISTS `xmas`", False), ("other", "DROP DATABASE other", False), ("xmas_2", "DROP DATABASE xmas_2", False),
        ):
            self.assertEqual(fate(Statement(database, text, None), "xmas", "restored"), replayed, text)

    def test_what_cannot_be_told_is_refused(self):
        for database, text in (("xmas", "DROP DATABASE xmas"), ("", "drop schema `xmas`"), ("xmas", "UPDATE user SET id = 1"),
                               ("other", "DROP TABLE xmas.user"), ("xmas", "RENAME TABLE xmas.user TO xmas.users")):
            with self.assertRaises(Problem, msg=text):
                fate(Statement(database, text, None), "xmas", "restored")

    def test_a_name_is_no_matter_where_it_stays(self):
        self.assertTrue(fate(Statement("xmas", "ALTER TABLE xmas.user ADD x INT", None), "xmas", "xmas"))


if __name__ == "__main__":
    unittest.main()
