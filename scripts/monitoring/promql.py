"""Takes a PromQL expression apart, as far as its names: which metrics it selects by which labels, and by which it groups.

promtool decides whether an expression is right; here it is only read. Whatever is not understood is an error, so that nothing is
passed over."""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*|
    (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|
    (?P<range>\[[^\]]*\])|
    (?P<duration>(?:\d+(?:ms|[smhdwy]))+)(?![\w.])|
    (?P<number>0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|
    (?P<name>[A-Za-z_:][\w:]*)|
    (?P<op>=~|!~|==|!=|<=|>=|[-+*/%^<>=(){},:@])
    )""",
    re.VERBOSE,
)
# Words that are followed by a list of labels in parentheses.
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
# Words that are no metric although no parenthesis follows.
WORDS = {"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan", "start", "end"}


class Unreadable(Exception):
    pass


@dataclass(frozen=True)
class Matcher:
    label: str
    op: str
    value: str

    def values(self):
        """The texts that it names, or None if it is a pattern that names none one by one."""
        if self.op in ("=", "!="):
            return [self.value]
        match = re.fullmatch(r"([^()|]*)\(([^()]*)\)([^()|]*)", self.value)
        if match:
            before, middle, after = match.groups()
            values = [before + part + after for part in middle.split("|")]
        else:
            values = self.value.split("|")
        # A name may have a hyphen, a dot or a slash; anything else is a pattern.
        return values if all(re.fullmatch(r"[\w/ :-]+", value) for value in values) else None


@dataclass(frozen=True)
class Selector:
    metric: str
    matchers: tuple


@dataclass(frozen=True)
class Read:
    selectors: tuple
    grouping: frozenset


def tokens(text):
    position, found = 0, []
    while text[position:].strip():
        match = TOKEN.match(text, position)
        if not match or match.end() == position:
            raise Unreadable(f"not understood from here on: {text[position:][:40]!r}")
        position = match.end()
        if match.lastgroup:
            found.append((match.lastgroup, match[match.lastgroup]))
    return found


def unquote(text):
    if text[0] == "`":
        return text[1:-1]
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def read(text):
    """The selectors of an expression, and every label that it groups or joins by."""
    rest = tokens(text)
    selectors, grouping = [], set()

    def take(*kinds):
        if not rest or rest[0][0] not in kinds:
            raise Unreadable(f"{rest[0][1] if rest else 'the end'} in {text!r}")
        return rest.pop(0)[1]

    def following(what):
        return bool(rest) and rest[0] == ("op", what)

    def matchers():
        found = []
        while not following("}"):
            found.append(Matcher(take("name"), take("op"), unquote(take("string"))))
            if following(","):
                rest.pop(0)
        rest.pop(0)
        return tuple(found)

    while rest:
        kind, word = rest.pop(0)
        if (kind, word) == ("op", "{"):
            raise Unreadable(f"a selector without a metric in {text!r}")
        if kind != "name":
            continue
        if word.lower() in GROUPING:
            if following("("):
                rest.pop(0)
                while not following(")"):
                    grouping.add(take("name"))
                    if following(","):
                        rest.pop(0)
                rest.pop(0)
        elif following("("):
            continue  # A function or an aggregation.
        elif word.lower() not in WORDS and not (rest and rest[0][1].lower() in ("by", "without")):
            if following("{"):
                rest.pop(0)
                selectors.append(Selector(word, matchers()))
            else:
                selectors.append(Selector(word, ()))
    return Read(tuple(selectors), frozenset(grouping))
