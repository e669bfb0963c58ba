"""Tests of what a release is made with, without a place to deploy to: the pure parts of scripts/releasing, scripts/release-notes,
scripts/deploy-over-ssh, and what the runbook says of them."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from dataclasses import fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from releasing import health, outcome, schema, settings
from releasing.compose import RESOLVED_SECONDS, Compose
from releasing.journal import Journal

PAGES = [ROOT / "docs/runbook" / name for name in ("upgrade-and-roll-back.md", "upgrade-and-roll-back.ko.md")]


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **more)


class Schema(unittest.TestCase):
    def status(self, *migrations, too_new=None):
        rows = [{"name": name, "applied": applied, "oldest_binary": oldest} for name, applied, oldest in migrations]
        return json.dumps({"migrations": rows, "too_new": too_new, "attention": []})

    def test_versions_compare_as_numbers(self):
        self.assertGreater(schema.number("0.10.0"), schema.number("0.9.9"))
        self.assertEqual(schema.number("1.2.3-rc.1"), [1, 2, 3])

    def test_a_release_that_is_too_old_for_the_schema_is_refused(self):
        self.assertIn("m9, which needs a newer release", schema.refusal(self.status(too_new="m9")))
        self.assertIsNone(schema.refusal(self.status(("m1", True, "0.2.0"))))

    def test_what_runs_must_be_able_to_go_on_after_the_migration(self):
        status = self.status(("m1", True, "0.3.0"), ("m2", False, "0.2.0"), ("m3", False, "0.2.1"))
        self.assertIn("m3 needs 0.2.1 or newer, and 0.2.0 runs", schema.refusal(status, "0.2.0"))
        self.assertIsNone(schema.refusal(status, "0.2.1"))
        # Nobody runs who could not go on.
        self.assertIsNone(schema.refusal(status, None))

    def test_a_migration_without_an_oldest_binary_cannot_be_judged(self):
        status = json.dumps({"migrations": [{"name": "m1", "applied": False}], "too_new": None})
        with self.assertRaises(LookupError):
            schema.refusal(status, "0.2.0")


class Faults(unittest.TestCase):
    def test_only_answers_with_500_count(self):
        metrics = "\n".join(
            f'xmas_http_errors_total{{method="GET",route="/api/odds/{{feature}}",code="{code}"}} {number}'
            for code, number in (("INTERNAL", 2), ("DB_ERROR", 3), ("DB_SCHEMA_MISMATCH", 5), ("OVERLOADED", 7), ("NOT_READY", 11))
        )
        self.assertEqual(health.count_faults(metrics), 10)
        self.assertEqual(health.count_faults(""), 0)

    def test_they_are_all_that_the_contract_has(self):
        codes = (ROOT / "crates/kernel/src/error_code.rs").read_text(encoding="utf-8").splitlines()
        names = [line.split()[0] for line in codes if line.split()[1:2] == ["500"]]
        self.assertEqual(names, ["Internal", "DbError", "DbSchemaMismatch"])


class Kept(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_journal_is_what_was_written_last(self):
        journal = Journal(self.folder)
        self.assertEqual((journal.current, journal.previous, journal.under_way), (None, None, None))
        journal.begin("a", "b", 3)
        journal.enter("replacing")
        self.assertEqual(Journal(self.folder).under_way, {"from": "a", "to": "b", "stage": "replacing", "replicas": 3})
        journal.finish("b", "a")
        again = Journal(self.folder)
        self.assertEqual((again.current, again.previous, again.under_way), ("b", "a", None))
        (self.folder / "journal.json").write_text('{"current": "b"', encoding="utf-8")
        with self.assertRaises(outcome.NeedsPerson):
            Journal(self.folder)

    def test_settings_that_cannot_be_meant_are_refused(self):
        file = self.folder / "deploy.toml"
        good = 'driver = "processes"\nreleases = "r"\nenvironment = "e"\nowner_environment = "o"\nports = [1, 2]\n'
        file.write_text(good + "steady_seconds = 1\n", encoding="utf-8")
        self.assertEqual(settings.load(file).steady_seconds, 1)
        for wrong in (
            'driver = "pods"', good + "metrics_ports = [3]", good.replace("[1, 2]", "[1]"), good.replace("[1, 2]", "[1, 1]"),
            good.replace('releases = "r"\n', ""), 'steady_seconds = "1"', "colour = 1", "not toml",
        ):
            with self.subTest(wrong), self.assertRaises(outcome.Misused):
                file.write_text(wrong, encoding="utf-8")
                settings.load(file)
        self.assertEqual(settings.load(self.folder / "none").driver, "compose")


class WithCompose(unittest.TestCase):
    """The parts that need no engine. How containers are replaced can only be seen where there is one."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.driver = Compose.__new__(Compose)
        self.driver.root, self.driver.project, self.driver.rehearsal = Path(folder.name), "xmas", "xmas-rehearsal"
        self.env = self.driver.root / ".env"

    def test_the_image_is_written_where_compose_reads_it(self):
        self.driver.adopt("image:1")
        self.assertEqual(self.env.read_text(encoding="utf-8"), "XMAS_IMAGE=image:1\n")
        self.assertEqual(self.env.stat().st_mode & 0o777, 0o600)
        self.env.write_text("#XMAS_IMAGE=xmas-api:local\nXMAS_IMAGE=image:1\nAPP_ENV=production", encoding="utf-8")
        self.env.chmod(0o640)
        self.driver.adopt("image:\\2")
        self.assertEqual(self.env.read_text(encoding="utf-8"), "#XMAS_IMAGE=xmas-api:local\nXMAS_IMAGE=image:\\2\nAPP_ENV=production")
        self.assertEqual(self.env.stat().st_mode & 0o777, 0o640)
        self.env.write_text("APP_ENV=production", encoding="utf-8")
        self.driver.adopt("image:3")
        self.assertEqual(self.env.read_text(encoding="utf-8"), "APP_ENV=production\nXMAS_IMAGE=image:3\n")

    def container(self, name, aliases):
        web = {"IPAddress": "172.30.240.3", "Aliases": aliases}
        networks = {"xmas_web": web, "xmas_metrics": {"IPAddress": "172.30.241.3"}}
        return {"Id": "0123456789abcdef", "Name": name, "Config": {"Image": "image:1"}, "NetworkSettings": {"Networks": networks}}

    def test_a_replica_that_nginx_cannot_find_is_not_ready(self):
        found = self.driver.replica(self.container("/xmas-api-1", ["xmas-api-1", "api"]))
        self.assertEqual((found.id, found.address, found.metrics), ("0123456789ab", "172.30.240.3:8000", "172.30.241.3:9464"))
        hidden = self.driver.replica(self.container("/xmas-api-1", None))
        self.assertEqual(hidden.address, "")
        with self.assertRaises(health.NotReady):
            health.ready(hidden.address)
        rehearsal = self.driver.replica(self.container("/xmas-rehearsal", None))
        self.assertEqual((rehearsal.is_rehearsal, rehearsal.address), (True, "172.30.240.3:8000"))

    def test_what_it_relies_on_is_in_the_files(self):
        compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
        for service in ("api", "migrate", "db-grants"):
            self.assertIn(f"\n  {service}:\n", compose)
        self.assertIn("networks: [web, data, metrics]", compose)
        resolve = (ROOT / "nginx/upstream-resolve.conf").read_text(encoding="utf-8")
        waited = sum(map(int, re.findall(r"(?:valid=|resolver_timeout )(\d+)s", resolve)))
        self.assertEqual(waited, RESOLVED_SECONDS)


class Runbook(unittest.TestCase):
    def test_each_page_has_every_exit_code_and_every_setting(self):
        codes = {0} | {kind.code for kind in outcome.Ending.__subclasses__()}
        self.assertEqual(codes, set(range(7)))
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            for name in [*map(str, sorted(codes)), *(f"`{one.name}`" for one in fields(settings.Settings))]:
                with self.subTest(page=page.name, name=name):
                    self.assertIn(f"\n| {name} |", text)

    def test_both_have_the_same_commands_and_no_dead_link(self):
        blocks = [[part for part in page.read_text(encoding="utf-8").split("```")[1::2]] for page in PAGES]
        self.assertEqual(*blocks)
        for page in PAGES:
            for link in (part.split(")")[0].split("#")[0] for part in page.read_text(encoding="utf-8").split("](")[1:]):
                self.assertTrue(not link or (page.parent / link).exists(), f"{page.name}: {link}")


class ReleaseNotes(unittest.TestCase):
    CHANGELOG = (
        "# Changelog\n\n## [0.3.0] - Unreleased\n\n- Soon.\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- A [page](docs/a.md#b) and a "
        "[form](https://example.com/).\n\n## [0.1.10] - 2026-11-01\n\n## [0.1.1] - 2026-10-01\n\n- The first.\n"
    )

    def notes(self, version):
        with tempfile.NamedTemporaryFile("w", suffix=".md") as file:
            file.write(self.CHANGELOG)
            file.flush()
            return run(ROOT / "scripts/release-notes", version, file.name)

    def test_a_section_is_printed_without_its_heading(self):
        done = self.notes("0.2.0")
        self.assertEqual((done.returncode, done.stdout), (0, "### Added\n\n- A page and a [form](https://example.com/).\n"))
        self.assertEqual(self.notes("0.1.1").stdout, "- The first.\n")

    def test_what_is_no_release_has_no_notes(self):
        for version, why in (("0.3.0", "no date"), ("0.1.10", "is empty"), ("0.1", "0 sections"), ("0.4.0", "0 sections")):
            with self.subTest(version):
                done = self.notes(version)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(why, done.stderr)

    def test_the_changelog_of_this_repository_is_understood(self):
        heading = next(line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line.startswith("## ["))
        done = run(ROOT / "scripts/release-notes", heading.split("[")[1].split("]")[0])
        self.assertEqual(done.returncode, 1 if "Unreleased" in heading else 0, done.stderr)


class OverSsh(unittest.TestCase):
    """`ssh` is a stand-in that does what sshd does: it gives the command to a shell. The repositories and the checkout are real."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.program(self.folder / "bin/ssh", 'printf "%s\\n" "$@" >"$SSH_LOG"\nfor option; do case $option in */key) cat "$option" >"$SSH_LOG.key"; '
                     'stat -c %a "$option" >"$SSH_LOG.mode";; esac; done\nfor command; do :; done\nexec sh -c "$command"')
        self.environment = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "DEPLOY_FOLDER": f"{self.folder}/server", "SSH_LOG": f"{self.folder}/log",
            "DEPLOY_SSH_KEY": "the key", "DEPLOY_KNOWN_HOSTS": "the host", "HOME": str(self.folder),
        }
        origin = self.folder / "origin"
        self.git(self.folder, "init", "--quiet", str(origin))
        for tag in ("v0.1.0", "v0.2.0"):
            self.program(origin / "scripts/deploy", f'echo "{tag} deploys $*"; exit "$(cat "$DEPLOY_FOLDER/code" 2>/dev/null || echo 0)"')
            self.git(origin, "add", ".")
            self.git(origin, "commit", "--quiet", "--message", tag)
            self.git(origin, "tag", tag)
        self.git(self.folder, "clone", "--quiet", str(origin), "server")
        self.git(self.folder / "server", "tag", "--delete", "v0.2.0")
        self.git(self.folder / "server", "checkout", "--quiet", "v0.1.0")

    def program(self, path, script):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def git(self, folder, *arguments):
        who = ("-c", "user.name=test", "-c", "user.email=test@localhost")
        done = run("git", *who, *arguments, cwd=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def deploy(self, *arguments):
        return run(ROOT / "scripts/deploy-over-ssh", *arguments, env=self.environment)

    def checked_out(self):
        return self.git(self.folder / "server", "describe", "--tags")

    def test_the_tag_is_checked_out_and_deployed(self):
        done = self.deploy("deploy@example.com", "v0.2.0", "registry.example/someone/xmas:v0.2.0")
        self.assertEqual((done.returncode, done.stdout), (0, "v0.2.0 deploys registry.example/someone/xmas:v0.2.0\n"), done.stderr)
        self.assertEqual(self.checked_out(), "v0.2.0")
        asked = (self.folder / "log").read_text(encoding="utf-8").splitlines()
        self.assertIn("StrictHostKeyChecking=yes", asked)
        self.assertIn("BatchMode=yes", asked)
        self.assertEqual(asked[asked.index("--") + 1], "deploy@example.com")
        # The key was in a file that only its owner reads, and is gone.
        self.assertEqual((self.folder / "log.key").read_text(encoding="utf-8"), "the key\n")
        self.assertEqual((self.folder / "log.mode").read_text(encoding="utf-8"), "600\n")
        self.assertFalse(Path(next(option for option in asked if option.endswith("/key"))).exists())

    def test_the_exit_code_is_that_of_the_deploy_and_the_checkout_is_that_of_what_runs(self):
        for code, tag in ((1, "v0.1.0"), (3, "v0.1.0"), (4, "v0.1.0"), (6, "v0.2.0")):
            with self.subTest(code):
                (self.folder / "server/code").write_text(str(code), encoding="utf-8")
                self.assertEqual(self.deploy("deploy@example.com", "v0.2.0", "image:v0.2.0").returncode, code)
                self.assertEqual(self.checked_out(), tag)

    def test_what_a_shell_might_understand_is_refused(self):
        for wrong in (
            ("-oProxyCommand=id", "v0.2.0", "image"), ("host", "v0.2.0;id", "image"), ("host", "main", "image"), ("host", "v0.2.0", "a b"),
            ("host", "v0.2.0", "$(id)"), ("host", "v0.2.0", "-image"), ("host", "v0.2.0"),
        ):
            with self.subTest(wrong):
                self.assertEqual(self.deploy(*wrong).returncode, 2)
        self.assertFalse((self.folder / "log").exists())


if __name__ == "__main__":
    unittest.main()
