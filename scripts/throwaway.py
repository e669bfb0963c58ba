"""What whoever starts throwaway servers needs, and ends them again: ports, patience, and the words of what failed."""

import random
import socket
import subprocess
import time


class Broken(Exception):
    """What is needed is not there, or what was started does not come up."""


def is_free(port):
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(number):
    """Below the range from which outgoing connections take theirs, since a port has to stay free while nobody listens there."""
    free = []
    while len(free) < number:
        port = random.SystemRandom().randrange(10000, 24000)
        if is_free(port) and port not in free:
            free.append(port)
    return free


def wait_for(what, is_there, seconds=60):
    end = time.monotonic() + seconds
    while not (found := is_there()):
        if time.monotonic() > end:
            raise Broken(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)
    return found


def output(command, **options):
    """What a program says that ends well."""
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)
    if done.returncode != 0:
        shown = " ".join(str(part) for part in command)[:300]
        raise Broken(f"{shown} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
