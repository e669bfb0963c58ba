"""What stops a restore."""


class Problem(Exception):
    """The restore cannot go on; the text says why, and what to do."""
