"""Finds the queries of a dashboard."""

import json
import re
from dataclasses import dataclass

# What Grafana puts in the place of its variables.
VARIABLES = {"$__rate_interval": "1m", "$instance": ".+"}


@dataclass(frozen=True)
class Query:
    where: str
    expr: str
    legend: str
    # Whether only the newest value is shown.
    instant: bool

    def filled_in(self, variables=None):
        text = self.expr
        for name, value in {**VARIABLES, **(variables or {})}.items():
            text = text.replace(name, value)
        # A dollar that is left is a variable that nobody knows; within quotes it may end a pattern.
        if re.search(r"\$\w|\$\{", text):
            raise ValueError(f"an unknown variable in {text!r}")
        return text

    def legend_labels(self):
        return set(re.findall(r"\{\{\s*(\w+)\s*\}\}", self.legend))


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def panels(dashboard):
    """Every panel, also those in rows that are collapsed."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def queries(dashboard):
    """Every query that Grafana would send: of panels, variables and annotations."""
    found = []
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            where = f"{panel['title']} ({panel['id']}{target['refId']})"
            found.append(Query(where, target["expr"], target.get("legendFormat", ""), target.get("instant", False)))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            # label_values(SELECTOR, LABEL) asks for the labels of what the selector finds.
            match = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            if not match:
                raise ValueError(f"the query of the variable {variable['name']} is not label_values(selector, label)")
            found.append(Query(f"variable {variable['name']}", match[1], "{{" + match[2] + "}}", True))
    for annotation in dashboard["annotations"]["list"]:
        found.append(Query(f"annotation {annotation['name']}", annotation["expr"], annotation.get("textFormat", ""), False))
    return found
