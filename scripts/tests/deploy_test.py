"""Tests of scripts/deploy, end to end: real processes behind the real nginx on a real database (deployed_site.py).

    XMAS_API=target/debug/xmas-api python3 -m unittest discover -s scripts/tests -p 'deploy_test.py'

MariaDB's programs and nginx are needed, as scripts/test brings them; NGINX names the latter.
"""

import fcntl
import os
import re
import signal
import socket
import subprocess
import unittest

from deployed_site import REPLICAS, Load, Place, Site
from throwaway import wait_for


# The third that is started ends: the first is the rehearsal.
BRITTLE = '[ "$1" != serve ] || { echo "$1" >>"$LOG"; [ "$(wc -l <"$LOG")" != 3 ] || exit 7; }'


def setUpModule():
    global site
    site = Site()
    unittest.addModuleCleanup(site.close)


class Deploys(unittest.TestCase):
    """Begins with `old` running."""

    settings = {}
    drain_seconds = 0

    def setUp(self):
        self.old, self.new = [site.old_version] * REPLICAS, [site.new_version] * REPLICAS
        self.place = Place(site, self.id().rsplit(".", 1)[-1], **self.settings)
        self.environment()
        self.children = []
        self.addCleanup(self.end_replicas)
        self.children = self.place.start("old").children.values()

    def end_replicas(self):
        for pid in self.place.pids():
            os.kill(pid, signal.SIGKILL)
        for child in self.children:
            child.wait()
        wait_for("ports that are free again", lambda: not self.place.running())

    def environment(self, user="app", **more):
        self.place.environment(**{"DRAIN_SECONDS": self.drain_seconds, "DATABASE_URL": site.database(user), **more})

    def deploys(self, code, *arguments):
        ended, printed = self.place.deploy(*arguments)
        self.assertEqual(ended, code, printed)
        return printed

    def expect(self, versions, current, previous):
        self.assertEqual(self.place.running(), versions)
        self.assertEqual(self.place.journal(), {"current": current, "previous": previous, "under_way": None})

    def settings_of_replicas(self):
        """The REQUEST_SECONDS that each process was started with."""
        found = []
        for pid in self.place.pids():
            with open(f"/proc/{pid}/environ", "rb") as environment:
                found += re.findall(rb"(?:^|\0)REQUEST_SECONDS=(\d+)", environment.read())
        return found

    def kill_half_way(self, release, number=signal.SIGKILL):
        """Stops a deploy as soon as one replica has been replaced."""
        going = self.place.begin(release)
        with going:
            wait_for("a deploy that is half way", lambda: self.place.running().count(site.old_version) == 1 or going.poll() is not None)
            self.assertIsNone(going.poll())
            self.assertEqual(self.place.journal()["under_way"]["stage"], "replacing")
            going.send_signal(number)
            return going.communicate(timeout=60)[0], going.returncode


class UnderLoad(Deploys):
    # As it is in production: as long as a connection may be idle.
    drain_seconds = 5

    def expect_no_failure(self, load):
        self.assertEqual(load.failures, [])
        # Each grant that was answered was made, and made once.
        self.assertEqual(load.gained, load.granted)
        self.assertGreater(load.granted, 20)

    def test_an_upgrade_loses_no_request(self):
        log = site.release("logged", 'echo "$1 $2" >>"$LOG"')
        with Load(site) as load:
            printed = self.deploys(0, "logged")
        self.expect_no_failure(load)
        self.expect(self.new, "logged", "old")
        # Looked at first, migrated once, and only then started: one that nobody is sent to, and the replicas.
        calls = [line.strip() for line in log.read_text(encoding="utf-8").splitlines()]
        self.assertEqual(calls, ["--version", "check", "migrate status", "migrate up"] + ["serve"] * (1 + REPLICAS))
        # There are never fewer than before.
        self.assertEqual(re.findall("Started|Stopping", printed), ["Started", "Stopping"] * REPLICAS)

    def test_a_replica_that_answers_with_errors_is_rolled_back(self):
        self.place.set(steady_seconds=0.5)
        site.release("blind", f'[ "$1" != serve ] || export DATABASE_URL={site.database("blind")}')
        going = self.place.begin("blind")
        with going:
            asked = set()

            def ask():
                asked.add(site.send_once("GET", "/api/ui-config/downtime_banner")[0])
                return going.poll() is not None

            wait_for("the end of the deploy", ask)
            printed = going.communicate()[0]
        # Whoever asked the new one met its fault; nobody does any more.
        self.assertEqual(asked, {200, 500})
        self.assertEqual(going.returncode, 3, printed)
        self.assertIn("request(s) with a 500", printed)
        self.expect(self.old, "old", None)

    def test_a_release_whose_second_replica_ends_is_rolled_back_without_a_failed_request(self):
        log = site.release("brittle", BRITTLE)
        with Load(site) as load:
            printed = self.deploys(3, "brittle")
        self.expect_no_failure(load)
        self.expect(self.old, "old", None)
        self.assertEqual(log.read_text(encoding="utf-8").count("serve"), 3)
        self.assertIn("has ended", printed)
        self.assertIn("The schema stays", printed)

    def test_changed_settings_are_taken_over_without_a_failed_request(self):
        before = self.place.pids()
        self.environment(REQUEST_SECONDS=7)
        with Load(site) as load:
            printed = self.deploys(0, "restart")
        self.expect_no_failure(load)
        self.assertEqual(re.findall("Started|Stopping", printed), ["Started", "Stopping"] * REPLICAS)
        self.assertFalse(set(before) & set(self.place.pids()))
        self.assertEqual(self.settings_of_replicas(), [b"7"] * REPLICAS)
        self.expect(self.old, "old", None)


class Refusals(Deploys):
    def expect_untouched(self, before):
        self.assertEqual(self.place.running(), before)
        self.assertIsNone(self.place.journal()["under_way"])
        self.assertEqual(self.place.journal()["current"], "old")

    def test_what_cannot_be_done_is_refused_before_anything_is_touched(self):
        self.assertIn("there is no program", self.deploys(1, "none-such"))
        self.assertIn("no release before is known", self.deploys(1, "roll-back"))
        site.release("mute", '[ "$1" != --version ] || exit 0')
        self.assertIn("does not say its version", self.deploys(1, "mute"))
        # The program's own check refuses it, and so nothing of it has run.
        self.environment(DRAIN_SECONDS="often")
        self.assertIn("`check` of new finds something wrong", self.deploys(1, "new"))
        self.environment(APP_ENV="production", DATABASE_URL="")
        printed = self.deploys(1, "new")
        self.assertIn("  | unsafe: DATABASE_URL", printed)
        self.assertNotIn("REQUEST_SECONDS", printed)
        self.environment()
        self.expect_untouched(self.old)

    def test_a_schema_that_the_running_release_cannot_go_on_with_is_refused(self):
        log = site.release(
            "far",
            f'echo "$1 $2" >>"$LOG"; if [ "$2" = status ]; then echo \'{{"migrations":[{{"name":"m1","applied":true,"oldest_binary":"99.0.0"}},'
            f'{{"name":"m2","applied":false,"oldest_binary":"{site.new_version}"}}],"too_new":null}}\'; exit 1; fi',
        )
        self.assertIn(f"m2 needs {site.new_version} or newer, and {site.old_version} runs", self.deploys(1, "far"))
        self.assertNotIn("migrate up", log.read_text(encoding="utf-8"))
        self.expect_untouched(self.old)
        # With downtime it can be deployed, since nobody runs who could not go on.
        self.deploys(0, "stop")
        self.assertEqual(self.place.running(), [])
        self.assertIn("0 of 2 replica(s) run", self.deploys(1, "far"))
        self.deploys(0, "far", "--even-if-unhealthy")
        self.expect(self.new, "far", "old")

    def test_replicas_that_are_not_well_are_replaced_only_if_asked(self):
        site.sql("REVOKE UPDATE ON event.job_lease FROM app@'%'")
        self.addCleanup(site.sql, "GRANT UPDATE ON event.job_lease TO app@'%'")
        self.assertIn("what runs now is not well", self.deploys(1, "new"))
        self.expect_untouched(["503"] * REPLICAS)
        # The rights come with the migration.
        self.deploys(0, "new", "--even-if-unhealthy")
        self.expect(self.new, "new", "old")

    def test_a_port_where_somebody_else_listens_is_refused(self):
        log = site.release("logged", 'echo "$1 $2" >>"$LOG"')
        for port in (site.ports[REPLICAS], site.metrics_ports[REPLICAS]):
            with socket.create_server(("127.0.0.1", port)):
                self.assertIn(f"127.0.0.1:{port} whom this has not started", self.deploys(1, "logged"))
        self.assertNotIn("migrate up", log.read_text(encoding="utf-8"))
        self.expect_untouched(self.old)

    def test_a_full_disk_is_refused(self):
        self.place.set(free_megabytes=2**40)
        self.assertIn("MB left", self.deploys(1, "new"))

    def test_the_command_line_and_the_settings_are_understood_or_refused(self):
        self.deploys(2)
        self.deploys(2, "new", "old")
        self.deploys(2, "--even-if-healthy", "new")
        self.deploys(2, "roll-back", "--even-if-unhealthy")
        self.place.set(steady_second=3)
        self.assertIn("there is no setting steady_second", self.deploys(2, "new"))

    def test_one_deploy_at_a_time(self):
        with open(self.place.state / "lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertIn("another deploy is running", self.deploys(1, "new"))
            self.assertIn("another deploy is running", self.deploys(1, "roll-back"))
        self.expect_untouched(self.old)
        # The same with two real ones: the first stands in its migration until this test lets it go.
        gate = self.place.folder / "gate"
        os.mkfifo(gate)
        site.release("slow", f'[ "$2" != up ] || cat {gate}')
        first = self.place.begin("slow")
        with first:
            wait_for("the migration", lambda: self.place.journal()["under_way"])
            self.assertIn(f"another deploy is running (process {first.pid})", self.deploys(1, "new"))
            gate.write_text("go on\n", encoding="utf-8")
            printed = first.communicate(timeout=60)[0]
        self.assertEqual(first.returncode, 0, printed)
        self.expect(self.new, "slow", "old")


class Failures(Deploys):
    def test_a_release_that_is_never_ready_meets_no_player(self):
        # A real 503: its database user may not write what readiness tries to write.
        site.release("unready", f'[ "$1" != serve ] || export DATABASE_URL={site.database("half")}')
        site.release("ends", '[ "$1" != serve ] || exit 7')
        self.place.set(ready_seconds=2)
        with Load(site) as load:
            self.assertIn("a statement failed", self.deploys(3, "unready"))
            self.expect(self.old, "old", None)
            printed = self.deploys(3, "ends")
        self.assertIn("the rehearsal of ends has ended", printed)
        # The log has the words of the one before too.
        self.assertNotIn("a statement failed", printed)
        self.assertIn("it wrote nothing", printed)
        self.assertEqual(load.failures, [])
        self.expect(self.old, "old", None)

    def test_a_program_that_is_not_what_it_says_is_rolled_back(self):
        site.release("liar", '[ "$1" != --version ] || { echo "xmas-api 9.9.9 (0123456789ab)"; exit; }')
        self.assertIn("9.9.9 0123456789ab is wanted", self.deploys(3, "liar"))
        self.expect(self.old, "old", None)

    def test_a_failed_migration_replaces_nothing(self):
        # A migration is missing, and the owner may not apply it.
        site.sql("DELETE FROM event.seaql_migrations ORDER BY version DESC LIMIT 1")
        migrated = f"INSERT INTO event.seaql_migrations SELECT '{self.last_migration()}', 0"
        self.addCleanup(site.sql, migrated)
        self.place.owner(site.database("reader"))
        log = site.release("migrates", 'echo "$1 $2" >>"$LOG"')
        printed = self.deploys(4, "migrates", "--even-if-unhealthy")
        self.assertIn("no replica was replaced", printed)
        self.assertIn("may not change the schema", printed)
        calls = log.read_text(encoding="utf-8")
        self.assertEqual(calls.count("migrate up"), 1)
        self.assertNotIn("serve", calls)
        self.assertIsNone(self.place.journal()["under_way"])

    def test_a_failed_command_after_the_migration_is_told_as_such(self):
        self.place.set(after_migration=["sh", "-c", "echo no rights; exit 1"])
        printed = self.deploys(4, "new")
        self.assertIn("the command of after_migration has failed; the schema is migrated", printed)
        self.assertIn("no rights", printed)
        self.expect(self.old, "old", None)

    def last_migration(self):
        done = subprocess.run([site.releases / "old/xmas-api", "migrate", "status"], capture_output=True, text=True, check=False,
                              env={"DATABASE_URL": site.database("root"), "DATA_DIR": str(site.folder / "data")})
        return done.stdout.strip().splitlines()[-1].split()[1]


class HalfWay(Deploys):
    # Long enough to be cut off in.
    settings = {"steady_seconds": 0.6}

    def test_a_killed_deploy_is_continued_by_the_same_call_and_by_no_other(self):
        self.kill_half_way("new")
        self.assertIn("`scripts/deploy new` continues it", self.deploys(0, "status"))
        site.release("another", "")
        self.assertIn("was cut off while replacing", self.deploys(1, "another"))
        self.assertIn("Continuing", self.deploys(0, "new"))
        self.expect(self.new, "new", "old")
        self.deploys(0, "roll-back")
        self.expect(self.old, "old", None)

    def test_a_killed_deploy_is_undone_by_roll_back(self):
        self.kill_half_way("new")
        printed = self.deploys(0, "roll-back")
        self.assertIn("Undoing the deploy of new", printed)
        self.assertIn("old runs, as before", printed)
        self.expect(self.old, "old", None)

    def test_an_interrupted_deploy_goes_back(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                printed, code = self.kill_half_way("new", number)
                self.assertEqual(code, 5, printed)
                self.assertIn("old runs, as before", printed)
                self.expect(self.old, "old", None)

    def test_a_deploy_goes_on_when_nobody_reads_what_it_prints(self):
        going = self.place.begin("new")
        with going:
            going.stdout.close()
            self.assertEqual(going.wait(60), 0)
        self.expect(self.new, "new", "old")

    def test_a_deploy_that_was_killed_while_it_rolled_back_goes_back_on(self):
        site.release("brittle", BRITTLE)
        going = self.place.begin("brittle")
        with going:
            wait_for("the way back", lambda: (self.place.journal()["under_way"] or {}).get("stage") == "rolling back")
            going.kill()
            going.communicate()
        self.assertIn("was cut off while rolling back; `scripts/deploy roll-back` ends that", self.deploys(1, "brittle"))
        self.deploys(0, "roll-back")
        self.expect(self.old, "old", None)

    def test_what_cannot_be_brought_back_needs_a_person(self):
        self.kill_half_way("new")
        # Neither release can serve.
        self.environment(user="nobody")
        printed = self.deploys(6, "roll-back")
        self.assertIn("could not be brought back", printed)
        # What serves is left alone, and the journal knows.
        self.assertEqual(self.place.running(), [site.old_version, site.new_version])
        self.assertEqual(self.place.journal()["under_way"]["stage"], "rolling back")
        self.environment()
        self.deploys(0, "roll-back")
        self.expect(self.old, "old", None)


class Restarts(Deploys):
    def test_settings_that_a_replica_cannot_serve_with_replace_nothing(self):
        before = sorted(self.place.pids())
        self.place.set(ready_seconds=2)
        self.environment(user="half")
        self.assertIn("a statement failed", self.deploys(3, "restart"))
        self.assertEqual(sorted(self.place.pids()), before)
        self.expect(self.old, "old", None)
        # Nothing runs, and nothing can.
        self.deploys(0, "stop")
        self.assertIn("does not run as it should", self.deploys(6, "restart"))
        self.environment()
        self.deploys(0, "restart")
        self.expect(self.old, "old", None)

    def test_a_replica_that_is_not_ready_goes_again_and_the_others_run_on(self):
        self.place.set(ready_seconds=2)
        # The last that is started: a rehearsal and the replicas are the deploy's, and the same number the restart's.
        last = 2 * (1 + REPLICAS)
        site.release("late", f'[ "$1" != serve ] || {{ echo >>"$LOG"; [ "$(wc -l <"$LOG")" != {last} ] || export DATABASE_URL={site.database("half")}; }}')
        self.deploys(0, "late")
        self.environment(REQUEST_SECONDS=7)
        self.assertIn("that were not replaced run on", self.deploys(3, "restart"))
        self.assertEqual(self.settings_of_replicas(), [b"7"] * (REPLICAS - 1))
        self.expect(self.new, "late", "old")

    def test_one_that_was_killed_is_made_good_by_the_next(self):
        self.place.set(steady_seconds=0.6)
        going = self.place.begin("restart")
        with going:
            wait_for("one more than usual", lambda: len(self.place.running()) == REPLICAS + 1)
            going.kill()
            going.communicate()
        self.environment(REQUEST_SECONDS=7)
        self.deploys(0, "restart")
        self.assertEqual(self.settings_of_replicas(), [b"7"] * REPLICAS)
        self.expect(self.old, "old", None)

    def test_at_boot_it_starts_what_is_deployed_and_nothing_that_is_unfinished(self):
        self.deploys(0, "stop")
        self.deploys(0, "restart")
        self.expect(self.old, "old", None)
        self.place.set(steady_seconds=0.6)
        self.kill_half_way("new")
        self.end_replicas()
        self.assertIn("`scripts/deploy new` continues it", self.deploys(1, "restart"))
        self.deploys(0, "roll-back")
        self.expect(self.old, "old", None)
        (self.place.state / "journal.json").unlink()
        self.assertIn("nothing is deployed", self.deploys(1, "restart"))


class ByHand(Deploys):
    def test_the_first_deploy_starts_all_replicas_or_leaves_none(self):
        self.end_replicas()
        (self.place.state / "journal.json").unlink()
        site.release("brittle", BRITTLE)
        self.assertIn("nothing runs, as before", self.deploys(3, "brittle"))
        self.expect([], None, None)
        self.deploys(0, "old")
        self.expect(self.old, "old", None)

    def test_going_back_is_refused_where_the_schema_forbids_it(self):
        self.deploys(0, "new")
        site.sql(f"INSERT INTO event.schema_compatibility (migration, oldest_binary) VALUES ('m99990101_000001_of_new', '{site.new_version}')")
        self.addCleanup(site.sql, "DELETE FROM event.schema_compatibility WHERE migration = 'm99990101_000001_of_new'")
        self.assertIn("m99990101_000001_of_new, which needs a newer release", self.deploys(1, "roll-back"))
        self.assertIn("m99990101_000001_of_new, which needs a newer release", self.deploys(1, "old"))
        self.expect(self.new, "new", "old")
        # The new one may go on as it is.
        self.deploys(0, "new")
        self.expect(self.new, "new", "old")

    def test_a_failed_deploy_with_downtime_leaves_the_way_to_a_newer_release(self):
        self.deploys(0, "stop")
        # A release whose migration forbids the one before, and whose program does not start.
        forbid = f"INSERT INTO event.schema_compatibility (migration, oldest_binary) VALUES ('m99990101_000002_of_new', '{site.new_version}')"
        (self.place.folder / "forbid.sql").write_text(forbid, encoding="utf-8")
        self.addCleanup(site.sql, "DELETE FROM event.schema_compatibility WHERE migration = 'm99990101_000002_of_new'")
        client = f"mariadb --no-defaults --socket={site.folder}/mariadb/socket --user=root"
        site.release("stillborn", f'[ "$1" != serve ] || exit 7; [ "$2" != up ] || {client} <{self.place.folder}/forbid.sql')
        printed = self.deploys(6, "stillborn", "--even-if-unhealthy")
        self.assertIn("nothing runs: old cannot go on", printed)
        self.assertIn("m99990101_000002_of_new", printed)
        self.expect([], None, "old")
        self.assertIn("m99990101_000002_of_new", self.deploys(1, "roll-back"))
        self.assertIn("nothing is deployed", self.deploys(1, "restart"))
        # As a restored backup has it.
        site.sql("DELETE FROM event.schema_compatibility WHERE migration = 'm99990101_000002_of_new'")
        self.deploys(0, "roll-back")
        self.expect(self.old, "old", None)
        self.deploys(0, "stop")
        self.deploys(6, "stillborn", "--even-if-unhealthy")
        self.deploys(0, "stop")
        self.deploys(0, "new")
        self.expect(self.new, "new", None)

    def test_replicas_that_are_gone_are_started_again(self):
        os.kill(self.place.pids()[0], signal.SIGKILL)
        wait_for("its end", lambda: len(self.place.running()) == REPLICAS - 1)
        self.assertIn("replica(s) run", self.deploys(1, "old"))
        self.deploys(0, "old", "--even-if-unhealthy")
        self.expect(self.old, "old", None)
        printed = self.deploys(0, "status")
        self.assertEqual(printed.count(f"of old: ready, version {site.old_version}"), REPLICAS, printed)


if __name__ == "__main__":
    unittest.main()
