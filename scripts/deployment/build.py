"""Runs every step of docker/Dockerfile in a clean copy, as dockerfile.py explains, and tries the binary that comes out.

    build.py FOLDER
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import dockerfile

# What the base of the image has: the C library with its parts, and libgcc.
LIBRARIES = re.compile(r"linux-vdso|ld-linux[\w-]*|libc|libm|libdl|libpthread|librt|libgcc_s")
SECONDS_TO_START = 60


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def check(condition, text):
    if not condition:
        raise SystemExit(f"build.py: {text}")
    print(f"ok: {text}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def check_layers(output, packages):
    """The first build compiles what is not ours, and the second nothing else than ours."""
    builds = [printed for command, printed in output if "cargo build" in command]
    compiled = [set(re.findall(r"^\s*Compiling ([\w-]+) v", printed, re.MULTILINE)) for printed in builds]
    check(len(builds) == 2 and compiled[0] - packages, f"the dependencies are a layer of their own ({len(compiled[0] - packages)} crates)")
    again = sorted(compiled[1] - packages)
    check(not again, f"no dependency is compiled again for our sources{': ' + ', '.join(again) if again else ''}")
    check("xmas-api" in compiled[1], "our sources are compiled, and not the stubs")


def check_binary(program, debug, version, commit):
    printed = run(program, "--version").stdout.strip()
    check(version in printed, f"--version has the version of the image: {printed}")
    check(not commit or commit in printed, f"--version has the commit {commit or 'unknown'}")
    linked = re.findall(r"^\s*(?:/\S*/)?([\w.+-]+?)\.so", run("ldd", program).stdout, re.MULTILINE)
    unknown = [name for name in linked if not LIBRARIES.fullmatch(name)]
    check(linked and not unknown, f"it needs only libraries that its base has{': ' + ', '.join(unknown) if unknown else ''}")

    def sections(file):
        return run("readelf", "--section-headers", "--wide", file).stdout

    def build_id(file):
        found = re.search(r"Build ID: (\w+)", run("readelf", "--notes", "--wide", file).stdout)
        return found and found[1]

    check(" .debug_line " not in sections(program), f"the binary has no line tables ({program.stat().st_size / 2**20:.1f} MiB)")
    check(" .debug_line " in sections(debug), f"the other file has them ({debug.stat().st_size / 2**20:.1f} MiB)")
    check(build_id(program) and build_id(program) == build_id(debug), f"both have the build id {build_id(program)}")


def check_health(program):
    """A server on an embedded database: the health check passes while it runs, and fails when it does not."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ["PATH"], "BIND_ADDR": f"127.0.0.1:{port}", "DATA_DIR": f"{folder}/data", "DRAIN_SECONDS": "0", "RUST_LOG": "warn",
        }

        def healthy(*options):
            return run(program, "healthcheck", *options, env=environment, cwd=folder).returncode

        check(healthy() == 1, "healthcheck fails where nothing runs")
        with subprocess.Popen([program, "serve"], env=environment, cwd=folder, stdout=subprocess.DEVNULL) as server:
            try:
                begun = time.monotonic()
                while healthy() != 0 and time.monotonic() - begun < SECONDS_TO_START:
                    check_running(server)
                    time.sleep(0.5)
                check(healthy() == 0, f"healthcheck passes {time.monotonic() - begun:.1f} s after the start")
                check(healthy("--live") == 0, "healthcheck --live passes")
            finally:
                server.send_signal(signal.SIGTERM)
        check(server.returncode == 0, "the server ends by itself after SIGTERM")
        check(healthy() == 1, "healthcheck fails after the end")


def check_running(server):
    if server.poll() is not None:
        raise SystemExit(f"build.py: the server has ended with {server.returncode}")


def main(folder):
    text = Path("docker/Dockerfile").read_text(encoding="utf-8")
    _, stages = dockerfile.read(text)
    files = dockerfile.context(".", dockerfile.ignore_patterns(Path(".dockerignore").read_text(encoding="utf-8")))
    source = Path(folder) / "context"
    for file in files:
        dockerfile.place(Path(file), source / file)
    size = sum((source / file).stat().st_size for file in files)
    print(f"{len(files)} files, {size / 2**20:.1f} MiB, are what the build sees.")

    build = dockerfile.Build(stages, {}, source, files, Path(folder) / "stages")
    try:
        build.run()
    except (dockerfile.Unsupported, dockerfile.StepFailed) as error:
        raise SystemExit(f"docker/Dockerfile: {error}") from None

    packages = {
        tomllib.loads((source / file).read_text(encoding="utf-8")).get("package", {}).get("name") for file in files if file.endswith("Cargo.toml")
    }
    check_layers(build.output["build"], packages)
    root = build.roots["runtime"]
    inside = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    licences = ["usr/share/licenses/xmas-api/LICENSE-APACHE", "usr/share/licenses/xmas-api/LICENSE-MIT"]
    check(inside == ["usr/local/bin/xmas-api", *licences], f"the image adds {', '.join(inside)}")
    program = root / "usr/local/bin/xmas-api"
    version = tomllib.loads(Path("Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
    commit = run("docker/commit").stdout.strip()
    check_binary(program, build.roots["symbols"] / "xmas-api.debug", version, commit)
    check_health(program)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
