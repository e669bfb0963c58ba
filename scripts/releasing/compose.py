"""Replicas that are containers of the service `api` in docker-compose.yml. A release is an image, named as in XMAS_IMAGE.

nginx follows the name `api` in Docker's DNS, which knows every container of the service from its start to its end. A rehearsal is a
container of `docker compose run`, which has no such name."""

import json
import os
import re
import time
from pathlib import Path

from releasing import commands
from releasing.commands import must
from releasing.outcome import Refused
from releasing.replica import Replica

# How long nginx goes on with what it knows of a name: `valid` and `resolver_timeout` in nginx/upstream-resolve.conf.
RESOLVED_SECONDS = 4


class Compose:
    def __init__(self, root):
        self.root, self.started = root, set()
        done = self.compose("config", "--format", "json")
        if done.returncode != 0:
            raise Refused(f"docker compose does not read docker-compose.yml:\n{commands.said(done)}")
        configured = json.loads(done.stdout)
        self.project = configured["name"]
        self.scale = configured["services"]["api"].get("scale", 1)
        self.rehearsal = f"{self.project}-rehearsal"

    def docker(self, *arguments):
        return commands.run(["docker", *arguments], cwd=self.root)

    def compose(self, *arguments, release=None):
        """A variable of the environment counts for more than one in .env."""
        environment = os.environ | ({"XMAS_IMAGE": release} if release else {})
        return commands.run(["docker", "compose", *arguments], cwd=self.root, env=environment)

    # -- Releases

    def find(self, release):
        """Pulls an image that is not here. Refuses one that is nowhere, or that has been built anew under a name that runs."""
        if self.docker("image", "inspect", release).returncode != 0:
            done = self.docker("pull", "--quiet", release)
            if done.returncode != 0:
                raise Refused(f"the image {release} cannot be pulled:\n{commands.said(done)}")
        image = must(self.docker("image", "inspect", "--format", "{{.Id}}", release))
        for container in self.containers():
            if container["Config"]["Image"] == release and container["Image"] != image:
                raise Refused(f"{release} runs already, and was another image then: give the new one a tag of its own")

    def call(self, release, *arguments, owner=False):
        """Runs the release's program once, as a replica would, or as the owner of the schema."""
        service = "migrate" if owner else "api"
        return self.compose("run", "--rm", "--no-deps", "-T", service, *arguments, release=release)

    def version(self, release):
        return self.docker("run", "--rm", "--network", "none", release, "--version")

    def migrate(self, release):
        """Each step when it is asked for: what has failed if it does, and how it ended."""
        yield "the migration has failed", self.call(release, "migrate", "up", owner=True)
        done = self.compose("run", "--rm", "--no-deps", "-T", "db-grants", release=release)
        yield "db-grants has failed; the schema is migrated", done

    def adopt(self, release):
        """From now on every `docker compose up` means this image."""
        path = self.root / ".env"
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        line = f"XMAS_IMAGE={release}"
        new, found = re.subn(r"^XMAS_IMAGE=.*$", lambda _: line, old, flags=re.MULTILINE)
        if not found:
            new = old + ("\n" if old and not old.endswith("\n") else "") + line + "\n"
        if new != old:
            beside = self.root / ".env.new"
            beside.write_text(new, encoding="utf-8")
            beside.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o600)
            os.replace(beside, path)

    def disk(self):
        return Path(must(self.docker("info", "--format", "{{.DockerRootDir}}")))

    # -- Replicas

    def count(self, running):
        """What was scaled up by hand stays so."""
        return max(self.scale, running)

    def containers(self):
        """What Docker knows of the service's containers, those that have ended too."""
        labels = [f"label=com.docker.compose.{name}" for name in (f"project={self.project}", "service=api")]
        listed = self.docker("ps", "--all", "--quiet", "--no-trunc", *[word for label in labels for word in ("--filter", label)])
        ids = must(listed).split()
        found = json.loads(must(self.docker("inspect", *ids))) if ids else []
        # A command that somebody runs by hand in a container of the service is nobody's replica.
        return [
            one for one in found if one["Config"]["Labels"].get("com.docker.compose.oneoff") != "True" or one["Name"] == f"/{self.rehearsal}"
        ]

    def refuse_strangers(self):
        """Containers have addresses of their own."""

    def replica(self, container):
        networks = container["NetworkSettings"]["Networks"]
        is_rehearsal = container["Name"] == f"/{self.rehearsal}"

        def at(network, port):
            there = networks.get(f"{self.project}_{network}", {})
            return f"{there['IPAddress']}:{port}" if there.get("IPAddress") else ""

        # One that a deploy has hidden, before it was killed, serves nobody.
        is_found = is_rehearsal or "api" in (networks.get(f"{self.project}_web", {}).get("Aliases") or [])
        return Replica(
            container["Id"][:12], container["Config"]["Image"], at("web", 8000) if is_found else "", at("metrics", 9464), is_rehearsal
        )

    def replicas(self):
        return [self.replica(container) for container in self.containers()]

    def is_running(self, replica):
        """Also false if it was started here, has ended, and Docker has started it again."""
        found = [one for one in self.containers() if one["Id"].startswith(replica.id) and one["State"]["Running"]]
        return any(one["RestartCount"] == 0 or one["Id"] not in self.started for one in found)

    def start(self, release):
        before = {container["Id"] for container in self.containers()}
        served = sum(not replica.is_rehearsal for replica in self.replicas())
        scaled = ("--scale", f"api={served + 1}")
        must(self.compose("up", "--detach", "--no-deps", "--no-build", "--no-recreate", *scaled, "api", release=release))
        new = [container for container in self.containers() if container["Id"] not in before]
        if len(new) != 1:
            raise commands.Failed(f"docker compose up has made {len(new)} containers and not one")
        self.started.add(new[0]["Id"])
        return self.replica(new[0])

    def rehearse(self, release):
        must(self.compose("run", "--detach", "--no-deps", "-T", "--name", self.rehearsal, "api", "serve", release=release))
        return next(replica for replica in self.replicas() if replica.is_rehearsal)

    def stop(self, replica):
        """Lets it finish what it has begun, for as long as stop_grace_period says. Gives back whether it did."""
        if replica.is_rehearsal:
            # Nobody has to look away first.
            self.docker("kill", "--signal", "INT", replica.id)
        elif replica.address:
            self.hide(replica)
        must(self.docker("stop", replica.id))
        ended = must(self.docker("inspect", "--format", "{{.State.ExitCode}}", replica.id))
        must(self.docker("rm", replica.id))
        return ended != "137"

    def hide(self, replica):
        """Takes the replica's name away while it still serves, and waits until nginx has noticed.

        Docker's DNS forgets a container when it has ended and its address answers nobody any more. nginx would send requests there for two
        seconds more, and could not send them on: it has other addresses by the time it gives up waiting. The same address without the
        name comes back within a moment, and connections outlast that."""
        network, address = f"{self.project}_web", replica.address.split(":")[0]
        must(self.docker("network", "disconnect", network, replica.id))
        must(self.docker("network", "connect", "--ip", address, network, replica.id))
        time.sleep(RESOLVED_SECONDS)

    def last_words(self, replica):
        return commands.said(self.docker("logs", "--tail", "10", replica.id))
