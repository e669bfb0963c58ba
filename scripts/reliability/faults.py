"""What is done to an event while it is under load. Each fault is a round: begin, while everybody goes on, and mend.

`on` says on which databases it applies, `shakes_database` whether a commit may end without an answer of its own, which is a 500."""

import hashlib
import json
import signal
import time
from datetime import date, timedelta

from throwaway import Broken, wait_for

FAULTS = {}


class Fault:
    on = ("sqlite", "mariadb", "galera")
    # Where it is part of the short form. The others are there only when they are named, or in the long one.
    short = ()
    shakes_database = False
    # Whether that also goes for what has a key, and could be tried again.
    shakes_keyed = True
    # Whether the event's clock jumps.
    moves_clock = False
    # What the event is made with.
    settings, needs_redis, needs_proxy, start = {}, False, False, "2025-12-26T09:00:00+09:00"
    # How many deeds are acknowledged before the fault and after it.
    BEFORE, AFTER = 60, 60

    def __init__(self, event, load, chance):
        self.event, self.load, self.random, self.database = event, load, chance, event.database
        self.findings, self.notes = [], []

    def find(self, kind, what):
        self.findings.append((kind, what))

    def run(self):
        self.load.go_on(self.BEFORE)
        try:
            self.happen()
        finally:
            self.mend()
        self.event.wait()
        self.load.go_on(self.AFTER)

    def happen(self):
        raise NotImplementedError

    def mend(self):
        pass

    def a_replica(self):
        return self.random.choice(self.event.replicas)


def fault(name):
    def register(kind):
        kind.name = name
        FAULTS[name] = kind
        return kind
    return register


@fault("none")
class Nothing(Fault):
    """No fault at all: the same players through all replicas at once."""

    short = Fault.on

    def happen(self):
        self.load.go_on(150)


@fault("api-kill")
class ApiKill(Fault):
    """A replica is killed, and another one takes its place."""

    short = ("sqlite", "mariadb")

    def happen(self):
        self.victim = self.a_replica()
        self.victim.process.kill()
        self.load.try_on(30, 2)

    def mend(self):
        self.victim.start()


@fault("api-freeze")
class ApiFreeze(Fault):
    """A replica does nothing for a moment, with requests in its hands, and goes on as if no time had passed."""

    short = ("mariadb",)

    def happen(self):
        self.victim = self.a_replica()
        self.victim.freeze()
        self.load.try_on(30, self.random.uniform(0.5, 1.5))

    def mend(self):
        self.victim.thaw()


def is_turned_away(attempt):
    """Whether a server that does not end would answer the same: somebody else has the lock, or the places of this kind of work."""
    waited = attempt.received - attempt.sent
    # One that was begun, and then ended since it took too long, has the same code.
    return attempt.answer.code == "LOCK_NOT_ACQUIRED" or (attempt.answer.code == "OVERLOADED" and waited < 1)


@fault("api-term")
class ApiTerm(Fault):
    """A replica is told to end: it says so at once, answers whatever it was sent, and ends in its time."""

    settings, short = {"DRAIN_SECONDS": "5"}, ("mariadb",)
    # DRAIN_SECONDS, and the time that the slowest request may take.
    GRACE = 15

    def happen(self):
        self.victim = self.a_replica()
        process, told = self.victim.process, time.monotonic()
        process.send(signal.SIGTERM)
        while (found := self.victim.readiness()) == 200 and time.monotonic() - told < 3:
            pass
        took = time.monotonic() - told
        if found != 503 or took > 1:
            self.find("readiness that is late", f"/readyz of {self.victim.name} was {found} {took:.1f} s after SIGTERM")
        # A load balancer looks every second or so; until then everybody goes on as before.
        self.load.try_on(20, 1)
        self.load.avoided.add(self.victim)
        wait_for("the end of a replica", lambda: not process.is_running(), self.GRACE)
        ended = time.monotonic()
        if process.child.returncode != 0:
            self.find("an end that was no good one", f"{self.victim.name} ended with {process.child.returncode}")
        if ended - told > self.GRACE:
            self.find("an end that took too long", f"{self.victim.name}: {ended - told:.1f} s")
        for deed, attempt in self.load.statuses("lost", 500, 503):
            if attempt.replica == self.victim.name and told < attempt.received and not is_turned_away(attempt):
                self.find("a request that was dropped", f"{deed}")

    def mend(self):
        self.victim.start()
        self.victim.wait()
        self.load.avoided.clear()


# -- MariaDB

@fault("database-kill")
class DatabaseKill(Fault):
    on, short, shakes_database = ("mariadb",), ("mariadb",), True

    def happen(self):
        self.database.kill()
        self.load.try_on(30, self.random.uniform(0.2, 1))

    def mend(self):
        self.database.start()


@fault("database-restart")
class DatabaseRestart(Fault):
    on, shakes_database = ("mariadb",), True

    def happen(self):
        self.database.stop()

    def mend(self):
        self.database.start()


@fault("database-freeze")
class DatabaseFreeze(Fault):
    on, short, shakes_database = ("mariadb",), ("mariadb",), True

    def happen(self):
        self.database.freeze()
        self.load.try_on(60, self.random.uniform(0.5, 2.5))

    def mend(self):
        self.database.thaw()


@fault("commit-cut")
class CommitCut(Fault):
    """Connections to the database are cut in the middle of COMMIT, before or after it is done, and the replica cannot know which."""

    on, short, shakes_database, shakes_keyed, needs_proxy = ("mariadb", "galera"), ("mariadb",), True, False, True
    CUTS = 12

    def happen(self):
        before = self.cuts()
        for proxy in self.event.proxies:
            proxy.chance = 0.15
        wait_for("commits that are cut", lambda: all(now >= then + self.CUTS for now, then in zip(self.cuts(), before)) or self.load.troubles)

    def cuts(self):
        return sum(proxy.cut_before for proxy in self.event.proxies), sum(proxy.cut_after for proxy in self.event.proxies)

    def mend(self):
        for proxy in self.event.proxies:
            proxy.chance = 0.0


# -- Redis

class RedisFault(Fault):
    on, short, needs_redis = ("mariadb",), ("mariadb",), True


@fault("redis-kill")
class RedisKill(RedisFault):
    def happen(self):
        self.event.redis.process.kill()
        self.load.go_on(60)

    def mend(self):
        self.event.redis.start()


@fault("redis-freeze")
class RedisFreeze(RedisFault):
    def happen(self):
        self.event.redis.process.send(signal.SIGSTOP)
        self.load.go_on(60)

    def mend(self):
        self.event.redis.process.send(signal.SIGCONT)


@fault("redis-flush")
class RedisFlush(RedisFault):
    def happen(self):
        for _ in range(4):
            self.event.redis.flush()
            self.load.go_on(20)


# -- Galera

class GaleraFault(Fault):
    on, shakes_database = ("galera",), True

    def mend(self):
        wait_for("three nodes", self.database.is_whole, 60)


@fault("node-kill")
class NodeKill(GaleraFault):
    """A node is killed and joins again; the replica at it is not ready meanwhile, and the others go on."""

    short = ("galera",)

    def happen(self):
        self.node = self.random.randrange(3)
        self.database.kill(self.node)
        self.load.go_on(40)

    def mend(self):
        self.database.rejoin(self.node)
        super().mend()


@fault("node-restart")
class NodeRestart(GaleraFault):
    def happen(self):
        self.node = self.random.randrange(3)
        self.database.end(self.node)
        self.load.go_on(40)

    def mend(self):
        self.database.rejoin(self.node)
        super().mend()


@fault("node-freeze")
class NodeFreeze(GaleraFault):
    """Shorter than it takes to be left out, or longer."""

    short = ("galera",)

    def happen(self):
        self.node = self.random.randrange(3)
        self.database.freeze(self.node)
        self.load.try_on(10_000, self.random.choice([1, 2, 7]))

    def mend(self):
        self.database.thaw(self.node)
        super().mend()


@fault("minority")
class Minority(GaleraFault):
    """Two nodes are gone: the third must do nothing, since it cannot know what they do."""

    short = ("galera",)

    def happen(self):
        self.node = self.random.randrange(3)
        self.database.freeze(*(node for node in range(3) if node != self.node))
        alone = self.event.replicas[self.node]
        wait_for("a node that knows it is alone", lambda: self.database.status(self.node, "wsrep_cluster_status") != "Primary", 30)
        since = time.monotonic()
        wait_for("a replica that is not ready", lambda: alone.readiness() != 200, 20)
        self.load.try_on(30, 2)
        for deed in self.load.deeds:
            for attempt in deed.attempts:
                if attempt.replica == alone.name and attempt.sent > since and attempt.answer.is_good and deed.method != "GET":
                    self.find("a minority that acknowledged", f"{deed}")

    def mend(self):
        for node in range(3):
            self.database.thaw(node)
        super().mend()


# -- SQLite

@fault("full-disk")
class FullDisk(Fault):
    """Nothing more fits into the file system of the database; later there is room again."""

    on, short, shakes_database = ("sqlite",), ("sqlite",), True

    def happen(self):
        self.database.fill_disk()
        self.load.try_on(200, 3)

    def mend(self):
        self.database.free_disk()


def of(database, is_short):
    return [kind for kind in FAULTS.values() if database in (kind.short if is_short else kind.on)]




# -- The clock

@fault("midnight")
class Midnight(Fault):
    """The event's day ends under load, on one replica a moment before the other, and the replicas were restarted just before."""

    short, moves_clock = ("mariadb",), True

    def happen(self):
        today = date.fromisoformat(self.start[:10]) + timedelta(days=self.event.midnights)
        self.event.midnights += 1
        day, tomorrow = today.isoformat(), (today + timedelta(days=1)).isoformat()
        for turn, replica in enumerate(self.event.replicas):
            replica.process.kill()
            replica.start(XMAS_CLOCK=f"{day}T23:59:{56 + turn % 2}+09:00")
        started = time.monotonic()
        self.event.wait()
        self.load.go_on(60)
        wait_for("midnight", lambda: time.monotonic() - started > 4.5)
        self.load.go_on(100)
        played = {deed.good.answer.body["receipt"]["day"] for deed in self.load.deeds if deed.act == "play" and deed.is_acknowledged}
        if not {day, tomorrow} <= played:
            raise Broken(f"nobody played on both sides of midnight: {sorted(played)}")


# -- The settlement

@fault("settlement")
class Settlement(Fault):
    """Three processes settle at once, each at its own node, while one of them or a server of the database is killed."""

    short = ("sqlite", "galera")

    start = "2026-01-02T09:00:00+09:00"
    PLAYERS = 14
    # So small that three processes meet often.
    CHUNK = "2"

    def run(self):
        self.event.settled += 1
        names = [f"settled-{self.event.settled}-{number}" for number in range(self.PLAYERS)]
        self.event.ask("POST", "/admin/api/users/import?dry_run=false", "external_id\n" + "".join(f"{name}\n" for name in names))
        for name in names:
            for day in range(1, 8):
                self.event.ask("POST", "/admin/api/event-bridge/keys", {"day": day, "external_id": name, "reason": "chaos"})
        self.barred, self.names = names[:2], names
        for name in self.barred:
            self.event.ask("PUT", f"/admin/api/users/external_id:{name}", {"status": "BLOCKED"})
        super().run()
        self.prove()

    def happen(self):
        runs = [replica.begin("settle", "--chunk", self.CHUNK, "--json") for replica in (self.event.replicas * 3)[:3]]
        how = self.random.choice(["nothing", "process", "process", "database"])
        # Until somebody of them is paid, so that it happens in the middle.
        if how != "nothing":
            wait_for("the first payments", lambda: self.paid() or all(run.poll() is not None for run in runs), 20)
        if how == "process":
            runs[0].kill()
        if how == "database" and self.database.name != "sqlite":
            self.shakes_database = True
            self.node = self.random.randrange(3)
            self.database.kill(*([self.node] if self.database.name == "galera" else []))
        for run in runs:
            run.communicate(timeout=120)
            if run.returncode not in (0, 1, 3, -signal.SIGKILL):
                self.find("a settlement that ended otherwise", f"exit code {run.returncode}")

    def mend(self):
        if self.shakes_database and self.database.name == "galera":
            self.database.rejoin(self.node)
            wait_for("three nodes", self.database.is_whole, 60)
        elif self.shakes_database:
            self.database.start()

    def paid(self):
        (rows,) = self.database.read([("r.id", "reward_log r WHERE r.source = 'BRIDGE'")], 0)
        return len(rows) > self.before

    @property
    def before(self):
        return (self.event.settled - 1) * (self.PLAYERS - len(self.barred))

    def prove(self):
        certificates = []
        for replica in self.event.replicas:
            text = wait_for("a settlement that comes to its end", lambda: self.settle(replica), 60)
            certificates.append(json.loads(text)["certificate"])
        told = {json.dumps({name: each[name] for name in ("bridge_id", "eligible", "paid", "points", "digest")}) for each in certificates}
        if len(told) > 1:
            self.find("certificates that differ", " | ".join(sorted(told)))
        ids, paid, ledger = self.database.read([
            ("external_id, id", "user WHERE external_id LIKE 'settled-%'"),
            ("user_id, amount", "reward_log WHERE source = 'BRIDGE' ORDER BY user_id"),
            ("user_id", "wallet_ledger WHERE reason = 'BRIDGE'"),
        ])
        digest = hashlib.sha256("".join(f"{user_id} {amount}\n" for user_id, amount in paid).encode()).hexdigest()
        if digest != certificates[0]["digest"]:
            self.find("a certificate that is not of what was paid", f"{certificates[0]} and {digest}")
        ids = dict(ids)
        for name in self.names:
            times = sum(user_id == ids[name] for user_id, _ in paid), sum(user_id == ids[name] for user_id, in ledger)
            wanted = (0, 0) if name in self.barred else (1, 1)
            if times != wanted:
                self.find("a player who was not paid once", f"{name}: {times[0]} receipts, {times[1]} payments")

    def settle(self, replica):
        run = replica.begin("settle", "--chunk", self.CHUNK, "--json")
        out, _ = run.communicate(timeout=60)
        return out if run.returncode == 0 else None
