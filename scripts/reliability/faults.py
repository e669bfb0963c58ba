"""What is done to an event while it is under load. Each fault is a round: begin, while everybody goes on, and mend.

`on` says on which databases it applies, `shakes_database` whether a commit may end without an answer of its own, which is a 500."""

import signal
import time

from reliability.machine import Broken, wait_for

FAULTS = {}


class Fault:
    on = ("sqlite", "mariadb", "galera")
    shakes_database = False
    # What the event is made with.
    settings, needs_redis, start = {}, False, "2025-12-26T09:00:00+09:00"
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

    def happen(self):
        self.load.go_on(150)


@fault("api-kill")
class ApiKill(Fault):
    """A replica is killed, and another one takes its place."""

    def happen(self):
        self.victim = self.a_replica()
        self.victim.process.kill()
        self.load.try_on(30, 2)

    def mend(self):
        self.victim.start()


@fault("api-freeze")
class ApiFreeze(Fault):
    """A replica does nothing for a moment, with requests in its hands, and goes on as if no time had passed."""

    def happen(self):
        self.victim = self.a_replica()
        self.victim.freeze()
        self.load.try_on(30, self.random.uniform(0.5, 1.5))

    def mend(self):
        self.victim.thaw()


@fault("api-term")
class ApiTerm(Fault):
    """A replica is told to end: it says so at once, answers whatever it was sent, and ends in its time."""

    settings = {"DRAIN_SECONDS": "5"}
    # DRAIN_SECONDS, and the time that the slowest request may take.
    GRACE = 15

    def happen(self):
        self.victim = self.a_replica()
        process, told = self.victim.process, time.monotonic()
        process.send(signal.SIGTERM)
        wait_for("readiness of 503 after SIGTERM", lambda: self.victim.readiness() == 503, 2)
        took = time.monotonic() - told
        if took > 1:
            self.find("readiness that is late", f"/readyz of {self.victim.name} was 503 only {took:.1f} s after SIGTERM")
        # A load balancer looks every second or so; until then everybody goes on as before.
        self.load.try_on(20, 1)
        self.load.avoided.add(self.victim)
        wait_for("the end of a replica", lambda: not process.is_running(), self.GRACE)
        ended = time.monotonic()
        if process.child.returncode != 0:
            self.find("an end that was no good one", f"{self.victim.name} ended with {process.child.returncode}")
        if ended - told > self.GRACE:
            self.find("an end that took too long", f"{self.victim.name}: {ended - told:.1f} s")
        for deed, attempt in self.load.statuses("lost", 500):
            if attempt.replica == self.victim.name and told < attempt.received:
                self.find("a request that was dropped", f"{deed}")

    def mend(self):
        self.victim.start()
        self.victim.wait()
        self.load.avoided.clear()


# -- MariaDB

@fault("database-kill")
class DatabaseKill(Fault):
    on, shakes_database = ("mariadb",), True

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
    on, shakes_database = ("mariadb",), True

    def happen(self):
        self.database.freeze()
        self.load.try_on(60, self.random.uniform(0.5, 2.5))

    def mend(self):
        self.database.thaw()


# -- Redis

class RedisFault(Fault):
    on, needs_redis = ("mariadb",), True


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

    def happen(self):
        self.node = self.random.randrange(3)
        others = [node for node in range(3) if node != self.node]
        for node in others:
            self.database.freeze(node)
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
    on, shakes_database = ("sqlite",), True

    def happen(self):
        self.database.fill_disk()
        self.load.try_on(200, 3)

    def mend(self):
        self.database.free_disk()


def of(database):
    return [kind for kind in FAULTS.values() if database in kind.on]


