"""Runs other programs for a deploy."""

import subprocess


class Failed(Exception):
    """A command that had to succeed."""


def run(command, *, cwd=None, env=None, stdin=subprocess.DEVNULL):
    """What a command printed and how it ended. Its session is its own, so that Ctrl-C reaches the deploy alone: a migration that is cut
    off would be worse than one that is waited for."""
    try:
        return subprocess.run(
            command, cwd=cwd, env=env, stdin=stdin, capture_output=True, text=True, errors="replace", check=False, start_new_session=True
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]} cannot be run: {error}")


def must(done):
    """What a command printed that had to succeed."""
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, done.args[:4]))} … has failed:\n{said(done)}")
    return done.stdout.strip()


def said(done, lines=20):
    """The end of what a command printed, for a message."""
    text = (done.stdout + done.stderr).strip() or "it printed nothing"
    return "\n".join(f"  | {line}" for line in text.splitlines()[-lines:])
