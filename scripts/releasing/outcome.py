"""How a deploy ends. Each ending has an exit code of its own, which docs/runbook/upgrade-and-roll-back.md explains."""


class Ending(Exception):
    """A deploy that did not come to its end; the text is for whoever called it."""

    code = 6


class Refused(Ending):
    """Nothing was touched."""

    code = 1


class Misused(Ending):
    """The command line or the settings cannot be understood."""

    code = 2


class RolledBack(Ending):
    """The release before runs again, or still; the schema stays."""

    code = 3


class MigrationFailed(Ending):
    """No replica was replaced."""

    code = 4


class Interrupted(Ending):
    """Somebody wanted it to stop, and the release before runs."""

    code = 5


class NeedsPerson(Ending):
    """Neither of the two releases runs as it should."""

    code = 6


class Unhealthy(Exception):
    """A replica is not what it should be. Whoever started it decides what follows."""
