"""Tests of what scripts/chaos looks at: an event on SQLite is played, its database is falsified in one place after the other, and each is found.

    python3 -m unittest discover -s scripts/tests -p '*_test.py'

XMAS_API names the program (target/debug/xmas-api).
"""

import os
import random
import shutil
import sqlite3
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from reliability import guards  # noqa: E402
from reliability.acts import ACTS  # noqa: E402
from reliability.databases import Sqlite  # noqa: E402
from reliability.event import Event  # noqa: E402
from reliability.faults import Nothing, is_turned_away  # noqa: E402
from reliability.judge import Judge, rows_of  # noqa: E402
from reliability.load import ADMIN, Attempt, Deed, Load  # noqa: E402
from reliability.replicas import Answer  # noqa: E402
from throwaway import Broken, wait_for  # noqa: E402

PROGRAM = Path(ROOT / os.environ.get("XMAS_API", "target/debug/xmas-api")).resolve()
# What has to have happened before something can be falsified.
NEEDED = {"play", "stamp", "claim", "record", "grant", "batch", "upload", "approve", "edit", "block", "import"}


class Falsified(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="xmas-chaos-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.database = Sqlite(cls.folder)
        cls.database.start()
        cls.addClassCleanup(cls.database.stop)
        cls.event = Event(PROGRAM, cls.database, cls.folder, "event")
        cls.addClassCleanup(cls.event.close)
        cls.event.start()
        cls.judge = Judge(cls.event)
        cls.load = Load(cls.event, ACTS, "test")
        cls.load.start()
        try:
            wait_for("one deed of every kind", lambda: NEEDED <= cls.done() and cls.coupons() or cls.load.troubles, 90)
        finally:
            cls.load.end()
        cls.clean = cls.judge.judge(cls.load, Nothing(cls.event, cls.load, random.Random(0)))
        cls.original = cls.database.file

    @classmethod
    def done(cls):
        return {deed.act for deed in list(cls.load.deeds) if deed.is_acknowledged}

    @classmethod
    def coupons(cls):
        return [deed for deed in list(cls.load.deeds) if deed.act == "play" and deed.is_acknowledged and deed.good.answer.body["receipt"]["coupon_code"]]

    def setUp(self):
        """A copy for each falsification."""
        self.database.file = self.folder / f"{self.id()}.db"
        source, copy = sqlite3.connect(self.original), sqlite3.connect(self.database.file)
        source.backup(copy)
        source.close()
        self.copy = copy
        self.addCleanup(copy.close)
        self.deeds = list(self.judge.deeds)

    def tearDown(self):
        self.database.file = self.original
        self.judge.deeds = self.deeds

    def falsify(self, statement, *values):
        """Changes something, or the test is none."""
        self.copy.execute("PRAGMA ignore_check_constraints = 1")
        self.assertGreater(self.copy.execute(statement, values).rowcount, 0, statement)
        self.copy.commit()

    def found(self):
        self.judge.findings = []
        self.judge.effects(rows_of(self.database, 0))
        return {kind for kind, _ in self.judge.findings}

    def deed(self, act, **about):
        return next(deed for deed in self.deeds if deed.act == act and deed.is_acknowledged and all(deed.about.get(k) == v for k, v in about.items()))

    def play_id(self):
        return self.deed("play").good.answer.body["receipt"]["play_id"]

    def user_id(self, deed):
        return self.judge.ids[deed.who]

    def test_nothing_is_found_where_nothing_is_wrong(self):
        self.assertEqual(self.clean, [])
        self.assertEqual(self.found(), set())

    def test_a_key_that_is_gone(self):
        self.falsify("DELETE FROM idempotency_key WHERE idem_key = ?", self.deed("record").key)
        self.assertIn("an acknowledged key that is lost", self.found())

    def test_a_key_that_nobody_sent(self):
        self.falsify("UPDATE idempotency_key SET idem_key = 'other' WHERE idem_key = ?", self.deed("record").key)
        self.assertIn("a key that nobody sent", self.found())

    def test_a_play_that_is_gone(self):
        self.falsify("DELETE FROM feature_log WHERE id = ?", self.play_id())
        self.assertLessEqual({"an acknowledged play that is not there", "a play that is lost"}, self.found())

    def test_a_play_of_another_day(self):
        self.falsify("UPDATE feature_log SET event_day = '2025-12-27' WHERE id = ?", self.play_id())
        self.assertIn("a play that differs from what its player was told", self.found())

    def test_a_play_too_many(self):
        columns = "user_id, feature_type, config_id, odds_id, outcome, is_win, reward_type, reward_amount, event_day, created_at, attempt, entry_id, took_stock"
        self.falsify(f"INSERT INTO feature_log (nonce, {columns}) SELECT 10000, {columns} FROM feature_log WHERE id = ?", self.play_id())
        self.assertEqual(self.found(), {"a play without its one key"})

    def test_a_balance_that_forks(self):
        self.falsify("UPDATE wallet_ledger SET balance_after = balance_after + 1 WHERE reference = ? AND reason = 'PLAY'", f"play:{self.play_id()}")
        self.assertLessEqual({"a wallet whose changes do not follow on each other"}, self.found())

    def test_a_balance_that_the_player_was_not_told(self):
        self.falsify("UPDATE wallet_ledger SET balance_after = balance_after + 5000 WHERE user_id = ?", self.user_id(self.deed("play")))
        self.assertIn("a balance that its player was told and that never was", self.found())

    def test_an_order_that_was_not_done(self):
        request = self.judge.reasons[self.deed("grant").key][0].request_id
        self.falsify("DELETE FROM wallet_ledger WHERE reference = ?", f"request:{request}")
        self.assertIn("an operator's order that was not done once", self.found())

    def test_an_order_that_was_done_twice(self):
        request = self.judge.reasons[self.deed("grant").key][0].request_id
        columns = "user_id, asset, delta, balance_after, reason, reference, actor, created_at"
        self.falsify(f"INSERT INTO wallet_ledger ({columns}) SELECT {columns} FROM wallet_ledger WHERE reference = ?", f"request:{request}")
        self.assertIn("an operator's order that was not done once", self.found())

    def test_money_that_nobody_ordered(self):
        request = self.judge.reasons[self.deed("grant").key][0].request_id
        self.falsify("UPDATE wallet_ledger SET reference = 'request:none' WHERE reference = ?", f"request:{request}")
        self.assertIn("money that nobody ordered", self.found())

    def test_a_stamp_that_is_gone(self):
        deed = self.deed("stamp")
        self.falsify("DELETE FROM season_pass_stamp_log WHERE user_id = ? AND event_type IS NULL", self.user_id(deed))
        self.assertIn("a stamp and its key do not belong to each other one to one", self.found())

    def test_a_stamp_that_is_there_twice(self):
        self.copy.executescript("CREATE TABLE other AS SELECT * FROM season_pass_stamp_log; ALTER TABLE season_pass_stamp_log RENAME TO before; "
                                "ALTER TABLE other RENAME TO season_pass_stamp_log")
        self.falsify("INSERT INTO season_pass_stamp_log SELECT * FROM season_pass_stamp_log WHERE event_type IS NULL LIMIT 1")
        self.assertIn("a stamp that is there twice", self.found())

    def test_a_claim_too_many(self):
        columns = "user_id, season_id, reward_type, reward_amount, reward_label, auto_claim, claimed_at"
        self.falsify(f"INSERT INTO season_pass_reward_log (level, grant_key, {columns}) SELECT 99, 'none', {columns} FROM season_pass_reward_log "
                     "WHERE auto_claim = 0 LIMIT 1")
        self.assertIn("a claim and its key do not belong to each other one to one", self.found())

    def test_a_report_that_is_gone(self):
        self.falsify("DELETE FROM user_event_log WHERE once_key = ?", f"client:{self.deed('record').about['event_id']}")
        self.assertIn("a report that is lost", self.found())

    def test_a_deed_that_the_log_of_operators_lacks(self):
        self.falsify("DELETE FROM admin_audit_log WHERE reason = ?", self.deed("edit", resource="ui-config:chaos").key)
        self.assertIn("an operator's deed that is not in the log as often as it was done", self.found())

    def test_a_text_that_is_not_as_it_was_edited(self):
        self.falsify("UPDATE app_ui_config SET value_json = '{\"text\": \"other\"}' WHERE config_key = 'chaos'")
        self.assertIn("an edit that is lost", self.found())

    def test_an_edit_of_what_was_not_there(self):
        self.falsify("UPDATE admin_audit_log SET before_json = '{\"text\": \"other\"}' WHERE reason = ?", self.deed("edit", resource="ui-config:chaos").key)
        self.assertIn("an edit that is lost", self.found())

    def test_two_edits_of_one_version(self):
        deed = self.deed("edit", resource="ui-config:chaos")
        twin = Deed(deed.act, deed.who, deed.method, deed.path, deed.body, "twin", **deed.about)
        twin.attempts = deed.attempts
        self.judge.deeds = [*self.deeds, twin]
        self.assertIn("a version that two have replaced", self.found())

    def test_a_code_of_another_receipt(self):
        reward = f"(SELECT id FROM reward_log WHERE grant_key = 'play:{self.coupons()[0].good.answer.body['receipt']['play_id']}')"
        self.falsify(f"UPDATE coupon_code SET reward_id = 1000000 WHERE reward_id = {reward}")
        self.assertIn("a code that was shown and is not its player's", self.found())

    def test_a_code_that_two_were_shown(self):
        deed = self.coupons()[0]
        told = deed.good.answer.body
        other = Deed("play", "demo-20", "POST", deed.path, None, "other", feature=deed.about["feature"])
        other.attempts = [Attempt("replica 1", 0, 0, Answer(200, {**told, "receipt": {**told["receipt"], "play_id": 10**6}}), None)]
        self.judge.deeds = [*self.deeds, other]
        self.assertIn("a code that two were shown", self.found())

    def test_codes_that_are_gone(self):
        self.falsify("DELETE FROM coupon_code WHERE id = (SELECT MAX(id) FROM coupon_code WHERE reward_id IS NULL)")
        self.assertIn("codes that are lost or there twice", self.found())

    def test_a_decision_that_is_gone(self):
        self.falsify("UPDATE reward_log SET state = 'PENDING_REVIEW', delivered_at = NULL WHERE id = ?", self.deed("approve").about["reward"])
        self.assertIn("a reward that was decided twice", self.found())

    def test_a_player_who_is_gone(self):
        self.falsify("DELETE FROM user WHERE external_id = ?", self.deed("import").about["names"][0])
        self.assertIn("a player who is lost", self.found())

    def test_somebody_who_acts_while_blocked(self):
        blocked = self.deed("block")
        after = blocked.good.received + 1e-6
        play = Deed("play without a key", blocked.about["whom"], "POST", "/api/dice/play", feature="DICE")
        play.attempts = [Attempt("replica 1", after, after, self.deed("play").good.answer, None)]
        self.judge.deeds = [*self.deeds, play]
        self.assertIn("somebody acted who was blocked", self.found())

    def test_a_key_with_two_answers(self):
        deed = Deed("grant", ADMIN, "POST", "/", {}, "key")
        deed.attempts = [Attempt("replica 1", 0, 1, Answer(200, {"balance": 1}), None),
                         Attempt("replica 2", 2, 3, Answer(200, {"balance": 2}), None), Attempt("replica 1", 4, 5, Answer(400, {}), None)]
        self.judge.findings = []
        self.judge.same_answer(deed)
        self.assertEqual({kind for kind, _ in self.judge.findings}, {
            "a key with two answers", "a key that was done twice", "a key that was refused after it was acknowledged"})

    def test_nodes_that_differ(self):
        here = rows_of(self.database, 0)
        self.falsify("UPDATE user_game_wallet SET balance = balance + 1 WHERE user_id = ?", self.user_id(self.deed("play")))
        self.judge.findings = []
        self.judge.compare([here, here, rows_of(self.database, 0)])
        self.assertEqual([kind for kind, _ in self.judge.findings], ["nodes differ"])


class Ending(unittest.TestCase):
    def test_only_what_any_server_turns_away_at_once_is_not_dropped(self):
        def answered(status, code, seconds):
            body = {"error": {"code": code}} if code else None
            return Attempt("replica 1", 1, 1 + seconds, Answer(status, body), None)

        self.assertTrue(is_turned_away(answered(503, "LOCK_NOT_ACQUIRED", 9)))
        self.assertTrue(is_turned_away(answered(503, "OVERLOADED", 0.1)))
        for dropped in (answered(503, "OVERLOADED", 10), answered(503, "NOT_READY", 0.1), answered(500, "DB_ERROR", 0.1), answered("lost", "", 0.1)):
            self.assertFalse(is_turned_away(dropped), dropped.answer)


class Guards(unittest.TestCase):
    def test_every_guard_is_where_the_list_says(self):
        self.assertEqual(guards.check(), [])

    def test_no_program_without_a_guard_is_built_where_the_clone_is(self):
        for folder in (ROOT / "target", ROOT / "scripts/../target"):
            with self.assertRaisesRegex(Broken, "for the source as it is"):
                guards.folder_for(folder)
        self.assertEqual(guards.folder_for(None), (ROOT / "target/guards").resolve())
        self.assertEqual(guards.folder_for(Path("/elsewhere")), Path("/elsewhere"))


if __name__ == "__main__":
    unittest.main()
