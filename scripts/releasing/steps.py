"""The steps of a deploy, whatever drives the replicas: migrate, rehearse, replace one at a time, look, and go back if it does not go well.

The schema is migrated before the first replica is replaced (docs/adr/0012-migrate-before-the-release.md), and stays when replicas go back."""

import re
import shutil
import signal
import time

from releasing import commands, health, schema
from releasing.commands import Failed
from releasing.health import NotReady
from releasing.outcome import Interrupted, MigrationFailed, NeedsPerson, Refused, RolledBack, Unhealthy

POLL_SECONDS = 0.1


class Interruption:
    """SIGINT, SIGTERM, and the SIGHUP of a connection that is lost. They are heeded between two steps, and not while a deploy goes back."""

    def __init__(self):
        self.wanted, self.heeded = False, True
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup has it ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.note)

    def note(self, _number, _frame):
        self.wanted = True

    def check(self):
        if self.wanted and self.heeded:
            raise Interrupted("it was interrupted")


class Deployment:
    def __init__(self, driver, settings, journal, say):
        self.driver, self.settings, self.journal, self.say = driver, settings, journal, say
        self.interruption = Interruption()

    # -- From outside

    def deploy(self, release, even_if_unhealthy=False):
        going = self.journal.under_way
        if going and (going["to"], going["stage"] == "rolling back") != (release, False):
            raise Refused(f"{self.unfinished()}: finish that first")
        self.driver.find(release)
        wanted = self.identity(release)
        running = self.replicas()
        if going:
            self.say(f"Continuing the deploy of {release}.")
            before, count = going["from"], going["replicas"]
        else:
            before, count = self.look_at(running, even_if_unhealthy)
        self.driver.refuse_strangers()
        self.refuse_a_full_disk()
        self.refuse_a_wrong_configuration(release)
        self.refuse_the_schema(release, self.identity(before)[0] if running and before else None)
        self.interruption.check()
        self.journal.begin(before, release, count)
        self.migrate(release)
        self.replace_all(release, wanted, count)
        # A release that is deployed again is not the one before itself.
        self.journal.finish(release, before if before != release else self.journal.previous)
        self.say(f"{release} runs, {count} replica(s).")

    def roll_back(self):
        """Undoes a deploy that is unfinished, or goes back to the release before."""
        if going := self.journal.under_way:
            before = going["from"] or "nothing"
            self.say(f"Undoing the deploy of {going['to']}, going back to {before}.")
            self.return_to(going["from"])
            self.journal.give_up()
            self.say(f"{before} runs, as before. The schema stays as `migrate up` of {going['to']} has left it.")
            return
        release = self.journal.previous
        if release is None:
            raise Refused("no release before is known; name the one that is to run")
        running = self.replicas()
        before, count = self.look_at(running, even_if_unhealthy=True)
        if running and before != self.journal.current:
            raise Refused(f"{before} runs, which was not deployed by this: name the release that is to run")
        self.driver.refuse_strangers()
        self.driver.find(release)
        wanted = self.identity(release)
        self.refuse_a_wrong_configuration(release)
        self.refuse_the_schema(release)
        self.interruption.check()
        self.journal.begin(before, release, count)
        self.replace_all(release, wanted, count)
        self.journal.finish(release, None)
        self.say(f"{release} runs again, {count} replica(s). The schema stays as it is.")

    def restart(self):
        """Replaces every replica by one of the same release, which takes over changed settings, and starts what is missing."""
        if self.journal.under_way:
            raise Refused(self.unfinished())
        release = self.journal.current
        if release is None:
            raise Refused("nothing is deployed: name the release that is to run")
        running = self.replicas()
        if other := sorted({replica.release for replica in running} - {release}):
            raise Refused(f"{', '.join(other)} runs, and {release} is deployed: name the release that is to run")
        self.driver.refuse_strangers()
        self.driver.find(release)
        wanted = self.identity(release)
        self.refuse_a_wrong_configuration(release)
        self.refuse_the_schema(release)
        count = self.driver.count(len(running))
        # Whoever cannot serve goes first.
        running.sort(key=lambda replica: not self.not_ready(replica))
        try:
            if running:
                self.rehearse(release, wanted)
            # A restart that was killed has left one more than there are to be.
            while len(running) > count:
                self.stop(running.pop(0))
            for replica in running:
                self.replace(replica, wanted)
        except Interrupted:
            raise Interrupted(f"it was interrupted; {release} runs, in part with the settings from before") from None
        except (Unhealthy, Failed) as why:
            raise RolledBack(f"{why}\nThe replicas of {release} that were not replaced run on, with the settings they have.") from None
        try:
            self.converge(release, wanted, count)
        except Interrupted:
            raise Interrupted(f"it was interrupted, and {release} may run in part only: look at `scripts/deploy status`") from None
        except (Unhealthy, Failed) as why:
            raise NeedsPerson(f"{release} does not run as it should, look at `scripts/deploy status`:\n{why}") from None
        self.say(f"{release} runs, {count} replica(s), with the settings of now.")

    def replace_all(self, release, wanted, count):
        """All replicas by those of another release, or else back to what was there."""
        try:
            self.journal.enter("replacing")
            self.rehearse(release, wanted)
            self.converge(release, wanted, count)
        except (Unhealthy, Interrupted, Failed) as why:
            self.go_back(why)
        self.driver.adopt(release)

    def replace(self, old, wanted):
        """One replica by another of its release. The new one goes again if it is not well."""
        new = self.driver.start(old.release)
        self.say(f"Started the {new}.")
        try:
            self.gate(new, wanted)
        except (Unhealthy, Interrupted):
            self.stop(new)
            raise
        self.stop(old)

    def stop_all(self):
        """For an upgrade with downtime."""
        if self.journal.under_way:
            raise Refused(f"{self.unfinished()}: finish that first")
        for replica in self.driver.replicas():
            self.stop(replica)

    def status(self):
        for replica in self.driver.replicas():
            try:
                self.say(f"{replica}: ready, version {' '.join(health.ready(replica.address))}")
            except NotReady as why:
                self.say(f"{replica}: {why}")
        self.say(f"deployed: {self.journal.current or 'nothing'}, before that: {self.journal.previous or 'nothing'}")
        if self.journal.under_way:
            self.say(self.unfinished())

    def unfinished(self):
        going = self.journal.under_way
        ways = f"`scripts/deploy {going['to']}` continues it, and `scripts/deploy roll-back` undoes it"
        if going["stage"] == "rolling back":
            ways = "`scripts/deploy roll-back` ends that"
        return f"a deploy of {going['to']} (from {going['from'] or 'nothing'}) was cut off while {going['stage']}; {ways}"

    # -- Before anything is touched

    def replicas(self):
        return [replica for replica in self.driver.replicas() if not replica.is_rehearsal]

    def identity(self, release):
        """Version and commit that a release's program says it is."""
        done = self.driver.version(release)
        found = re.fullmatch(r"xmas-api (\S+) \((\S+)\)", done.stdout.strip())
        if done.returncode != 0 or not found:
            raise Refused(f"{release} does not say its version:\n{commands.said(done)}")
        return found.groups()

    def look_at(self, running, even_if_unhealthy):
        """The release that runs, and how many replicas there are to be."""
        count = self.driver.count(len(running))
        releases = sorted({replica.release for replica in running})
        before = releases[0] if len(releases) == 1 else self.journal.current
        problems = [f"{replica}: {why}" for replica in running if (why := self.not_ready(replica))]
        if len(releases) > 1:
            problems.append(f"several releases run: {', '.join(releases)}")
        if len(running) < count and (running or before):
            problems.append(f"{len(running)} of {count} replica(s) run")
        if problems and not even_if_unhealthy:
            raise Refused("\n".join(["what runs now is not well (--even-if-unhealthy replaces it all the same):", *problems]))
        return before, count

    def refuse_a_full_disk(self):
        folder = self.driver.disk()
        free = shutil.disk_usage(folder).free // 2**20
        if free < self.settings.free_megabytes:
            raise Refused(f"{folder} has {free} MB left, and {self.settings.free_megabytes} are wanted")

    def refuse_a_wrong_configuration(self, release):
        done = self.driver.call(release, "check")
        if done.returncode != 0:
            # All settings are printed before what is wrong with them.
            unsafe = [f"  | {line}" for line in (done.stdout + done.stderr).splitlines() if line.startswith("unsafe:")]
            raise Refused(f"`check` of {release} finds something wrong:\n" + ("\n".join(unsafe) or commands.said(done)))

    def refuse_the_schema(self, release, running=None):
        done = self.driver.call(release, "migrate", "status", "--json", owner=True)
        try:
            why = schema.refusal(done.stdout, running)
        except (ValueError, LookupError):
            why = f"`migrate status` of {release} cannot be read:\n{commands.said(done)}"
        if why:
            raise Refused(why)

    def outgrown(self, release):
        """Why the schema has no place for a release any more, or None, also where the schema cannot be asked."""
        done = self.driver.call(release, "migrate", "status", "--json", owner=True)
        try:
            return schema.refusal(done.stdout)
        except (ValueError, LookupError):
            return None

    # -- Forward

    def migrate(self, release):
        self.say(f"Migrating the schema, with the program of {release}.")
        for failed, done in self.driver.migrate(release):
            if done.returncode != 0:
                self.journal.give_up()
                raise MigrationFailed(
                    f"{failed}; no replica was replaced:\n{commands.said(done)}\nWhat is applied: `migrate status` of {release}."
                )

    def rehearse(self, release, wanted):
        """One replica that nobody is sent to, so that a release that cannot run meets no player."""
        self.interruption.check()
        self.clear_rehearsals()
        replica = self.driver.rehearse(release)
        try:
            self.gate(replica, wanted)
            self.say(f"{release} can run here.")
        finally:
            self.driver.stop(replica)

    def clear_rehearsals(self):
        for replica in self.driver.replicas():
            if replica.is_rehearsal:
                self.driver.stop(replica)

    def converge(self, release, wanted, count):
        """Replaces one replica after the other until `count` run, all of this release. It begins from whatever is there."""
        # More than this, and what was ready does not stay so.
        for _ in range(4 * count + 4):
            self.interruption.check()
            running = self.replicas()
            mine = [replica for replica in running if replica.release == release]
            if len(running) > count:
                # There is one more than needed, so one may go: first whoever cannot serve, and then one of the other release.
                self.stop(min(running, key=lambda replica: (not self.not_ready(replica), replica.release == release)))
            elif len(mine) < count:
                replica = self.driver.start(release)
                self.say(f"Started the {replica}.")
                self.gate(replica, wanted)
            else:
                self.stay_well(mine, wanted)
                return
        raise Unhealthy(f"replicas of {release} do not stay ready")

    def stop(self, replica):
        self.say(f"Stopping the {replica}.")
        if not self.driver.stop(replica):
            self.say(f"The {replica} did not end in time, and was killed.")

    def not_ready(self, replica):
        try:
            health.ready(replica.address)
        except NotReady as why:
            return str(why)
        return None

    def gate(self, replica, wanted):
        """Waits until a replica is ready, and then for as long as it has to stay so."""
        end = time.monotonic() + self.settings.ready_seconds
        while True:
            self.interruption.check()
            try:
                self.look(replica, wanted)
                break
            except NotReady as why:
                if time.monotonic() > end:
                    raise self.unhealthy(replica, f"is not ready after {self.settings.ready_seconds:g} s: {why}") from None
            time.sleep(POLL_SECONDS)
        self.stay_well([replica], wanted)

    def look(self, replica, wanted):
        if not self.driver.is_running(replica):
            raise self.unhealthy(replica, "has ended")
        found = health.ready(replica.address)
        if found != wanted:
            raise self.unhealthy(replica, f"says that it is {' '.join(found)}, and {' '.join(wanted)} is wanted")

    def stay_well(self, replicas, wanted):
        end = time.monotonic() + self.settings.steady_seconds
        before = {replica: health.faults(replica.metrics) for replica in replicas}
        while time.monotonic() < end:
            self.interruption.check()
            for replica in replicas:
                try:
                    self.look(replica, wanted)
                except NotReady as why:
                    raise self.unhealthy(replica, f"was ready, and is no more: {why}") from None
            time.sleep(POLL_SECONDS)
        for replica in replicas:
            if (faults := health.faults(replica.metrics) - before[replica]) > 0:
                raise self.unhealthy(replica, f"has answered {faults:g} request(s) with a 500")

    def unhealthy(self, replica, why):
        return Unhealthy(f"the {replica} {why}\n{self.driver.last_words(replica)}")

    # -- Back

    def go_back(self, why):
        going = self.journal.under_way
        self.say(f"{why}\nGoing back to {going['from'] or 'nothing'}.")
        self.return_to(going["from"])
        self.journal.give_up()
        ending = Interrupted if isinstance(why, Interrupted) else RolledBack
        raise ending(f"{going['from'] or 'nothing'} runs, as before. The schema stays as `migrate up` of {going['to']} has left it.")

    def return_to(self, before):
        """All replicas of the release that was there before, and no others."""
        self.interruption.heeded = False
        count = self.journal.under_way["replicas"]
        self.journal.enter("rolling back")
        try:
            self.clear_rehearsals()
            if before is None:
                for replica in self.replicas():
                    self.stop(replica)
            else:
                self.driver.find(before)
                if not any(replica.release == before for replica in self.replicas()) and (why := self.outgrown(before)):
                    self.end_without(before, why)
                self.converge(before, self.identity(before), count)
                self.driver.adopt(before)
        except (Unhealthy, Refused, Failed) as why:
            raise NeedsPerson(f"{before or 'what was started'} could not be brought back, look at `scripts/deploy status`:\n{why}") from None

    def end_without(self, before, why):
        """After a migration with downtime that the release before cannot live with: there is nothing to go back to, and a newer release
        must not be kept out by a deploy that is unfinished for ever."""
        for replica in self.replicas():
            self.stop(replica)
        # Nothing is deployed, and `roll-back` goes to the release before once its backup is restored.
        self.journal.finish(None, before)
        raise NeedsPerson(
            f"nothing runs: {before} cannot go on, since {why}\n"
            "Deploy a newer release, or restore the backup and then call `scripts/deploy roll-back`."
        )
