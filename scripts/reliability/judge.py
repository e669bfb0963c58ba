"""What the database holds against what was acknowledged.

Everything that was acknowledged is there once; what was not is there at most once; nothing is there that nobody asked for. A finding is a pair:
what kind of thing is wrong, and what exactly."""

import collections
import json
import random
import time

from reliability.load import ADMIN
from reliability.replicas import Client

# Columns and the rest of a query; each result is compared between the nodes of a cluster as well.
TABLES = {
    "users": ("id, external_id, status", "user ORDER BY id"),
    "plays": ("id, user_id, feature_type, nonce, odds_id, attempt, event_day, entry_id, created_at", "feature_log ORDER BY id"),
    "keys": ("user_id, idem_key, result, created_at", "idempotency_key ORDER BY user_id, idem_key"),
    "ledger": ("id, user_id, asset, delta, balance_after, reason, reference, created_at", "wallet_ledger ORDER BY id"),
    "wallets": ("user_id, asset, balance", "user_game_wallet ORDER BY user_id, asset"),
    "stamps": ("id, user_id, season_id, period_key, event_type, created_at", "season_pass_stamp_log ORDER BY id"),
    "levels": ("id, user_id, season_id, level, auto_claim, grant_key, claimed_at", "season_pass_reward_log ORDER BY id"),
    "rewards": ("id, user_id, grant_key, reward_type, amount, state, reviewed_by, created_at", "reward_log ORDER BY id"),
    "codes": ("id, kind_id, fingerprint, reward_id", "coupon_code ORDER BY id"),
    "audit": ("id, actor, action, resource, before_json, after_json, reason, request_id", "admin_audit_log ORDER BY id"),
    "events": ("id, user_id, event_type, meta_json, created_at", "user_event_log ORDER BY id"),
    "records": ("user_id, once_key", "user_event_log WHERE once_key LIKE 'client:%' ORDER BY user_id, once_key"),
    "batches": ("id, batch_key, kind, state, reverts", "wallet_batch ORDER BY id"),
    "gifts": ("id, user_id, state, reason", "event_bridge_gift ORDER BY id"),
    "progress": ("user_id, season_id, current_xp, current_level, total_stamps, internal_wins", "season_pass_progress ORDER BY user_id, season_id"),
    "texts": ("config_key, value_json", "app_ui_config ORDER BY config_key"),
}
# How long answers are asked for once more, in seconds: whoever has none by then has lost it.
REPLAY_PATIENCE = 60
# What may find that everything is as it is wanted already.
IDLE = {"gift", "gift back", "let in", "block", "rename", "restore", "revert", "rank", "log out"}
# Answers that say how an account or a reward is now, and not how it was.
CHANGING = {"block", "let in", "rename", "new player", "import", "anonymise", "approve", "reject"}


def rows_of(database, node):
    names = list(TABLES)
    found = database.read([TABLES[name] for name in names], node)
    return {name: [Row(TABLES[name][0], values) for values in rows] for name, rows in zip(names, found)}


def state(text):
    """A configuration as the log of operators has it, without what only tells how it came to be."""
    if text is None:
        return None
    return json.dumps({name: value for name, value in json.loads(text).items() if name != "restored_from"}, sort_keys=True, ensure_ascii=False)


class Row:
    def __init__(self, columns, values):
        self.values = [value if not isinstance(value, (dict, list)) else json.dumps(value, ensure_ascii=False) for value in values]
        for column, value in zip(columns.split(", "), self.values):
            setattr(self, column, value)

    def __repr__(self):
        return "(" + ", ".join(f"{name} {value}" for name, value in vars(self).items() if name != "values")[:400] + ")"


class Judge:
    """Of one event: it knows all deeds of its rounds, and what was there before the first."""

    def __init__(self, event):
        self.event, self.deeds, self.findings = event, [], []
        self.before = rows_of(event.database, 0)

    def find(self, kind, what):
        self.findings.append((kind, what))

    def judge(self, load, fault):
        """The findings of a round, in which the load has ended and everything runs again."""
        self.findings = []
        self.deeds += load.deeds
        self.replay(load)
        nodes = [rows_of(self.event.database, node) for node in range(3 if self.event.database.name == "galera" else 1)]
        self.compare(nodes)
        self.effects(nodes[0])
        self.answers(load, fault)
        for replica in self.event.replicas:
            for found in self.event.audit(replica):
                self.find("audit", found)
        return self.findings

    def effects(self, rows):
        """What the database holds against everything that was answered so far."""
        self.now = rows
        self.index()
        self.keys()
        self.plays()
        self.money()
        self.season()
        self.operators()
        self.coupons()
        self.blocked()

    # -- What is looked at

    def new(self, table):
        seen = {tuple(row.values[:1]) for row in self.before[table]}
        return [row for row in self.now[table] if tuple(row.values[:1]) not in seen]

    def index(self):
        self.ids = {row.external_id: row.id for row in self.now["users"]}
        self.stored = {(row.user_id, row.idem_key): row for row in self.now["keys"]}
        self.reasons = collections.defaultdict(list)
        for row in self.now["audit"]:
            self.reasons[row.reason].append(row)
        self.by_key = {deed.key: deed for deed in self.deeds if deed.key}

    def compare(self, nodes):
        for number, other in enumerate(nodes[1:], 2):
            for name in TABLES:
                here = {json.dumps(row.values, ensure_ascii=False, sort_keys=True) for row in nodes[0][name]}
                there = {json.dumps(row.values, ensure_ascii=False, sort_keys=True) for row in other[name]}
                if here != there:
                    self.find("nodes differ", f"{name} of node 1 and node {number}: {sorted(here ^ there)[:4]}")

    # -- Answers

    def answers(self, load, fault):
        for deed, attempt in load.statuses(500):
            if not fault.shakes_database:
                self.find("answer of 500", f"{deed}")
            elif not fault.shakes_keyed and deed.key and not deed.about.get("unkeyed"):
                self.find("answer of 500 to a request with a key", f"{deed}")
        for about, deed in load.complaints:
            self.find(about, str(deed))
        for deed in load.deeds:
            for attempt in deed.attempts:
                answer = attempt.answer
                if answer.is_good or not answer.is_decided:
                    continue
                blocked = deed.who in self.event.blockable and answer.code in ("USER_BLOCKED", "TOKEN_INVALID", "AUTH_REQUIRED")
                # Of two at once one may find the token expired, and come back after the other.
                is_settled = any(other.answer.is_decided and other.answer.status != 401 for other in deed.attempts)
                stale = answer.status == 401 and deed.who and (is_settled or attempt is not deed.attempts[-1])
                # A token that was used may be used once more for half a minute, which is over when the clock has jumped.
                is_reused = deed.act == "refresh" and answer.code == "TOKEN_INVALID" and attempt is not deed.attempts[0]
                if answer.code not in deed.about.get("fine", ()) and not blocked and not stale and not (fault.moves_clock and is_reused):
                    self.find("unexpected refusal", f"{deed}")
            self.same_answer(deed)
            if not deed.is_decided and deed.method == "GET":
                self.find("no answer", f"{deed}")

    def same_answer(self, deed):
        """A key has one answer, however often it is asked for."""
        good = [attempt for attempt in deed.attempts if attempt.answer.is_good]
        if not deed.key or deed.about.get("unkeyed") or not good:
            return
        if deed.act not in CHANGING:
            bodies = {json.dumps(attempt.answer.body, sort_keys=True, ensure_ascii=False) for attempt in good}
            if deed.act in ("batch", "revert"):
                bodies = {json.dumps(attempt.answer.body["id"]) for attempt in good}
            if deed.act == "play":
                # A code is read anew: an operator may have delivered the coupon meanwhile.
                bodies = {json.dumps({**attempt.answer.body, "receipt": attempt.answer.body["receipt"] | {"coupon_code": None}}, sort_keys=True)
                          for attempt in good}
            if len(bodies) > 1:
                self.find("a key with two answers", f"{deed.act} of {deed.who}, key {deed.key}: {' | '.join(sorted(bodies))[:900]}")
        fresh = [attempt for attempt in good if not attempt.answer.is_replay and deed.act not in ("batch", "revert")]
        if len(fresh) > 1:
            self.find("a key that was done twice", f"{deed}")
        first = min(attempt.received for attempt in good)
        for attempt in deed.attempts:
            if attempt.sent > first and attempt.answer.is_decided and not attempt.answer.is_good and attempt.answer.status not in (401, 403):
                self.find("a key that was refused after it was acknowledged", f"{deed}")

    def replay(self, load):
        """Some of what was acknowledged is sent once more, to any replica: it is answered alike, and does nothing."""
        chance = random.Random(f"{load.seed}/replay")
        done = [deed for deed in load.deeds if deed.key and deed.is_acknowledged and not deed.about.get("unkeyed") and deed.who not in self.event.blockable]
        clients = {}
        until = time.monotonic() + REPLAY_PATIENCE
        for deed in chance.sample(done, min(40, len(done))):
            if time.monotonic() > until:
                break
            replica = chance.choice(self.event.replicas)
            client = clients.setdefault(replica, Client(replica.port))
            body, path = deed.body, deed.path
            reason = {"x-reason": deed.key} if deed.who == ADMIN else {}
            headers = {"idempotency-key": deed.key, **reason}
            answer = client.send(deed.method, path, self.event.token(deed.who), body, headers)
            while not answer.is_decided and time.monotonic() < until:
                answer = client.send(deed.method, path, self.event.token(deed.who), body, headers)
            if answer.status == 401:
                continue
            first = deed.good.answer
            if not answer.is_good:
                self.find("an acknowledged key that is not known any more", f"{deed}; once more at {replica.name}: {answer}")
            elif not answer.is_replay and deed.act not in ("batch", "revert"):
                self.find("a key that was done twice", f"{deed}; once more at {replica.name}: {answer}")
            elif deed.act not in CHANGING | {"play", "batch", "revert", "claim"} and answer.body != first.body:
                self.find("a key with two answers", f"{deed}; once more at {replica.name}: {answer}")
        for client in clients.values():
            client.close()

    # -- Effects

    def keys(self):
        """Every acknowledged key is stored, and no key that nobody sent."""
        for deed in self.deeds:
            if deed.key and deed.is_acknowledged and not deed.about.get("unkeyed") and deed.act not in ("batch",):
                if (self.ids.get(deed.who), deed.key) not in self.stored:
                    self.find("an acknowledged key that is lost", f"{deed}")
        for row in self.new_keys():
            if row.idem_key not in self.by_key:
                self.find("a key that nobody sent", f"{row}")

    def new_keys(self):
        seen = {(row.user_id, row.idem_key) for row in self.before["keys"]}
        return [row for row in self.now["keys"] if (row.user_id, row.idem_key) not in seen]

    def of_instant(self, row):
        """What else its transaction has written."""
        tables = ("plays", "ledger", "stamps", "levels", "rewards", "events")
        instant = lambda other: getattr(other, "created_at", getattr(other, "claimed_at", None))
        return {name: [each for each in self.now[name] if each.user_id == row.user_id and instant(each) == row.created_at] for name in tables}

    def plays(self):
        """A key and a play belong to each other, one to one, and the play is as its player was told."""
        by_play = collections.defaultdict(list)
        for row in self.new_keys():
            deed = self.by_key.get(row.idem_key)
            if deed and deed.act == "play":
                by_play[json.loads(row.result)["result"]["receipt"]["play_id"]].append(row)
        plays = {row.id: row for row in self.new("plays")}
        without = self.plays_without_a_key(plays, by_play)
        for play_id, row in plays.items():
            if len(by_play.get(play_id, [])) != 1 and play_id not in without:
                self.find("a play without its one key", f"{row}: {by_play.get(play_id, [])}")
        for play_id in by_play:
            if play_id not in plays:
                self.find("a play that is lost", f"play {play_id}, {by_play[play_id]}; of the same instant: {self.of_instant(by_play[play_id][0])}")
        numbers = collections.Counter((row.user_id, row.feature_type, row.event_day, row.nonce) for row in plays.values())
        for number, times in numbers.items():
            if times > 1:
                self.find("a nonce that was used twice", f"{number}")
        balances = collections.defaultdict(set)
        for row in self.now["ledger"]:
            balances[row.user_id, row.asset, row.created_at].add(row.balance_after)
        assets = {"ROULETTE": "ROULETTE_COIN", "DICE": "DICE_TOKEN", "LOTTERY": "LOTTERY_TICKET"}
        for deed in self.deeds:
            if deed.act != "play" or not deed.is_acknowledged:
                continue
            told = deed.good.answer.body["receipt"]
            row = plays.get(told["play_id"])
            if row is None or row.user_id != self.ids[deed.who]:
                self.find("an acknowledged play that is not there", f"{deed}: {row}")
                continue
            same = {"nonce": row.nonce, "odds_id": row.odds_id, "attempt": row.attempt, "day": str(row.event_day)[:10]}
            if any(told[name] != value for name, value in same.items()):
                self.find("a play that differs from what its player was told", f"{deed}: {row}")
            asset = assets[deed.about["feature"]]
            if deed.good.answer.body["token_balance"] not in balances[row.user_id, asset, row.created_at]:
                self.find("a balance that its player was told and that never was", f"{deed}: {row}")

    def plays_without_a_key(self, plays, by_play):
        """Their numbers: those that were acknowledged, and for each that was not at most one more of the same player and game."""
        acknowledged, open_ones = {}, collections.Counter()
        for deed in self.deeds:
            if deed.act != "play without a key":
                continue
            if deed.is_acknowledged:
                acknowledged[deed.good.answer.body["receipt"]["play_id"]] = deed
            elif not deed.is_decided:
                open_ones[self.ids[deed.who], deed.about["feature"]] += 1
        for play_id, deed in acknowledged.items():
            if play_id not in plays:
                self.find("an acknowledged play that is not there", f"{deed}")
        found = set(acknowledged)
        for row in plays.values():
            if row.id not in found and row.id not in by_play and open_ones[row.user_id, row.feature_type] > 0:
                open_ones[row.user_id, row.feature_type] -= 1
                found.add(row.id)
        return found

    def money(self):
        """Balances follow on each other without a fork, whatever the numbers of their rows, and operators' rows have their order."""
        wallets = {(row.user_id, row.asset): row.balance for row in self.now["wallets"]}
        before, after = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
        for row in self.now["ledger"]:
            before[row.user_id, row.asset][row.balance_after - row.delta] += 1
            after[row.user_id, row.asset][row.balance_after] += 1
        for wallet, starts in before.items():
            ends = after[wallet].copy()
            starts = starts.copy()
            ends[0] += 1
            starts[wallets.get(wallet, 0)] += 1
            if starts != ends:
                self.find("a wallet whose changes do not follow on each other", f"user {wallet[0]}, {wallet[1]}: changed from {dict(starts - ends)} "
                          f"to {dict(ends - starts)} without a row between; it holds {wallets.get(wallet)}")
        requests = {row.request_id: row for row in self.now["audit"]}
        batches = {f"batch:{row.batch_key}" for row in self.now["batches"]}
        by_request = collections.defaultdict(list)
        for row in self.new("ledger"):
            if row.reference.startswith("request:"):
                by_request[row.reference.removeprefix("request:")].append(row)
                if row.reference.removeprefix("request:") not in requests:
                    self.find("money that nobody ordered", f"{row}")
            elif row.reference.startswith("batch:") and row.reference not in batches:
                self.find("money that nobody ordered", f"{row}")
        for deed in self.deeds:
            if deed.act not in ("grant", "revoke"):
                continue
            rows = [row for entry in self.reasons[deed.key] for row in by_request[entry.request_id]]
            amount = deed.about["amount"] * (1 if deed.act == "grant" else -1)
            if len(rows) > 1 or deed.is_acknowledged and len(rows) != 1:
                self.find("an operator's order that was not done once", f"{deed}: {rows}")
            elif rows and (rows[0].delta, rows[0].asset, rows[0].user_id) != (amount, deed.about["asset"], self.ids[deed.body["external_id"]]):
                self.find("an operator's order that was done otherwise", f"{deed}: {rows}")
            elif deed.is_acknowledged and deed.good.answer.body["balance"] != rows[0].balance_after:
                self.find("a balance that an operator was told and that never was", f"{deed}: {rows}")

    def season(self):
        stamps = collections.Counter((row.user_id, row.created_at) for row in self.now["stamps"] if row.event_type is None)
        claims = collections.Counter((row.user_id, row.level, row.claimed_at) for row in self.now["levels"] if not row.auto_claim)
        expected_stamps, expected_claims = collections.Counter(), collections.Counter()
        records = {(row.user_id, row.once_key) for row in self.now["records"]}
        for deed in self.deeds:
            user_id = self.ids.get(deed.who)
            row = self.stored.get((user_id, deed.key))
            if deed.act == "stamp" and row:
                expected_stamps[user_id, row.created_at] += 1
            if deed.act == "claim" and row:
                expected_claims[user_id, deed.about["level"], row.created_at] += 1
            if deed.act == "record" and (deed.is_acknowledged or row) and (user_id, f"client:{deed.about['event_id']}") not in records:
                self.find("a report that is lost", f"{deed}")
        # The bonus stamp of the season comes with a play.
        old = {(row.user_id, row.created_at) for row in self.before["stamps"]}
        bonus = {(row.user_id, row.created_at) for row in self.now["stamps"] if row.period_key.startswith("INTERNAL")}
        for name, there, expected, known in (("stamp", stamps, expected_stamps, old | bonus), ("claim", claims, expected_claims, set())):
            for each in there.keys() | expected.keys():
                if there[each] != expected[each] and each not in known:
                    self.find(f"a {name} and its key do not belong to each other one to one", f"{each}: {there[each]} rows, {expected[each]} keys")

        once = collections.Counter(("stamp", row.user_id, row.season_id, row.period_key) for row in self.now["stamps"])
        once += collections.Counter(("level", row.user_id, row.season_id, row.level) for row in self.now["levels"])
        for each, times in once.items():
            if times > 1:
                self.find(f"a {each[0]} that is there twice", f"{each}: {times} times")

    def operators(self):
        """What an operator was told is in the log of operators once, and the states in it follow on each other."""
        rewards = {row.id: row for row in self.now["rewards"]}
        decided = collections.defaultdict(list)
        for deed in self.deeds:
            if deed.who != ADMIN or deed.method == "GET":
                continue
            rows = self.reasons[deed.key]
            # Work on many players is noted before it begins and when it is done; whoever goes on with it notes that it begins once more.
            actions = collections.Counter(row.action for row in rows if not row.action.endswith("_BEGIN"))
            # An order that finds nothing to do, such as a key that the player has, need not be in the log.
            least = 1 if deed.is_acknowledged and deed.act not in IDLE else 0
            if len(actions) < least or any(times > 1 for times in actions.values()):
                self.find("an operator's deed that is not in the log as often as it was done", f"{deed}: {len(rows)} rows {rows}")
            if deed.act in ("approve", "reject") and deed.is_acknowledged:
                decided[deed.about["reward"]].append(deed)
        for reward, deeds in decided.items():
            state = {"approve": "DELIVERED", "reject": "REJECTED"}[deeds[0].act]
            if len(deeds) > 1 or rewards[reward].state != state:
                self.find("a reward that was decided twice", f"{rewards[reward]}: {[str(deed) for deed in deeds]}")
        self.chains()
        self.versions()
        for deed in self.deeds:
            if deed.is_acknowledged and deed.act == "import" and any(name not in self.ids for name in deed.about["names"]):
                self.find("a player who is lost", f"{deed}")
            if deed.is_acknowledged and deed.act == "batch" and "players" in deed.about:
                body = deed.good.answer.body
                if body["done"]["players"] != deed.about["players"] or body["state"] != "DONE":
                    self.find("a batch that was not done whole", f"{deed}")

    def chains(self):
        """Each state of a configuration is the one before the next edit: no edit is lost. Numbers of rows are in no order on a cluster."""
        for resource in {deed.about["resource"] for deed in self.deeds if "resource" in deed.about}:
            if resource.startswith("lottery"):
                # What is left of a prize moves by itself.
                continue
            rows = [row for row in self.now["audit"] if row.resource == resource]
            before = collections.Counter(state(row.before_json) for row in rows)
            after = collections.Counter(state(row.after_json) for row in rows)
            if sum((before - after).values()) > 1 or sum((after - before).values()) > 1:
                self.find("an edit that is lost", f"{resource}: from {list((before - after))[:4]} to {list((after - before))[:4]}")
            if resource == "ui-config:chaos" and rows:
                value = next(row.value_json for row in self.now["texts"] if row.config_key == "chaos")
                last = [json.loads(each) for each in after - before if each] or [json.loads(value)]
                if json.loads(value) not in last:
                    self.find("an edit that is lost", f"{resource} is {value}, and the last edit made it {last}")

    def versions(self):
        """Of two who have loaded the same version one is told that it has changed since."""
        used = collections.defaultdict(list)
        for deed in self.deeds:
            # What was put back may have a version for the second time, and stocks move by themselves.
            if deed.act == "edit" and deed.is_acknowledged and deed.about["resource"] in ("ui-config:chaos", "feature:RANKING"):
                used[deed.about["resource"], deed.body["version"]].append(deed)
        for deeds in used.values():
            if len(deeds) > 1:
                self.find("a version that two have replaced", " and ".join(str(deed) for deed in deeds))

    def coupons(self):
        """A code is shown to whoever has won it, and to nobody else."""
        shown = collections.defaultdict(set)
        for deed in self.deeds:
            for attempt in deed.attempts:
                if deed.act == "play" and attempt.answer.is_good and (code := attempt.answer.body["receipt"]["coupon_code"]):
                    shown[code].add((deed.who, attempt.answer.body["receipt"]["play_id"]))
        holders = {row.reward_id for row in self.now["codes"] if row.reward_id is not None}
        rewards = {row.grant_key: row for row in self.now["rewards"]}
        for code, whose in shown.items():
            if len(whose) > 1:
                self.find("a code that two were shown", f"{code}: {sorted(whose)}")
            for who, play_id in whose:
                reward = rewards.get(f"play:{play_id}")
                if not reward or reward.id not in holders or reward.user_id != self.ids[who]:
                    self.find("a code that was shown and is not its player's", f"{code}, {who}, play {play_id}: {reward}")
        grants = collections.Counter(row.grant_key for row in self.now["rewards"])
        for key, times in grants.items():
            if times > 1:
                self.find("a receipt that is there twice", key)
        expected = len(self.before["codes"]) + sum(
            len(deed.about["codes"]) for deed in self.deeds if deed.act == "upload" and (self.ids[ADMIN], deed.key) in self.stored)
        if len(self.now["codes"]) != expected:
            self.find("codes that are lost or there twice", f"{len(self.now['codes'])} codes, and {expected} were uploaded")

    def blocked(self):
        """Nobody acts after a block that was acknowledged, until somebody asks to let them in again."""
        spans = collections.defaultdict(list)
        for deed in self.deeds:
            if deed.act == "block" and deed.is_acknowledged:
                spans[deed.about["whom"]].append([deed.good.received, float("inf")])
            if deed.act == "let in" and spans[deed.about["whom"]] and deed.attempts:
                spans[deed.about["whom"]][-1][1] = deed.attempts[0].sent
        for deed in self.deeds:
            for since, until in spans.get(deed.who, ()):
                for attempt in deed.attempts:
                    if deed.method != "GET" and attempt.answer.is_good and not attempt.answer.is_replay and since < attempt.sent and attempt.received < until:
                        self.find("somebody acted who was blocked", f"{deed}")
