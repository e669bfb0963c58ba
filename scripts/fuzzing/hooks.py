"""What schemathesis must know of this API beyond its document."""

import schemathesis


@schemathesis.hook
def map_body(context, body):
    """Writes whole numbers without a fraction: JSON Schema takes 1.0 for an integer, and the server does not."""
    return whole(body)


def whole(value):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return value
