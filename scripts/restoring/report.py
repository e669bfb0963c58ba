"""What happened after T, out of the binary log: what players and operators were told, and the restored database does not know.

Coupon codes and passwords are never in it: they are named by their numbers."""

import csv
import json
import os
from collections import Counter

from .binlog import DELETES, UPDATES, WRITES, changes
from .replay import bare, kst

WITHHELD = ("kind_id", "fingerprint", "folded", "sealed_code", "created_at")
FIELDS = ("class", "at", "user_id", "external_id", "id", "what", "amount", "reference", "detail")
# What each class is, in the order of the summary.
CLASSES = {
    "play": "plays, with the prize that was shown",
    "balance": "changes of wallets",
    "settlement": "payments of the settlement",
    "payout": "debits of points that were paid out elsewhere",
    "reward": "receipts of rewards",
    "reward-decided": "rewards about which an operator decided",
    "coupon": "coupon codes handed out",
    "coupon-uploaded": "coupon codes uploaded",
    "stamp": "stamps and keys collected",
    "stamp-taken": "stamps and keys taken back",
    "level": "rewards of levels",
    "login": "logins",
    "account": "accounts created",
    "account-changed": "passwords, states and names changed",
    "sessions-ended": "sessions ended everywhere: by a block, a new password, or a logout",
    "anonymised": "players anonymised",
    "batch": "batches of tokens or points",
    "gift": "gifts of keys",
    "bridge": "changes of the bridge's state",
    "seed": "days whose draws were committed to",
    "admin": "acts of operators",
    "schema": "statements that changed the schema",
}


class Report:
    def __init__(self, span, source, server):
        self.columns, self.counted_up = server.columns()
        self.names = {int(number): name for number, name in server.ask(f"SELECT id, external_id FROM `{server.database}`.user")}
        self.facts, self.tables, self.highest, self.last_at = [], {}, {}, 0
        # The receipt that a code was given with, and whose it is; the codes and seeds, of which something is to be done.
        self.owners, self.codes, self.seeds, self.unreadable = {}, {}, [], Counter()
        # The codes that were not there at T.
        self.uploaded = set()
        for transaction in span.after():
            self.read(transaction, source)
        for fact in self.facts:
            if fact["class"] == "coupon":
                fact["user_id"] = self.owners.get(fact["reference"])
        missing = {fact["reference"] for fact in self.facts if fact["class"] == "coupon" and fact["user_id"] is None}
        if missing:
            rows = server.ask(f"SELECT id, user_id FROM `{server.database}`.reward_log WHERE id IN ({','.join(map(str, missing))})")
            found = {int(receipt): int(user) for receipt, user in rows}
            for fact in self.facts:
                if fact["class"] == "coupon" and fact["user_id"] is None:
                    fact["user_id"] = found.get(fact["reference"])
        for fact in self.facts:
            fact["external_id"] = self.names.get(fact["user_id"])

    def read(self, transaction, source):
        at = kst(transaction.at)
        if transaction.statement:
            text = bare(transaction.statement)
            if transaction.statement.database == source and text.upper().startswith(("CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE")):
                self.add("schema", at, None, None, text[:200])
            return
        for table, event in transaction.rows:
            if table.database != source:
                continue
            self.last_at = transaction.at
            names = self.columns.get(table.name, [])
            if len(names) != len(table.types):
                self.unreadable[table.name] += 1
                continue
            verb = next(verb for verb, kinds in (("added", WRITES), ("changed", UPDATES), ("deleted", DELETES)) if event.kind in kinds)
            for before, now in changes(table, event):
                self.tables.setdefault(table.name, Counter())[verb] += 1
                old, new = (dict(zip(names, row)) if row else None for row in (before, now))
                if new and table.name in self.counted_up:
                    self.highest[table.name] = max(self.highest.get(table.name, 0), new["id"])
                look = getattr(self, "see_" + table.name, None)
                if look:
                    look(at, old, new)

    def add(self, name, at, user, number, what, amount=None, reference=None, detail=None):
        values = (name, at, user, None, number, what, amount, reference, detail)
        self.facts.append(dict(zip(FIELDS, values)))

    # One for each table of which there is more to say than how many rows have changed.

    def see_feature_log(self, at, old, new):
        if not old:
            self.add("play", at, new["user_id"], new["id"], new["feature_type"], new["reward_amount"], new["reward_type"], new["outcome"])

    def see_wallet_ledger(self, at, _, new):
        name = {"BRIDGE": "settlement", "PAYOUT": "payout"}.get(new["reason"], "balance")
        self.add(name, at, new["user_id"], new["id"], new["asset"], new["delta"], new["reference"], f"{new['reason']} by {new['actor']}")

    def see_reward_log(self, at, old, new):
        if not old:
            self.owners[new["id"]] = new["user_id"]
            self.add("reward", at, new["user_id"], new["id"], new["reward_type"], new["amount"], new["grant_key"], new["state"])
        elif new and old["state"] != new["state"]:
            detail = f"{new['state']} by {new['reviewed_by']}"
            self.add("reward-decided", at, new["user_id"], new["id"], new["reward_type"], new["amount"], new["grant_key"], detail)

    def see_coupon_code(self, at, old, new):
        if new and not old:
            self.uploaded.add(new["id"])
            self.add("coupon-uploaded", at, None, new["id"], f"kind {new['kind_id']}")
        if new and new["reward_id"] is not None and not (old and old["reward_id"] is not None):
            self.codes[new["id"]] = new
            self.add("coupon", at, None, new["id"], f"kind {new['kind_id']}", 1, new["reward_id"])

    def see_season_pass_stamp_log(self, at, old, new):
        row = new or old
        if not (old and new):
            name = "stamp" if new else "stamp-taken"
            self.add(name, at, row["user_id"], row["id"], row["event_type"] or row["period_key"], row["xp_earned"], f"season:{row['season_id']}")

    def see_season_pass_reward_log(self, at, old, new):
        if new and not old:
            what = f"level {new['level']}: {new['reward_type']}"
            self.add("level", at, new["user_id"], new["id"], what, new["reward_amount"], new["grant_key"], new["reward_label"])

    def see_user(self, at, old, new):
        if not new:
            return
        if not old:
            self.names[new["id"]] = new["external_id"]
            self.add("account", at, new["id"], new["id"], new["role"])
            return
        changed = [word for word, column in (("password", "password_hash"), ("status", "status"), ("name", "external_id")) if old[column] != new[column]]
        if changed:
            self.add("account-changed", at, new["id"], new["id"], ", ".join(changed), detail=new["status"])

    def see_user_profiles(self, at, old, new):
        if old and new and new["token_epoch"] > old["token_epoch"]:
            self.add("sessions-ended", at, new["user_id"], None, f"epoch {new['token_epoch']}", detail="blocked" if new["is_blocked"] else None)
        if old and new and new["anonymised_at"] and not old["anonymised_at"]:
            self.add("anonymised", at, new["user_id"], None, "player")

    def see_user_event_log(self, at, old, new):
        if new and not old and new["event_type"] == "AUTH_LOGIN":
            self.add("login", at, new["user_id"], new["id"], "AUTH_LOGIN")

    def see_wallet_batch(self, at, old, new):
        if new and (not old or old["state"] != new["state"]):
            self.add("batch", at, None, new["id"], new["kind"], reference=new["batch_key"], detail=f"{new['state']} by {new['actor']}")

    def see_event_bridge_gift(self, at, old, new):
        if new and (not old or old["state"] != new["state"]):
            self.add("gift", at, new["user_id"], new["id"], new["event_type"], new["points"], detail=f"{new['state']} by {new['actor']}")

    def see_event_bridge(self, at, old, new):
        if new and (not old or old["state"] != new["state"]):
            self.add("bridge", at, None, new["id"], new["state"])

    def see_draw_seed(self, at, old, new):
        if new and not old:
            self.seeds.append(new)
            self.add("seed", at, None, new["id"], new["event_day"], reference=new["commitment"])

    def see_admin_audit_log(self, at, _, new):
        self.add("admin", at, new["actor_id"], new["id"], new["action"], reference=new["resource"], detail=new["reason"])

    # What becomes of it.

    def counts(self):
        return Counter(fact["class"] for fact in self.facts)

    def write(self, folder, after):
        folder.mkdir(mode=0o700, parents=True)
        os.umask(0o077)
        self.facts.sort(key=lambda fact: (fact["user_id"] or 0, fact["at"]))
        with open(folder / "after.csv", "w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows({key: harmless(value) for key, value in fact.items()} for fact in self.facts)
        players = {}
        for fact in self.facts:
            kept = {key: value for key, value in fact.items() if value is not None and key not in ("user_id", "external_id")}
            player = players.setdefault(fact["user_id"] or 0, {"user_id": fact["user_id"], "external_id": fact["external_id"], "facts": []})
            player["facts"].append(kept)
        summary = {"after": after, "last": kst(self.last_at) if self.last_at else None, "counts": self.counts(),
                   "tables": self.tables, "unreadable": self.unreadable}
        (folder / "after.json").write_text(json.dumps(summary | {"players": list(players.values())}, ensure_ascii=False, indent=1), encoding="utf-8")
        (folder / "before-opening.sql").write_text(self.before_opening(), encoding="utf-8")

    def before_opening(self):
        lines = ["-- Run on the database before anybody is let in; docs/runbook/back-up-and-restore.md says why.",
                 "-- No number that was told after T is given to something else.", *self.raised(), "START TRANSACTION;"]
        for code in self.codes.values():
            lines.append("-- Handed out after T, so nobody else may get it: withheld from the stock.")
            lines += self.withheld(code)
        for seed in self.seeds:
            lines.append("-- Its commitment was public: the day is drawn with this seed and no other.")
            lines.append(insert("draw_seed", seed, ("id", "event_day", "commitment", "sealed_seed", "created_at")))
        return "\n".join([*lines, "COMMIT;", ""])

    def withheld(self, code):
        """Statements that withhold a code. As it was at T, if it was there: a rotation of DATA_KEY may have sealed it anew since."""
        if code["id"] in self.uploaded:
            values = ", ".join(quoted(code[column]) for column in WITHHELD)
            there = f"kind_id = {code['kind_id']} AND fingerprint = {quoted(code['fingerprint'])}"
            return [f"INSERT INTO coupon_withheld ({', '.join(WITHHELD)}) SELECT {values} FROM DUAL "
                    f"WHERE NOT EXISTS (SELECT 1 FROM coupon_withheld WHERE {there});"]
        row = f"FROM coupon_code WHERE id = {code['id']} AND reward_id IS NULL;"
        columns = ", ".join(WITHHELD)
        return [f"INSERT INTO coupon_withheld ({columns}) SELECT {columns} {row}", f"DELETE {row}"]

    def raised(self):
        """Statements after which the numbers of tables count on from what was told after T."""
        return [f"ALTER TABLE `{table}` AUTO_INCREMENT = {number + 1};" for table, number in sorted(self.highest.items())]

    def lines(self):
        counts = self.counts()
        players = {fact["user_id"] for fact in self.facts if fact["user_id"] and fact["class"] != "admin"}
        found = [f"{counts[name]:>9}  {meaning} ({name})" for name, meaning in CLASSES.items() if counts[name]]
        for table, number in self.unreadable.items():
            found.append(f"{number:>9}  changes of {table} that cannot be read, because its columns changed after T")
        return [f"After T, of {len(players)} players:", *found] if found else ["After T nothing was changed."]


def insert(table, row, columns):
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(quoted(row[column]) for column in columns)});"


def quoted(value):
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def harmless(value):
    """A text that a spreadsheet does not take for a formula."""
    return "'" + value if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
