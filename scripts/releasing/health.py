"""What a replica says of itself."""

import http.client
import json
import re

# The server may take three seconds to say that it is not ready.
PATIENCE_SECONDS = 5


class NotReady(Exception):
    """The reason, in a few words."""


def ask(address, path):
    """Status and text of an answer. Raises NotReady if there is none."""
    if not address:
        raise NotReady("it has no address that players are sent to")
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise NotReady(f"{address} does not answer ({error!r})") from None
    finally:
        connection.close()


def ready(address):
    """Version and commit of the replica at an address. Raises NotReady."""
    status, text = ask(address, "/readyz")
    try:
        answer = json.loads(text)
        if status == 200:
            return answer["version"], answer["commit"]
        details = answer["error"]["details"]
        why = "; ".join(f"{check}: {', '.join(problems)}" for check, problems in details.items())
    except (ValueError, LookupError, AttributeError, TypeError):
        why = text[:200]
    raise NotReady(f"{address}/readyz answers {status} ({why})")


def faults(address):
    """How many requests a replica has answered with a 500, by its metrics; 0 where these are not known or do not answer. Other 5xx say
    that it is busy or about to stop, which is no fault of a release."""
    if not address:
        return 0
    try:
        status, text = ask(address, "/metrics")
    except NotReady:
        return 0
    return count_faults(text) if status == 200 else 0


def count_faults(metrics):
    return sum(map(float, re.findall(r'^xmas_http_errors_total\{.*code="(?:INTERNAL|DB_ERROR|DB_SCHEMA_MISMATCH)".*\} (\S+)$', metrics, re.MULTILINE)))
