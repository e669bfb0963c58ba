"""The settings of a deploy: deploy.toml, or what holds without one, which is Compose. The runbook lists them."""

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from releasing.outcome import Misused


@dataclass
class Settings:
    driver: str = "compose"
    # The journal, the lock, and the logs of processes.
    state: str = ".deploy"
    # How long a replica may take until it is ready, and how long it must then stay so.
    ready_seconds: float = 120
    steady_seconds: float = 10
    # What must be free on the disk that releases are kept on.
    free_megabytes: int = 2048
    # ---- Of processes alone
    # A folder with a folder for each release, in which the program is.
    releases: str = ""
    # Where replicas listen, on 127.0.0.1: one more than there are replicas. nginx knows them all.
    ports: list = field(default_factory=list)
    # Their METRICS_ADDR, in the same order.
    metrics_ports: list = field(default_factory=list)
    # Files of NAME=value: of replicas, and of the owner of the schema.
    environment: str = ""
    owner_environment: str = ""
    # What follows each migration: a command that grants the rights of scripts/grants.sql.
    after_migration: list = field(default_factory=list)
    # Longer than DRAIN_SECONDS and REQUEST_SECONDS together.
    stop_seconds: float = 60


def load(path):
    """The settings in a file, or those that hold without one."""
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise Misused(f"{path} cannot be read: {error}") from None
    kinds = {one.name: one.type for one in fields(Settings)}
    for name, value in given.items():
        if name not in kinds:
            raise Misused(f"{path}: there is no setting {name}")
        if not isinstance(value, (int, float) if kinds[name] is float else kinds[name]):
            raise Misused(f"{path}: {name} must be of the type {kinds[name].__name__}")
    settings = Settings(**given)
    if settings.driver not in ("compose", "processes"):
        raise Misused(f"{path}: driver must be compose or processes")
    if settings.driver == "processes":
        for name in ("releases", "environment", "owner_environment"):
            if not getattr(settings, name):
                raise Misused(f"{path}: {name} is missing")
        if len(settings.ports) < 2 or len(set(settings.ports)) != len(settings.ports):
            raise Misused(f"{path}: ports must be different, and one more than there are replicas")
        if settings.metrics_ports and len(settings.metrics_ports) != len(settings.ports):
            raise Misused(f"{path}: metrics_ports must be as many as ports")
    return settings
