"""Static checks of the deployment, for scripts/check-deployment: docker-compose.yml against .env.example, the documentation, the settings of
the program, and the rules that hold for every container. Prints a line for each problem, and ends with 1 if there is any.

    checks.py COMPOSE SECRETS [PROGRAM]

COMPOSE is docker compose v2 (words separated by spaces). SECRETS is a folder that docker/prepare has filled as root, or `-`. With PROGRAM,
a built xmas-api, its commands and settings are compared with it, instead of with docs/configuration.md alone.
"""

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import dockerfile

PAGES = ("docs/deploy.md", "docs/deploy.ko.md")
# What compose itself reads, beside the variables of the file.
COMPOSE_OWN = {"COMPOSE_PROFILES"}
# What a 4 GB server has left for containers.
MEMORY_MIB = 3700
# The most replicas that the sizes of docker-compose.yml are made for.
REPLICAS = 3
# Between the end of the last request and the end of the process.
STOP_MARGIN_SECONDS = 10
# Runs as root, in order to give files away.
ROOT_SERVICES = {"prepare"}
CAPABILITIES = {"prepare": {"CHOWN", "DAC_OVERRIDE", "FOWNER"}}
LOOPBACK_ONLY = "127.0.0.1"

problems = []


def problem(text):
    problems.append(text)


def text_of(path):
    return Path(path).read_text(encoding="utf-8")


# ---- docker-compose.yml as compose understands it ----------------------------------------------------------------------------


def config(compose, env_file, *options, **variables):
    """The file with everything filled in, or None if compose refuses it."""
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "DOCKER_CONFIG")}
    environment.update(variables)
    run = subprocess.run(
        # Named, so that an operator's override does not count.
        [*compose, "--file", "docker-compose.yml", "--env-file", env_file, *options, "config", "--format", "json"],
        capture_output=True, text=True, env=environment, check=False,
    )
    shown = " ".join([f"{name}={value}" for name, value in variables.items()] + [env_file, *options])
    if run.returncode != 0:
        problem(f"compose refuses the file ({shown}): {run.stderr.strip()}")
        return None
    # Such as a variable that nobody has set.
    for line in run.stderr.splitlines():
        if "level=warning" in line or "WARN" in line:
            problem(f"compose warns ({shown}): {line}")
    return json.loads(run.stdout)


def variables_of(raw):
    """Each variable of the raw file with its default. Compose takes `${NAME:-default}`; other forms are not used."""
    found = {}
    for name, rest in re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", raw):
        if not rest.startswith(":-"):
            problem(f"docker-compose.yml: ${{{name}{rest}}} has no default")
            continue
        if found.setdefault(name, rest[2:]) != rest[2:]:
            problem(f"docker-compose.yml: {name} has two defaults, {found[name]!r} and {rest[2:]!r}")
    if re.search(r"(?<!\$)\$\w", raw):
        problem("docker-compose.yml: a variable is not written as ${NAME:-default}")
    return found


def example_of(raw):
    """The assignments of .env.example, those that are commented out too."""
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", raw, re.MULTILINE))


# ---- Documentation ----------------------------------------------------------------------------------------------------------


def rows(page):
    """The rows of all tables of a page, by the code in their first cell."""
    found = {}
    for line in text_of(page).splitlines():
        match = re.match(r"\| `([^`]+)` \|(.*)", line)
        if match:
            found.setdefault(match[1], []).append(match[2])
    return found


def check_documented(variables, everything):
    for page in PAGES:
        found = rows(page)
        for name, default in {**variables, **dict.fromkeys(COMPOSE_OWN, "")}.items():
            cells = " ".join(found.get(name, []))
            if not cells:
                problem(f"{page}: the variable {name} has no row in a table")
            elif default and f"`{default}`" not in cells:
                problem(f"{page}: the row of {name} does not have its default `{default}`")
        for image in {service["image"] for service in everything["services"].values()} | set(base_images()):
            if image not in found:
                problem(f"{page}: the image {image} has no row in a table")
        for name, service in everything["services"].items():
            if name not in found:
                problem(f"{page}: the service {name} has no row in a table")
            size = f"{int(service.get('mem_limit', 0)) // 2**20} MiB"
            if service.get("restart") != "no" and size not in " ".join(found.get(name, [])):
                problem(f"{page}: the row of the service {name} does not have its memory, {size}")
            for port in service.get("ports", []):
                address = f"{port.get('host_ip', '')}:{port['published']}"
                if f"`{name}`" not in " ".join(found.get(address, [])):
                    problem(f"{page}: the published port {address} of {name} has no row in a table")
        for kind in ("volumes", "networks"):
            for name in everything[kind]:
                if name not in found:
                    problem(f"{page}: {name}, one of the {kind}, has no row in a table")
        known = set(variables) | COMPOSE_OWN
        for name in found:
            if re.fullmatch(r"(XMAS|BACKUP|COMPOSE)_\w+|FRONTEND_DIR", name) and name not in known:
                problem(f"{page}: the variable {name} is in a table, but not in docker-compose.yml")
        for link in re.findall(r"\]\(([^)#:]+)[)#]", text_of(page)):
            if not (Path(page).parent / link).exists():
                problem(f"{page}: the link to {link} leads nowhere")
    blocks = [re.findall(r"^```.*?^```$", text_of(page), re.MULTILINE | re.DOTALL) for page in PAGES]
    for english, korean in itertools.zip_longest(*blocks):
        if english != korean:
            problem(f"{PAGES[1]} has other commands than {PAGES[0]}: {korean!r} instead of {english!r}")
            break


# ---- Rules for containers ---------------------------------------------------------------------------------------------------


def check_containers(everything):
    services = everything["services"]
    for name, service in services.items():

        def wrong(text, name=name):
            problem(f"the service {name} {text}")

        if not service.get("read_only"):
            wrong("may write to its image's files (read_only)")
        if service.get("cap_drop") != ["ALL"]:
            wrong("keeps capabilities (cap_drop)")
        if set(service.get("cap_add") or ()) - CAPABILITIES.get(name, set()):
            wrong(f"gets capabilities back: {service['cap_add']}")
        if "no-new-privileges:true" not in service.get("security_opt", []):
            wrong("may gain privileges (no-new-privileges)")
        if service.get("privileged") or service.get("pid") or service.get("ipc") or service.get("network_mode") == "host":
            wrong("shares more with the machine than it needs")
        uid = service.get("user", "0").split(":")[0]
        if (uid == "0" or not uid.isdigit()) and name not in ROOT_SERVICES:
            wrong("runs as root, or as a user without a number")
        logging = service.get("logging", {})
        if logging.get("driver") != "json-file" or not {"max-size", "max-file"} <= set(logging.get("options", {})):
            wrong("has logs that grow without end")
        if not service.get("mem_limit"):
            wrong("has no limit of memory")
        if not service.get("pids_limit"):
            wrong("has no limit of processes")
        if any("docker.sock" in volume.get("source", "") for volume in service.get("volumes", [])):
            wrong("gets hold of the Docker engine")
        runs_on = service.get("restart") != "no"
        tested = bool(service.get("healthcheck", {}).get("test"))
        if runs_on and not tested:
            wrong("runs on, and has no health check")
        if not runs_on and tested:
            wrong("ends by itself, and has a health check")
        if runs_on and service.get("restart") != "unless-stopped":
            wrong("is not started again when it has failed")
        for other, condition in service.get("depends_on", {}).items():
            ends = services[other].get("restart") == "no"
            if condition["condition"] != ("service_completed_successfully" if ends else "service_healthy"):
                wrong(f"does not wait until {other} is {'done' if ends else 'healthy'}")
        check_mounts(name, service)
    check_networks(services, everything["networks"])
    total = sum(
        int(service["mem_limit"]) * (REPLICAS if name == "api" else 1)
        for name, service in services.items()
        if service.get("restart") != "no" and service.get("mem_limit")
    ) / 2**20
    if total > MEMORY_MIB:
        problem(f"all services with {REPLICAS} of the api may take {total:.0f} MiB, more than {MEMORY_MIB}")


def check_mounts(name, service):
    here = Path.cwd()
    for volume in service.get("volumes", []):
        if volume["type"] != "bind":
            continue
        source = Path(volume["source"])
        if not source.is_relative_to(here) or source == here / "frontend":
            continue
        if not source.exists():
            problem(f"the service {name} mounts {source.relative_to(here)}, which is not there")
        elif not volume.get("read_only"):
            problem(f"the service {name} may write to {source.relative_to(here)}")
        target = volume["target"]
        if (service.get("entrypoint") or [""])[0] == target and not os.access(source, os.X_OK):
            problem(f"{source.relative_to(here)} is the entry point of {name}, and cannot be executed")


def check_networks(services, networks):
    def networks_of(name):
        return set(services[name].get("networks", {}))

    for hidden in ("db", "redis"):
        if networks_of(hidden) & networks_of("nginx"):
            problem(f"nginx can reach {hidden}")
        for network in networks_of(hidden):
            if not networks[network].get("internal"):
                problem(f"{hidden} is in the network {network}, which leads out")
    for name, service in services.items():
        if name in ("db", "redis", "api", "node-exporter", "frontend") and service.get("ports"):
            problem(f"the service {name} publishes a port")
        for port in service.get("ports", []):
            if name != "nginx" and port.get("host_ip") != LOOPBACK_ONLY:
                problem(f"the service {name} publishes a port to others than this machine")
    subnet = networks["web"]["ipam"]["config"][0]["subnet"]
    if services["api"]["environment"]["TRUSTED_PROXIES"] != subnet:
        problem("TRUSTED_PROXIES of the api is not the network of nginx")


def seconds(text):
    """What compose writes for a time: 1m0s."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(h|m(?!s)|s)", str(text)))


def check_stopping(filled, of):
    api = filled["services"]["api"]
    needed = sum(int(api["environment"][name]) for name in ("DRAIN_SECONDS", "REQUEST_SECONDS")) + STOP_MARGIN_SECONDS
    if seconds(api.get("stop_grace_period", "10s")) < needed:
        problem(f"{of}: XMAS_STOP_GRACE must be at least {needed} s, or requests are cut off when the api stops")


# ---- Secrets ----------------------------------------------------------------------------------------------------------------


def check_no_secrets(everything, example):
    secret = re.compile(r"PASSWORD|SECRET|_KEY|TOKEN|DATABASE_URL|REDIS_URL")
    for name, service in everything["services"].items():
        for variable, value in (service.get("environment") or {}).items():
            if secret.search(variable) and not variable.endswith("_FILE") and value:
                problem(f"the service {name} has a secret in its environment: {variable}")
            if secret.search(variable) and variable.endswith("_FILE") and value and not value.startswith("/run/secrets/"):
                problem(f"{variable} of the service {name} is not a file in /run/secrets")
    for variable, value in example.items():
        if secret.search(variable) and value and variable != "XMAS_SECRETS":
            problem(f".env.example has a value for {variable}")
    for path in ("docker-compose.yml", ".env.example", *PAGES):
        if re.search(r"://[^\s/:@]*:[^\s/@${<…]+@", text_of(path)):
            problem(f"{path} has a URL with a password")


def check_secret_owners(everything, folder):
    """Each file that a service names must be readable to the user that it runs as, and to nobody else."""
    made = {file.name: file.stat() for file in Path(folder).iterdir()}
    for name, stat in made.items():
        if stat.st_mode & 0o077:
            problem(f"docker/prepare makes the secret {name} readable to others: {stat.st_mode & 0o777:o}")
    used = set()
    for name, service in everything["services"].items():
        if name == "prepare":
            continue
        named = set(re.findall(r"/run/secrets/([a-z_]+)", json.dumps(service)))
        for volume in service.get("volumes", []):
            source = Path(volume.get("source", ""))
            if volume["type"] == "bind" and source.parent.name == "docker" and source.is_file():
                named |= {word for word in re.findall(r"\b[a-z_]+\b", text_of(source)) if word in made}
        mounted = any(volume["target"] == "/run/secrets" for volume in service.get("volumes", []))
        if named and not mounted:
            problem(f"the service {name} names {sorted(named)}, and has no /run/secrets")
        if mounted and name != "alertmanager" and not named:
            problem(f"the service {name} has /run/secrets, and names no file in it")
        uid = int(service["user"].split(":")[0])
        for file in named:
            used.add(file)
            if file not in made:
                problem(f"the service {name} names the secret {file}, which docker/prepare does not make")
            elif made[file].st_uid != uid:
                problem(f"the secret {file} belongs to {made[file].st_uid}, and the service {name} runs as {uid}")
    # What only others are made of, and what is for an operator to switch on.
    for file in set(made) - used - {"redis_password", "redis_url"}:
        problem(f"docker/prepare makes the secret {file}, which no service names")


# ---- The program ------------------------------------------------------------------------------------------------------------


def check_settings(everything, program):
    reference = subprocess.run([program, "check", "--reference"], capture_output=True, text=True, check=True).stdout if program else (
        text_of("docs/configuration.md"))
    settings = set(re.findall(r"^\| `([A-Z][A-Z0-9_]*)` \|", reference, re.MULTILINE))
    from_files = set(re.findall(r"`([A-Z0-9_]+)`", reference.split("These may also be read from a file")[1].split(". Such a file")[0]))
    known = settings | {f"{name}_FILE" for name in from_files}
    image = everything["services"]["api"]["image"]
    for name, service in everything["services"].items():
        if service["image"] != image:
            continue
        for variable in service.get("environment") or {}:
            if variable not in known:
                problem(f"the service {name} sets {variable}, which is no setting of xmas-api (docs/configuration.md)")
        if program and service.get("command"):
            asked = [program, *service["command"], "--help"]
            if subprocess.run(asked, capture_output=True, check=False).returncode != 0:
                problem(f"the service {name} runs `xmas-api {' '.join(service['command'])}`, which the program does not understand")
    test = everything["services"]["api"]["healthcheck"]["test"]
    if program and subprocess.run([program, *test[2:], "--help"], capture_output=True, check=False).returncode != 0:
        problem(f"the health check of api runs `xmas-api {' '.join(test[2:])}`, which the program does not understand")


# ---- The image --------------------------------------------------------------------------------------------------------------


def base_images():
    _, stages = dockerfile.read(text_of("docker/Dockerfile"))
    names = {stage.name for stage in stages}
    return [stage.base for stage in stages if stage.base not in names | {"scratch"}]


def check_image(images):
    workspace = tomllib.loads(text_of("Cargo.toml"))["workspace"]["package"]
    _, stages = dockerfile.read(text_of("docker/Dockerfile"))
    arguments = {name: value for stage in stages for i in stage.instructions if i.word == "ARG" for name, value in dockerfile.assignments(i.text)}
    if arguments.get("XMAS_VERSION") != workspace["version"]:
        problem(f"docker/Dockerfile: XMAS_VERSION is {arguments.get('XMAS_VERSION')}, and the version in Cargo.toml {workspace['version']}")
    build, runtime = base_images()[0], stages[-1].base
    compiler = re.search(r"rust:(\d+)\.(\d+)", build)
    if not compiler or [int(part) for part in compiler.groups()] < [int(part) for part in workspace["rust-version"].split(".")]:
        problem(f"docker/Dockerfile builds with {build}, and Cargo.toml wants Rust {workspace['rust-version']}")
    for image in images:
        if ":" not in image or image.endswith(":latest"):
            problem(f"the image {image} is not pinned to a tag")
    release = build.rsplit("-", 1)[-1]
    if release not in runtime:
        problem(f"docker/Dockerfile builds on {build} and runs on {runtime}, which are not of one Debian")
    for instruction in stages[-1].instructions:
        if instruction.word == "RUN":
            problem(f"docker/Dockerfile: line {instruction.line}: a base of the last stage may have no shell")
    user = [i.text for i in stages[-1].instructions if i.word == "USER"]
    if not user or user[-1].startswith(("0", "root")):
        problem("docker/Dockerfile: the image runs as root")
    files = dockerfile.context(".", dockerfile.ignore_patterns(text_of(".dockerignore")))
    for file in files:
        if re.search(r"(^|/)(\.env|api\.env|target/|docs/|secrets?/|.*\.pem$)", file) or file.startswith((".git/objects", ".git/config")):
            problem(f".dockerignore lets {file} into a build")
    check_dependency_layer(files)


def check_dependency_layer(files):
    """What the layer of dependencies is made from must not change with a source, and must with a manifest."""
    with tempfile.TemporaryDirectory() as temp:
        copy = Path(temp) / "copy"
        for file in files:
            dockerfile.place(Path(file), copy / file)

        def manifests(name):
            subprocess.run(["docker/manifests", f"../{name}"], cwd=copy, check=True)
            made = Path(temp) / name
            return {path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*") if path.is_file()}

        before = manifests("before")
        for source in copy.rglob("*.rs"):
            source.write_text("fn changed() {}\n", encoding="utf-8")
        if manifests("sources") != before:
            problem("docker/manifests: the layer of dependencies is built again when a source changes")
        for manifest in [*copy.rglob("Cargo.toml"), copy / "Cargo.lock"]:
            name = manifest.relative_to(copy).as_posix()
            if before.get(name) != manifest.read_bytes():
                problem(f"docker/manifests: {name} does not reach the layer of dependencies")


# ---- All of it --------------------------------------------------------------------------------------------------------------


def main(compose, secrets, program=None):
    compose = compose.split()
    raw = text_of("docker-compose.yml")
    example_text = text_of(".env.example")
    variables, example = variables_of(raw), example_of(example_text)

    for name, default in variables.items():
        if name not in example:
            problem(f".env.example: {name} is missing")
        elif example[name] != default:
            problem(f".env.example: {name} is {example[name]!r} there, and its default {default!r}")
    for name in set(example) - set(variables) - COMPOSE_OWN:
        problem(f".env.example: {name} is in no place of docker-compose.yml")
    if re.search(r"^[A-Z]", example_text, re.MULTILINE):
        problem(".env.example: a copy of it would already change something")

    bare = config(compose, os.devnull)
    config(compose, ".env.example")
    everything = config(compose, os.devnull, "--profile", "*")
    with tempfile.NamedTemporaryFile("w", suffix=".env") as uncommented:
        uncommented.write(re.sub(r"^#(?=[A-Z][A-Z0-9_]*=)", "", example_text, flags=re.MULTILINE))
        uncommented.flush()
        if (all_set := config(compose, uncommented.name, "--profile", "*")) and everything and all_set != everything:
            problem(".env.example: with every line taken in, it is not what holds without it")
    production = config(
        compose, os.devnull, "--profile", "*", APP_ENV="production", XMAS_SEED="event", XMAS_BIND="0.0.0.0", XMAS_SECRETS="/etc/xmas/secrets",
        XMAS_TLS="/etc/xmas/tls", XMAS_BACKUPS="/var/backups/xmas", REDIS_URL_FILE="/run/secrets/redis_url", XMAS_API_REPLICAS="3",
    )
    if Path(".env").exists() and (own := config(compose, ".env")):
        check_stopping(own, ".env")
    if bare and everything and production:
        services = set(bare["services"])
        if services & {"redis", "frontend", "backup", "prometheus", "grafana", "db-admin"}:
            problem("a service without which the demo runs is started without its profile")
        check_stopping(bare, "docker-compose.yml")
        check_containers(everything)
        check_no_secrets(everything, example)
        check_no_secrets(production, example)
        check_settings(production, program)
        check_documented(variables, everything)
        if secrets != "-":
            check_secret_owners(production, secrets)
    check_image(base_images() + [service["image"] for service in (everything or {"services": {}})["services"].values()])

    for text in problems:
        print(text)
    print(f"{len(problems)} problems; {len(variables)} variables, {len(everything['services']) if everything else 0} services.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
