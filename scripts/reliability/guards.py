"""Takes each guard out of a copy of the source, builds that, and expects the suite to find something wrong."""

import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

from reliability.machine import ROOT
from throwaway import Broken

LIST = Path(__file__).with_name("guards.toml")


def guards(wanted):
    found = tomllib.loads(LIST.read_text(encoding="utf-8"))["guard"]
    names = {guard["name"] for guard in found}
    if unknown := {other for guard in found for other in guard.get("with", ())} - names:
        raise Broken(f"there is no guard {' or '.join(sorted(unknown))}")
    chosen = [guard for guard in found if not wanted or any(part in guard["name"] for part in wanted)]
    if not chosen:
        raise Broken(f"no guard has {' or '.join(wanted)} in its name")
    return found, chosen


def check():
    """What is wrong with the list itself: a guard that is not where it says. Needs no build."""
    found, _ = guards([])
    wrong = []
    for guard in found:
        if "sql" in guard:
            continue
        path = ROOT / guard["file"]
        there = path.read_text(encoding="utf-8").count(guard["text"]) if path.exists() else 0
        if there != guard.get("times", 1):
            wrong.append(f"{guard['name']}: {guard['file']} has its text {there} times")
    return wrong


def folder_for(target):
    """Where copies are built: never where the clone itself is. Cargo would take what a copy without a guard has left there for the clone's own."""
    own = (ROOT / "target").resolve()
    target = target.resolve() if target else own / "guards"
    if target == own:
        raise Broken(f"{own} is for the source as it is: name another folder for that without guards")
    return target


class Copy:
    """The source as it is committed, built into a folder of its own that later runs use again."""

    def __init__(self, folder, target):
        self.source, self.target = folder / "source", target
        subprocess.run(["git", "-C", ROOT, "worktree", "add", "--quiet", "--detach", self.source, "HEAD"], check=True)

    def remove(self):
        subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", self.source], check=False)

    def take_out(self, guard):
        path = self.source / guard["file"]
        before = path.read_text(encoding="utf-8")
        if before.count(guard["text"]) != guard.get("times", 1):
            raise Broken(f"{guard['file']} has the text of {guard['name']!r} {before.count(guard['text'])} times")
        path.write_text(before.replace(guard["text"], guard["without"]), encoding="utf-8")

    def restore(self):
        subprocess.run(["git", "-C", self.source, "checkout", "--quiet", "--", "."], check=True)

    def build(self):
        command = ["cargo", "build", "--quiet", "--locked", "--package", "xmas-api", "--target-dir", self.target]
        done = subprocess.run(command, cwd=self.source, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Broken(f"it does not build: {done.stderr[-2000:]}")
        return self.target / "debug" / "xmas-api"


def run_suite(program, together, seed):
    """The exit code of the suite, the kinds of what it found where the first of these guards is looked for, and all that it said."""
    guard = together[0]
    sql = [each["sql"] for each in together if "sql" in each]
    command = [ROOT / "scripts/chaos", program, "--on", guard["on"], "--rounds", str(guard["rounds"]), "--seed", str(seed), "--until", *guard["found"],
               *(["--without", "; ".join(sql)] if sql else []), "--fault", *guard["faults"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as suite:
        try:
            said = suite.communicate()[0]
        finally:
            # It ends its servers itself.
            suite.terminate()
    found = {kind: int(number) for number, kind in re.findall(r"^ {4}= (\d+) × (.+)$", said, re.MULTILINE)}
    return suite.returncode, found, said


def run(settings):
    """The exit code: 0 if every guard was missed."""
    everything, chosen = guards(settings.guard or [])
    by_name = {guard["name"]: guard for guard in everything}
    rows, unnoticed = [], 0
    with tempfile.TemporaryDirectory(prefix="xmas-guards-") as folder:
        copy = Copy(Path(folder), folder_for(settings.target))
        try:
            for guard in chosen:
                copy.restore()
                together = [guard, *(by_name[name] for name in guard.get("with", ()))]
                for each in together:
                    if "sql" not in each:
                        copy.take_out(each)
                code, found, output = run_suite(copy.build(), together, settings.seed)
                noticed = code == 1 and any(kind in found for kind in guard["found"])
                unnoticed += not noticed
                what = ", ".join(f"{number} × {kind}" for kind, number in found.items()) or f"nothing (exit code {code})"
                print(f"{'noticed  ' if noticed else 'UNNOTICED'} {guard['name']}: {what}", flush=True)
                if not noticed:
                    print(output[-3000:], flush=True)
                rows.append(f"| {guard['name']} | {guard['breaks']} | {guard['on']}, {', '.join(guard['faults'])} | {what} |")
        finally:
            copy.remove()
    print("\n| guard | without it | looked for on | found |\n|---|---|---|---|\n" + "\n".join(rows))
    return 1 if unnoticed else 0
