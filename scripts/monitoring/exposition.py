"""Reads what a program answers at /metrics: the text format of Prometheus, or OpenMetrics."""

import re
from collections import defaultdict

SAMPLE = re.compile(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s.*)?$")
LABEL = re.compile(r'\s*([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"\s*,?')
# What the samples of a family are called, by its type.
SUFFIXES = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("", "_sum", "_count"),
}


def labels_of(text):
    """The labels between the braces of a series."""
    found, position = {}, 0
    while text[position:].strip():
        match = LABEL.match(text, position)
        if not match:
            raise ValueError(f"labels that cannot be read: {text!r}")
        found[match[1]] = re.sub(r"\\(.)", lambda c: "\n" if c[1] == "n" else c[1], match[2])
        position = match.end()
    return found


def read(text):
    """Each metric with the values of each of its labels: `{metric: {label: {value, …}}}`. A family without a sample has `None`,
    since nobody knows its labels."""
    metrics, families = {}, {}
    for line in map(str.rstrip, text.splitlines()):
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(None, 3)
            families[name] = kind
        if not line or line.startswith("#"):
            continue
        match = SAMPLE.match(line.split(" # ")[0])
        if not match:
            raise ValueError(f"a line that cannot be read: {line!r}")
        labels = metrics.setdefault(match[1], defaultdict(set))
        for label, value in labels_of(match[2] or "").items():
            labels[label].add(value)
    for name, kind in families.items():
        for suffix in SUFFIXES.get(kind, ("",)):
            # In the older format the name of a counter's family has its suffix already.
            whole = name if suffix and name.endswith(suffix) else name + suffix
            metrics.setdefault(whole, None)
    return metrics
