"""What schemathesis must know of this API beyond its document."""

import schemathesis
from schemathesis import GenerationMode

# What an answer shows and no form can change: accepted only as it is stored, which no generator hits upon.
READ_ONLY = {
    "id", "account_level", "certificate", "closed_at", "created_at", "histogram", "is_blocked", "is_sound", "key",
    "prechecked_at", "role", "schema", "settled_at", "state",
}  # fmt: skip


@schemathesis.hook
def map_body(context, body):
    """Writes whole numbers without a fraction: JSON Schema takes 1.0 for an integer, and the server does not."""
    return whole(body)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leaves out of what shall be accepted what could only be refused, so that the rest is looked at."""
    if case.method == "PUT" and isinstance(case.body, dict) and case.meta.generation.mode is GenerationMode.POSITIVE:
        case.body = {name: value for name, value in case.body.items() if name not in READ_ONLY}


def whole(value):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return value
