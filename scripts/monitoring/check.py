"""Checks everything under monitoring/ as far as that goes without running it. scripts/check-monitoring calls it."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import dashboards
import exposition
import promql

ROOT = Path(__file__).resolve().parents[2]
BASE = "{{ $externalLabels.runbook_base }}"
ERROR_CODES = ROOT / "crates/kernel/src/error_code.rs"
SEVERITIES = {"page", "ticket"}
ANNOTATIONS = {"summary", "summary_ko", "description", "runbook_url"}

# Prometheus puts these on every series that it scrapes.
TARGET_LABELS = {"job", "instance"}
# What others export. scripts/watch-under-load asks the real ones for all that the dashboard shows of them.
OTHERS = {
    "up": set(),
    "ALERTS": {"alertname", "alertstate", "severity", "area"},
    "probe_success": set(),
    "probe_duration_seconds": set(),
    "probe_http_status_code": set(),
    "probe_ssl_earliest_cert_expiry": set(),
    "node_filesystem_avail_bytes": {"device", "fstype", "mountpoint"},
    "node_filesystem_size_bytes": {"device", "fstype", "mountpoint"},
    "node_filesystem_readonly": {"device", "fstype", "mountpoint"},
    "node_textfile_scrape_error": set(),
    "alertmanager_notifications_total": {"integration"},
    "alertmanager_notifications_failed_total": {"integration", "reason"},
    # The backup writes these for the node exporter.
    "xmas_backup_last_success_timestamp_seconds": set(),
    "xmas_backup_size_bytes": set(),
}
# Values that a program shows only once something has happened.
STATUSES = {"1xx", "2xx", "3xx", "4xx", "5xx"}

problems = []


def use(root):
    """Says where everything is; the tests of these checks use a copy."""
    global ROOT, MONITORING, RULES, DASHBOARD, PAGES
    ROOT = root
    MONITORING = root / "monitoring"
    RULES = MONITORING / "rules"
    DASHBOARD = MONITORING / "grafana/dashboards/xmas.json"
    PAGES = [root / "docs/runbook/alerts.md", root / "docs/runbook/alerts.ko.md"]


use(ROOT)


def report(what, found):
    """Says how a check went."""
    print(f"{'FAILED' if found else 'ok':<7}{what}")
    for problem in found:
        print(f"       - {problem}")
    problems.extend(found)


def run(*command):
    """The exit code of a program, and all that it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def run_check(what, *command):
    code, output = run(*command)
    report(what, [f"{' '.join(map(str, command))}: {output.strip()}"] if code else [])


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


class Alert:
    def __init__(self, rule):
        self.name, self.expr = rule["alert"], rule["expr"]
        self.labels, self.annotations = rule.get("labels", {}), rule.get("annotations", {})
        self.read = promql.read(self.expr)


def load_alerts():
    alerts, found = [], []
    for path in sorted(RULES.glob("*.yml")):
        for group in load(path)["groups"]:
            for rule in group["rules"]:
                if "alert" not in rule:
                    found.append(f"{path.name}: {rule.get('record')} is no alert, and recording rules are not checked here")
                    continue
                try:
                    alerts.append(Alert(rule))
                except promql.Unreadable as error:
                    found.append(f"{rule['alert']}: {error}")
    names = [alert.name for alert in alerts]
    found += [f"{name} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    report(f"{len(alerts)} alerts can be read", found)
    return alerts


def check_alerts(alerts):
    found = []
    for alert in alerts:
        if alert.labels.get("severity") not in SEVERITIES:
            found.append(f"{alert.name}: the severity must be one of {sorted(SEVERITIES)}")
        if set(alert.labels) != {"severity", "area"}:
            found.append(f"{alert.name}: the labels must be severity and area")
        if set(alert.annotations) != ANNOTATIONS:
            found.append(f"{alert.name}: the annotations must be {sorted(ANNOTATIONS)}")
        if not re.search("[가-힣]", alert.annotations.get("summary_ko", "")):
            found.append(f"{alert.name}: summary_ko must be Korean")
        wanted = f"{BASE}docs/runbook/alerts.md#{alert.name.lower()}"
        if alert.annotations.get("runbook_url") != wanted:
            found.append(f"{alert.name}: runbook_url must be {wanted}")
        labels = set().union(*(alert_labels(alert, {})))
        for text in alert.annotations.values():
            for label in re.findall(r"\$labels\.(\w+)", text):
                if label not in labels and label not in alert.labels and not alert_uses(alert, label):
                    found.append(f"{alert.name}: an annotation names the label {label}, which the alert cannot have")
    report("every alert has severity, area, annotations and a link to its runbook", found)


def alert_labels(alert, metrics):
    """The labels of each metric of an alert, as far as they are known."""
    yield TARGET_LABELS
    for selector in alert.read.selectors:
        yield OTHERS.get(selector.metric, set())
        yield set(metrics.get(selector.metric) or ())


def alert_uses(alert, label):
    """Whether the expression itself names the label; whether a metric has it is checked with the metrics."""
    return label in alert.read.grouping or any(
        matcher.label == label for selector in alert.read.selectors for matcher in selector.matchers
    )


def anchor(heading):
    """What forges make of a heading to link to it."""
    kept = re.sub(r"[^\w\s-]", "", heading.strip().lower())
    return re.sub(r"\s", "-", kept)


def check_runbook(alerts):
    found = []
    titles = {panel["title"] for panel in dashboards.panels(dashboards.load(DASHBOARD))}
    for page in PAGES:
        if not page.exists():
            found.append(f"{page.relative_to(ROOT)} is missing")
            continue
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        sections = re.split(r"^#{1,6} +(.+)$", text, flags=re.MULTILINE)[1:]
        bodies = {anchor(heading): body for heading, body in zip(sections[::2], sections[1::2])}
        for alert in alerts:
            body = bodies.get(alert.name.lower())
            if body is None:
                found.append(f"{page.name} has no section {alert.name}")
            elif len(body.split()) < 20:
                found.append(f"{page.name}: the section {alert.name} says next to nothing")
            elif not body.strip().startswith(f"**{alert.labels['severity'].capitalize()}.**"):
                found.append(f"{page.name}: the section {alert.name} must begin with its severity, {alert.labels['severity']}")
        names = {alert.name.lower() for alert in alerts}
        found += [f"{page.name}: {name} is no alert" for name in bodies if name.startswith("xmas") and name not in names]
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            found += check_link(page, target, bodies)
        # Panels of the dashboard are in italics.
        named = re.findall(r"(?<![*\w])\*(?![*\s])([^*]+?)\*(?![*\w]|\*)", re.sub(r"`[^`]*`", "", text).replace("**", ""))
        found += [
            f"{page.name}: the dashboard has no panel {' '.join(name.split())!r}"
            for name in named
            if " ".join(name.split()) not in titles
        ]
    report("the runbook explains every alert in both languages, and its links lead somewhere", found)


def check_link(page, target, bodies):
    if re.match(r"[a-z]+:", target):
        return []
    path, _, name = target.partition("#")
    other = page if not path else (page.parent / path).resolve()
    if not other.exists():
        return [f"{page.name}: {target} leads nowhere"]
    if name and other.suffix == ".md":
        if other != page:
            headings = re.findall(r"^#{1,6} +(.+)$", other.read_text(encoding="utf-8"), flags=re.MULTILINE)
            bodies = {anchor(heading) for heading in headings}
        if name not in bodies:
            return [f"{page.name}: {target} leads to no heading"]
    return []


def load_tests():
    tests = []
    for path in sorted((RULES / "tests").glob("*.yml")):
        document = load(path)
        for group in document["tests"]:
            series = []
            for given in group["input_series"]:
                match = re.fullmatch(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})?", given["series"])
                if not match:
                    raise ValueError(f"{path.name}: a series that cannot be read: {given['series']}")
                series.append((match[1], exposition.labels_of(match[2] or "")))
            for test in group["alert_rule_test"]:
                tests.append((path.name, group.get("name", "?"), test["alertname"], test.get("exp_alerts") or [], series))
    return tests


def check_tests(alerts, tests):
    found = []
    names = {alert.name: alert for alert in alerts}
    found += [f"{path}: {name} is no alert" for path, _, name, _, _ in tests if name not in names]
    for alert in alerts:
        mine = [test for test in tests if test[2] == alert.name]
        if not any(fires for _, _, _, fires, _ in mine):
            found.append(f"{alert.name}: no test shows it fire")
        # Without a series of the alert's own, anything would be quiet.
        metrics = {selector.metric for selector in alert.read.selectors}
        if not any(not fires and metrics & {metric for metric, _ in series} for _, _, _, fires, series in mine):
            found.append(f"{alert.name}: no test shows it not fire with its own metrics there")
    report("every alert has a test in which it fires and one in which it does not", found)


def check_alertmanager(alerts):
    path = MONITORING / "alertmanager.yml"
    text = path.read_text(encoding="utf-8")
    _, version = run("amtool", "--version")
    match = re.search(r"version (\d+)\.(\d+)", version)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "alertmanager.yml"
        # Debian 12 has 0.25, which cannot read the URL of a webhook from a file; from 0.26 on Alertmanager can.
        if match and (int(match[1]), int(match[2])) < (0, 26):
            print(f"       (amtool {match[1]}.{match[2]} does not know url_file; it checks the file with url in its place)")
            text = re.sub(r"url_file: .*", "url: http://localhost/", text)
        config.write_text(text, encoding="utf-8")
        run_check("amtool check-config alertmanager.yml", "amtool", "check-config", config)
        found = []
        for severity, receiver in [("page", "page"), ("ticket", "ticket"), ("unknown", "ticket")]:
            code, output = run(
                "amtool",
                "config",
                "routes",
                "test",
                f"--config.file={config}",
                f"--verify.receivers={receiver}",
                "alertname=X",
                f"severity={severity}",
            )
            if code:
                found.append(f"severity={severity} does not reach the receiver {receiver}: {output.strip()}")
        report("alerts of each severity reach their receiver", found)
    found = []
    document = load(path)
    for receiver in document["receivers"]:
        for webhook in receiver.get("webhook_configs", []):
            if "url" in webhook:
                found.append(f"{receiver['name']}: the URL of a webhook is a secret, and belongs into a url_file")
    known = {"alertname": {alert.name for alert in alerts}}
    for label in ("severity", "area"):
        known[label] = {alert.labels.get(label) for alert in alerts}
    for rule in document["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            label, _, value = re.fullmatch(r'(\w+)(=~|!=|=)"(.+)"', matcher).groups()
            found += [
                f"an inhibition speaks of {label}={part}, which no alert has"
                for part in value.split("|")
                if part not in known.get(label, ())
            ]
    report("inhibitions speak of alerts that are there", found)


def check_probes():
    modules = load(MONITORING / "blackbox.yml")["modules"]
    found = [
        f"targets/site.yml names the module {target['labels']['module']}, which blackbox.yml does not have"
        for target in load(MONITORING / "targets/site.yml")
        if target["labels"]["module"] not in modules
    ]
    report("probes name modules that are there", found)


def check_dashboard():
    dashboard = dashboards.load(DASHBOARD)
    found = []
    code, output = run(sys.executable, str(MONITORING / "grafana/dashboard.py"))
    if code or output != DASHBOARD.read_text(encoding="utf-8"):
        found.append(
            "dashboards/xmas.json is not what dashboard.py prints: "
            "monitoring/grafana/dashboard.py > monitoring/grafana/dashboards/xmas.json"
        )
    panels = list(dashboards.panels(dashboard))
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) != len(ids):
        found.append("two panels have the same id")
    taken = {}
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            found.append(f"{panel['title']}: it is too far to the right")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if other := taken.setdefault((x, y), panel["title"]):
                    if other != panel["title"]:
                        found.append(f"{panel['title']}: it lies on {other}")
                        break
        if panel["type"] != "row":
            if not re.search("[가-힣]", panel.get("description", "")):
                found.append(f"{panel['title']}: the description must be in English and Korean")
            if not panel.get("targets"):
                found.append(f"{panel['title']}: it has no query")
    report(f"the dashboard is complete: {len(panels)} panels", found)

    queries = dashboards.queries(dashboard)
    # Grafana's own variables are filled in, and promtool reads each query as if it were a rule.
    rules, found = [], []
    known = []
    for number, query in enumerate(queries):
        try:
            rules.append({"record": f"query_{number}", "expr": query.filled_in()})
            known.append((query, promql.read(query.filled_in())))
        except (ValueError, promql.Unreadable) as error:
            found.append(f"{query.where}: {error}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queries.yml"
        path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
        code, output = run("promtool", "check", "rules", str(path))
        if code:
            where = {f"query_{number}": query.where for number, query in enumerate(queries)}
            found.append(re.sub(r"query_\d+", lambda match: where.get(match[0], match[0]), output.strip()))
    report(f"promtool parses every query of the dashboard: {len(queries)}", found)
    return known


def documented():
    """The metrics of docs/metrics.md and their labels, whose values are not known there. A test of the program keeps that page
    right."""
    metrics = {}
    text = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*)\|", text, flags=re.MULTILINE):
        labels = {label: set() for label in re.findall(r"`(\w+)`", labels)}
        if kind == "histogram":
            metrics |= {f"{name}_bucket": labels | {"le": set()}, f"{name}_sum": labels, f"{name}_count": labels}
        else:
            metrics[name] = labels
    return metrics


def check_documented(metrics):
    pages, found = documented(), []
    found += [f"docs/metrics.md has no {name}" for name in sorted(metrics.keys() - pages.keys())]
    found += [f"docs/metrics.md has {name}, which the program does not show" for name in sorted(pages.keys() - metrics.keys())]
    for name in sorted(metrics.keys() & pages.keys()):
        if metrics[name] is not None and set(metrics[name]) != set(pages[name]):
            found.append(f"docs/metrics.md says that {name} has the labels {sorted(pages[name])}; it has {sorted(metrics[name])}")
    report(f"docs/metrics.md lists what the program shows: {len(metrics)} metrics", found)


def check_names(alerts, queries, tests, metrics, of_whom):
    """Compares every name with what is exported: `metrics` of the program, and `OTHERS`."""
    jobs = {job["job_name"] for job in load(MONITORING / "prometheus.yml")["scrape_configs"]}
    # `NotReady 503 "…";` is NOT_READY on the wire.
    codes = re.findall(r'^ +(\w+) \d{3} "', ERROR_CODES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    codes = {re.sub(r"(?<!^)(?=[A-Z])", "_", code).upper() for code in codes}
    # A second name of /health, which the document leaves out.
    routes = set(json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))["paths"]) | {"/livez"}
    found = []

    def labels_of(metric):
        if metric in OTHERS:
            return OTHERS[metric] | TARGET_LABELS
        if metric in metrics:
            labels = metrics[metric]
            return None if labels is None else set(labels) | TARGET_LABELS
        return set()

    def is_known(metric, where):
        if metric in OTHERS or metric in metrics:
            return True
        near = sorted(name for name in metrics if name.startswith(metric[:12]))
        found.append(f"{where}: nothing exports {metric}" + (f"; there are {', '.join(near)}" if near else ""))
        return False

    def values_of(metric, label):
        if label == "job":
            return jobs
        if label == "code":
            return codes
        if label == "status" and metric.startswith("xmas_http_"):
            return STATUSES
        values = set((metrics.get(metric) or {}).get(label, ()))
        return values | routes if label == "route" else values

    def check_matcher(selector, matcher, where):
        values = values_of(selector.metric, matcher.label)
        if not values or matcher.label == "instance":
            return
        named = matcher.values()
        if named is None:
            pattern = re.compile(matcher.value)
            if not any(pattern.fullmatch(value) for value in values):
                found.append(f"{where}: no {matcher.label} of {selector.metric} is like {matcher.value}")
            return
        found.extend(
            f"{where}: {selector.metric} has no {matcher.label} {value!r}; there are {', '.join(sorted(values)[:20])}"
            for value in named
            if value not in values
        )

    def check_read(read, where):
        everywhere = set()
        is_open = False
        for selector in read.selectors:
            if not is_known(selector.metric, where):
                is_open = True
                continue
            labels = labels_of(selector.metric)
            if labels is None:
                is_open = True
                continue
            everywhere |= labels
            for matcher in selector.matchers:
                if matcher.label not in labels:
                    found.append(f"{where}: {selector.metric} has no label {matcher.label}; it has {', '.join(sorted(labels))}")
                    continue
                check_matcher(selector, matcher, where)
        if not is_open:
            found.extend(
                f"{where}: it groups by {label}, which no metric in it has" for label in sorted(read.grouping - everywhere)
            )
        return None if is_open else everywhere

    for alert in alerts:
        labels = check_read(alert.read, alert.name)
        for text in alert.annotations.values():
            for label in re.findall(r"\$labels\.(\w+)", text):
                if labels is not None and label not in labels | set(alert.labels):
                    found.append(f"{alert.name}: an annotation names the label {label}, which no metric of it has")
    for query, read in queries:
        labels = check_read(read, query.where)
        if labels is not None:
            found.extend(f"{query.where}: the legend names {label}" for label in query.legend_labels() - labels)
    # A test that feeds a series which nobody exports shows nothing.
    for path, name, _, _, series in tests:
        for metric, given in series:
            where = f"{path}: {name}"
            if is_known(metric, where):
                labels = labels_of(metric)
                for label, value in given.items():
                    if labels is not None and label not in labels | {"module"}:
                        found.append(f"{where}: {metric} has no label {label}")
                    elif label in ("reason", "pool", "state", "direction", "game", "job", "code", "route"):
                        check_matcher(promql.Selector(metric, ()), promql.Matcher(label, "=", value), where)
    unknown = sorted(name for name, labels in metrics.items() if labels is None)
    if unknown:
        print(f"       (without a sample, so that their labels are not known: {', '.join(unknown)})")
    report(f"every metric and label in rules, tests and dashboard is one of {of_whom}", list(dict.fromkeys(found)))


def check_all(metrics=None):
    """All that takes a moment. `metrics` is what the program answers at /metrics."""
    run_check("promtool check config prometheus.yml", "promtool", "check", "config", MONITORING / "prometheus.yml")
    run_check("promtool check rules", "promtool", "check", "rules", *sorted(RULES.glob("*.yml")))
    alerts = load_alerts()
    check_alerts(alerts)
    check_runbook(alerts)
    tests = load_tests()
    check_tests(alerts, tests)
    check_alertmanager(alerts)
    check_probes()
    queries = check_dashboard()
    if metrics is None:
        check_names(alerts, queries, tests, documented(), "docs/metrics.md")
    else:
        metrics = exposition.read(metrics)
        check_documented(metrics)
        check_names(alerts, queries, tests, metrics, "the program's")


def main():
    parser = argparse.ArgumentParser(prog="scripts/check-monitoring")
    parser.add_argument("--metrics", metavar="FILE", help="what the running program answers at /metrics")
    args = parser.parse_args()
    check_all(Path(args.metrics).read_text(encoding="utf-8") if args.metrics else None)
    if not args.metrics:
        print(
            "       (the values of labels were not compared with the program's: give --metrics, or run scripts/watch-under-load)"
        )
    run_check("promtool test rules", "promtool", "test", "rules", *sorted((RULES / "tests").glob("*.yml")))
    if problems:
        print(f"scripts/check-monitoring: {len(problems)} problems", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
