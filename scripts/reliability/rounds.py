"""Rounds of faults, one event for each fault on each database, and what came of them."""

import collections
import json
import random
import sys
import time

from reliability import faults
from reliability.acts import ACTS
from reliability.databases import KINDS
from reliability.event import Event
from reliability.judge import Judge
from reliability.load import Load
from reliability.machine import require
from reliability.replicas import Redis
from throwaway import Broken, output

CAUSAL = "DATABASE_CAUSAL_READS"
# So many findings of a round are printed.
SHOWN = 12
# After so many rounds an event is made anew, so that it stays small.
ROUNDS_OF_EVENT = 5


class Tally:
    """What came of all rounds of one fault on one database."""

    def __init__(self):
        self.rounds, self.seconds = 0, 0.0
        self.answers, self.findings = collections.Counter(), collections.Counter()
        self.acknowledged = self.unanswered = self.repeated = self.server_errors = 0

    def add(self, load, findings, seconds):
        self.rounds += 1
        self.seconds += seconds
        self.answers += load.answered
        self.findings += collections.Counter(kind for kind, _ in findings)
        self.server_errors += load.answered[500]
        for deed in load.deeds:
            if deed.method != "GET":
                self.acknowledged += deed.is_acknowledged
                self.unanswered += not deed.is_decided
                self.repeated += len(deed.attempts) > 1


class Suite:
    def __init__(self, settings, folder):
        self.settings, self.folder = settings, folder
        self.program = settings.binary.resolve()
        self.tallies, self.running, self.events = {}, [], 0

    def run(self):
        require(self.settings.on, self.folder / "tools")
        for name in self.settings.on:
            wanted = faults.of(name, is_short=not self.settings.long and not self.settings.fault)
            wanted = [kind for kind in wanted if not self.settings.fault or kind.name in self.settings.fault]
            if not wanted:
                continue
            database = KINDS[name](self.folder)
            self.running.append(database)
            started = time.monotonic()
            database.start()
            print(f"=== {name} ({time.monotonic() - started:.1f} s to start)", flush=True)
            for kind in wanted:
                self.rounds(database, kind)
            self.running.remove(database)
            database.stop()

    def rounds(self, database, kind):
        tally = self.tallies[database.name, kind.name] = Tally()
        event, used = None, 0
        try:
            for number in range(self.settings.rounds):
                if event and used == ROUNDS_OF_EVENT:
                    self.end(event)
                    event = None
                if any(tally.findings[kind] for kind in self.settings.until):
                    break
                if not event:
                    event, used = self.begin(database, kind), 0
                    judge = Judge(event)
                used += 1
                if not self.round(event, judge, kind, self.settings.seed + number, tally):
                    # Nobody knows what state that has left.
                    self.end(event)
                    event = None
                    database.stop()
                    database.start()
        finally:
            if event:
                self.end(event)

    def begin(self, database, kind):
        self.events += 1
        redis = None
        if kind.needs_redis:
            redis = Redis(self.folder / f"redis-{self.events}")
            redis.start()
        settings = {**self.settings_of(database), **kind.settings}
        event = Event(self.program, database, self.folder, f"event-{self.events}", start=kind.start, redis=redis, proxied=kind.needs_proxy, **settings)
        event.redis = redis
        self.running.append(event)
        if self.settings.without:
            database.write(self.settings.without)
        event.start()
        return event

    def settings_of(self, database):
        """Replicas at nodes of a cluster read what the others have committed."""
        known = CAUSAL in output([self.program, "check", "--reference"])
        return {CAUSAL: "true"} if database.name == "galera" and known else {}

    def end(self, event):
        event.close()
        if event.redis:
            event.redis.process.kill()
        self.running.remove(event)

    def round(self, event, judge, kind, seed, tally):
        """Whether it came to its end."""
        started = time.monotonic()
        load = Load(event, ACTS, f"{event.database.name}-{kind.name}-{seed}")
        fault = kind(event, load, random.Random(f"{kind.name}/{seed}"))
        load.start()
        stuck = []
        try:
            fault.run()
        except Broken as broken:
            stuck = [("a round that did not come to its end", str(broken))]
        load.end()
        judged = time.monotonic()
        # Where servers are not back there is nothing to look at.
        findings = fault.findings + stuck + ([] if stuck else judge.judge(load, fault))
        seconds = time.monotonic() - started
        tally.add(load, findings, seconds)
        shown = ", ".join(f"{status} × {number}" for status, number in sorted(load.answered.items(), key=str))
        print(f"{event.database.name:8} {kind.name:17} seed {seed}: {'WRONG' if findings else 'fine'}, {seconds:.1f} s "
              f"({time.monotonic() - judged:.1f} s to judge); {load.acknowledged} acknowledged; {shown}", flush=True)
        counted = collections.Counter()
        for about, what in findings:
            counted[about] += 1
            if counted[about] <= 3 and sum(counted.values()) <= SHOWN:
                print(f"    {about}: {what[:1200]}", flush=True)
        for about, number in counted.items():
            print(f"    = {number} × {about}", flush=True)
        return not stuck

    def close(self):
        """Ends whatever still runs, the newest first."""
        for each in reversed(self.running):
            try:
                if isinstance(each, Event):
                    each.close()
                    if each.redis:
                        each.redis.process.kill()
                else:
                    each.stop()
            except (Broken, OSError) as error:
                print(f"chaos: {error}", file=sys.stderr)

    def conclude(self):
        """Prints the summary; the exit code."""
        print("\n| database | fault | rounds | acknowledged | repeated | without an answer | 500 | wrong |\n|---|---|---|---|---|---|---|---|")
        for (database, name), tally in self.tallies.items():
            wrong = ", ".join(f"{number} × {kind}" for kind, number in tally.findings.items()) or "0"
            print(f"| {database} | {name} | {tally.rounds} | {tally.acknowledged} | {tally.repeated} | {tally.unanswered} | {tally.server_errors} | {wrong} |")
        if self.settings.report:
            rows = [{"database": database, "fault": name, **{key: value for key, value in vars(tally).items()}}
                    for (database, name), tally in self.tallies.items()]
            self.settings.report.write_text(json.dumps(rows, indent=1, default=str), encoding="utf-8")
        wrong = sum(sum(tally.findings.values()) for tally in self.tallies.values())
        print(f"\nchaos: {wrong} findings in {sum(tally.rounds for tally in self.tallies.values())} rounds; seed {self.settings.seed}")
        return 1 if wrong else 0
