"""Whether a release may run on a schema, and whether the one that runs now may go on when that is migrated. Both are answers of
`xmas-api migrate status --json`."""

import json


def number(version):
    """`1.12.3-rc.1` as numbers, so that versions compare as such. The program compares them in the same way."""
    return [int(part) if part.isdigit() else 0 for part in version.split("-")[0].split(".")]


def missing(status):
    """The migrations that a release knows and the database lacks."""
    return [migration for migration in json.loads(status)["migrations"] if not migration["applied"]]


def refusal(status, running=None):
    """Why a release cannot be deployed, or None. `status` is by its own program, and `running` the version that runs now, if any."""
    if too_new := json.loads(status)["too_new"]:
        return f"the database has the migration {too_new}, which needs a newer release than this one"
    if running is None:
        return None
    for migration in missing(status):
        oldest = migration["oldest_binary"]
        if number(oldest) > number(running):
            return (
                f"the migration {migration['name']} needs {oldest} or newer, and {running} runs: it cannot go on while this is deployed. "
                "Deploy with downtime, as docs/runbook/upgrade-and-roll-back.md says"
            )
    return None
