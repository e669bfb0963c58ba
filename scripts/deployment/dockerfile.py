"""Reads docker/Dockerfile, and runs its steps in folders where there is no Docker engine.

Each stage has a folder that stands for its root. COPY and WORKDIR work in it; RUN runs the command as it is, by `sh -c` in the folder that
stands for the working directory. That is only the same as in a container for commands that name no absolute path, so others are
refused, as is every instruction and option that this file does not know.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


class Unsupported(Exception):
    """The Dockerfile holds something that cannot be run here."""


class StepFailed(Exception):
    """A command of the Dockerfile has failed."""


@dataclass
class Instruction:
    line: int
    word: str
    text: str


@dataclass
class Stage:
    name: str
    base: str
    instructions: list = field(default_factory=list)


# ---- Reading ---------------------------------------------------------------------------------------------------------------


def instructions(text):
    """The instructions, with continued lines joined and comments left out."""
    found, parts, begun = [], [], 0
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*#", line) or (not parts and not line.strip()):
            continue
        begun = begun or number
        if line.rstrip().endswith("\\"):
            parts.append(line.rstrip()[:-1])
            continue
        parts.append(line)
        word, _, rest = "".join(parts).strip().partition(" ")
        found.append(Instruction(begun, word.upper(), rest.strip()))
        parts, begun = [], 0
    if parts:
        raise Unsupported("the last line ends with a backslash")
    return found


def expand(text, values):
    """What `$NAME`, `${NAME}` and `${NAME:-word}` stand for, in the instructions that know variables."""

    def value(match):
        name = match["plain"] or match["name"]
        found = values.get(name)
        if match["default"] is not None:
            return found or match["default"]
        if found is None:
            raise Unsupported(f"{name} is not set in {text!r}")
        return found

    return re.sub(r"\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\})", value, text)


def assignments(text):
    """`NAME=value NAME="value"` as pairs; ARG may have a name only."""
    return [(name, value if has_value else None) for name, has_value, value in (word.partition("=") for word in shlex.split(text))]


def read(text):
    """The arguments before the first stage, and the stages."""
    arguments, stages = {}, []
    for instruction in instructions(text):
        if instruction.word == "FROM":
            match = re.fullmatch(r"(\S+)(?: AS (\w[\w-]*))?", instruction.text, re.IGNORECASE)
            if not match:
                raise Unsupported(f"line {instruction.line}: FROM {instruction.text}")
            stages.append(Stage(match[2] or str(len(stages)), expand(match[1], arguments)))
        elif stages:
            stages[-1].instructions.append(instruction)
        elif instruction.word == "ARG":
            arguments.update(assignments(instruction.text))
        else:
            raise Unsupported(f"line {instruction.line}: {instruction.word} before the first FROM")
    return arguments, stages


# ---- What a build may see ----------------------------------------------------------------------------------------------------


def ignore_patterns(text):
    """The patterns of a .dockerignore: whether each takes a path back in, and what it matches."""
    patterns = []
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        keeps = line.startswith("!")
        pattern = line.lstrip("!").strip().strip("/")
        regex = ""
        for part in re.findall(r"\*\*/?|\*|\?|[^*?]+", pattern):
            regex += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part)
        # What is true of a folder is true of everything in it.
        patterns.append((keeps, re.compile(regex + "(?:/.*)?")))
    return patterns


def is_ignored(path, patterns):
    ignored = False
    for keeps, regex in patterns:
        if regex.fullmatch(path):
            ignored = not keeps
    return ignored


def context(source, patterns):
    """The files of a folder that a build sees, as paths below it."""
    files = []
    for folder, folders, names in os.walk(source):
        here = Path(folder).relative_to(source)
        # Where nothing can be kept, there is no need to look: most of a work tree is what a build has left behind.
        folders[:] = [name for name in folders if may_hold_kept((here / name).as_posix(), patterns)]
        files += [path for path in ((here / name).as_posix() for name in names) if not is_ignored(path, patterns)]
    return sorted(files)


def may_hold_kept(folder, patterns):
    if not is_ignored(folder, patterns):
        return True
    # A kept path below it begins with the folder: `!.git/HEAD` is below `.git`.
    return any(keeps and regex.pattern.replace("\\", "").startswith(folder + "/") for keeps, regex in patterns)


# ---- Running ---------------------------------------------------------------------------------------------------------------


class Build:
    """One run of all stages, in folders below `folder`."""

    def __init__(self, stages, arguments, source, files, folder):
        self.stages = stages
        self.arguments = arguments
        self.source = Path(source)
        self.files = files
        self.folder = Path(folder)
        self.roots = {}
        # What each RUN has printed, by stage.
        self.output = {}
        self.settings = {}

    def run(self):
        for stage in self.stages:
            self.run_stage(stage)

    def run_stage(self, stage):
        root = self.folder / stage.name
        if stage.base in self.roots:
            shutil.copytree(self.roots[stage.base], root, symlinks=True)
        else:
            root.mkdir(parents=True)
        self.roots[stage.name] = root
        self.output[stage.name] = []
        working = "/"
        values, environment = {}, {}
        settings = self.settings[stage.name] = {}
        for instruction in stage.instructions:
            word, text = instruction.word, instruction.text
            where = f"line {instruction.line}"
            started = time.monotonic()
            if word == "ARG":
                for name, default in assignments(text):
                    values[name] = self.arguments.get(name, default if default is not None else "")
                continue
            if word == "ENV":
                for name, value in assignments(text):
                    values[name] = environment[name] = expand(value, values)
                continue
            if word in ("LABEL", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"):
                settings[word] = text if word in ("HEALTHCHECK", "ENTRYPOINT", "CMD") else expand(text, values)
                continue
            print(f"--- {stage.name}: {word} {text}", flush=True)
            if word == "WORKDIR":
                working = os.path.normpath(os.path.join(working, expand(text, values)))
                self.inside(root, working).mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                self.copy(root, working, expand(text, values), where)
            elif word == "RUN":
                self.execute(stage.name, root, working, text, {**values, **environment}, where)
            else:
                raise Unsupported(f"{where}: {word}")
            if word == "RUN":
                print(f"--- took {time.monotonic() - started:.1f} s", flush=True)

    @staticmethod
    def inside(root, path):
        return root / os.path.normpath("/" + path).lstrip("/")

    def copy(self, root, working, text, where):
        words = shlex.split(text)
        options = [word for word in words if word.startswith("--")]
        *sources, target = [word for word in words if not word.startswith("--")]
        origin = None
        for option in options:
            if not option.startswith("--from="):
                raise Unsupported(f"{where}: COPY {option}")
            origin = self.roots[option.removeprefix("--from=")]
        destination = self.inside(root, os.path.join(working, target))
        into_folder = target.endswith("/") or target in (".", "..") or len(sources) > 1
        for source in sources:
            if origin is None:
                self.copy_from_context(source, destination, into_folder, where)
                continue
            found = self.inside(origin, source)
            if found.is_dir():
                shutil.copytree(found, destination, symlinks=True, dirs_exist_ok=True)
            elif found.is_file():
                place(found, destination / found.name if into_folder else destination)
            else:
                raise StepFailed(f"{where}: there is no {source} to copy")

    def copy_from_context(self, source, destination, into_folder, where):
        source = os.path.normpath(source)
        if source in self.files:
            place(self.source / source, destination / Path(source).name if into_folder else destination)
            return
        below = [path for path in self.files if source == "." or path.startswith(source + "/")]
        if not below:
            raise StepFailed(f"{where}: the context has no {source}; see .dockerignore")
        for path in below:
            place(self.source / path, destination / (path if source == "." else os.path.relpath(path, source)))

    def execute(self, stage, root, working, command, values, where):
        if command.startswith(("[", "<<", "--")):
            raise Unsupported(f"{where}: RUN {command.split()[0]}")
        absolute = re.search(r"(?<![\w.)}*-])/(?!dev/null\b)[\w.]", command)
        if absolute:
            raise Unsupported(f"{where}: the command names an absolute path, which is another one here")
        environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        environment.update(values)
        process = subprocess.Popen(
            ["sh", "-c", command], cwd=self.inside(root, working), env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )
        printed = []
        for line in process.stdout:
            printed.append(line)
            sys.stdout.write(line)
        self.output[stage].append((command, "".join(printed)))
        if process.wait() != 0:
            raise StepFailed(f"{where}: the command ended with {process.returncode}: {command}")


# What would change what a command does, and is not in the container.
NOT_INHERITED = {"CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_TARGET", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "XMAS_COMMIT"}


def place(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)
