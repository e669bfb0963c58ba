"""Runs the program under load with everything of monitoring/ around it, and looks whether the dashboard and the alerts see it.
scripts/watch-under-load calls it."""

import argparse
import contextlib
import http.server
import json
import math
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import dashboards
from load import Load, Refused, get, wait_for

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "monitoring"
# More logins at once are turned away as OVERLOADED, so that there is something of it to see.
MAX_LOGINS = 2
# What Grafana would take for $__rate_interval at a scrape each second is 4 s. The event is read every 15 s only.
RATE_INTERVAL = "40s"

problems = []


def report(what, found):
    print(f"{'FAILED' if found else 'ok':<7}{what}", flush=True)
    for problem in found:
        print(f"       - {problem}", flush=True)
    problems.extend(found)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Processes:
    """Programs that end when this does, and keep their output in a folder."""

    def __init__(self, folder):
        self.folder, self.running = folder, []

    def start(self, name, command, env=None):
        log = open(self.folder / f"{name}.log", "ab")
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env, cwd=self.folder)
        log.close()
        self.running.append((name, process))
        return process

    def stop(self, process):
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.running = [(name, other) for name, other in self.running if other is not process]

    def stop_all(self):
        for _, process in reversed(self.running[:]):
            self.stop(process)

    def say_why(self, name):
        log = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        print(f"The end of the log of {name}:\n{log[-2000:]}", file=sys.stderr)

    def check(self):
        for name, process in self.running:
            if process.poll() is not None:
                self.say_why(name)
                raise RuntimeError(f"{name} has ended with {process.returncode}")


class Api:
    """The program on the demo's data, and Redis."""

    def __init__(self, processes, folder, program, redis):
        self.processes, self.program = processes, program
        self.port, self.metrics_port, redis_port = free_port(), free_port(), free_port()
        processes.start("redis", [redis, "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        keep = ("PATH", "HOME", "LANG", "DATABASE_URL", "DATA_KEY", "JWT_SECRET")
        self.env = {name: os.environ[name] for name in keep if name in os.environ} | {
            "DATA_DIR": str(folder / "data"),
            "BIND_ADDR": f"127.0.0.1:{self.port}",
            "METRICS_ADDR": f"127.0.0.1:{self.metrics_port}",
            "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
            # The longest that is allowed: a debug build on a busy machine is slow.
            "REDIS_TIMEOUT_MILLIS": "50",
            # The last evening of the season: stamps are collected, and how many will be paid is known.
            "XMAS_CLOCK": "2025-12-31T23:05:00+09:00",
            "DRAIN_SECONDS": "0",
            "MAX_LOGINS": str(MAX_LOGINS),
            "PLAYER_WRITES_PER_MINUTE": "0",
            "PLAYER_READS_PER_MINUTE": "0",
            "LOG_FORMAT": "json",
            "RUST_LOG": "warn",
        }
        if "DATABASE_URL" in os.environ:
            self.call("migrate", "up")
            self.call("seed", "demo")
        self.process = None

    def call(self, *arguments):
        done = subprocess.run([self.program, *arguments], env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    def metrics(self):
        return get(f"http://127.0.0.1:{self.metrics_port}/metrics")

    def start(self):
        self.process = self.processes.start("xmas-api", [self.program, "serve"], self.env)

        def is_ready():
            self.processes.check()
            return get(f"{self.origin}/readyz")

        wait_for("the program", 60, is_ready)
        try:
            wait_for("its metrics at METRICS_ADDR", 10, self.metrics)
        except RuntimeError:
            self.processes.say_why("xmas-api")
            raise

    def restart(self):
        self.processes.stop(self.process)
        self.start()


class Server(http.server.ThreadingHTTPServer):
    """Answers in the background until the end. Who hangs up on it is none of its concern."""

    daemon_threads = True

    def __init__(self, handler, context=None):
        super().__init__(("127.0.0.1", 0), handler)
        self.port = self.server_address[1]
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass


class Site:
    """What stands for nginx: TLS with a certificate of its own, and the program's /health behind it."""

    def __init__(self, folder, origin):
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "90",
                "-subj",
                "/CN=localhost",
                "-keyout",
                folder / "key.pem",
                "-out",
                folder / "certificate.pem",
            ],
            check=True,
            capture_output=True,
        )

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                try:
                    status, body = 200, get(origin + self.path).encode()
                except (OSError, Refused):
                    status, body = 502, b"{}"
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
        self.port = Server(Handler, context).port


class Webhooks:
    """Receives notifications. What came to /page and to /ticket is kept apart."""

    def __init__(self):
        received = self.received = {"page": [], "ticket": []}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                received[self.path.strip("/")].extend(body["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.port = Server(Handler).port

    def names(self, path):
        return {alert["labels"]["alertname"] for alert in self.received[path]}


def replaced(path, replacements):
    """The text of a file that is shipped, with what is different on this machine. All of it must be there."""
    text = path.read_text(encoding="utf-8")
    for pattern, value in replacements:
        text, number = re.subn(pattern, lambda _, value=value: value, text)
        if not number:
            raise RuntimeError(f"{path.relative_to(ROOT)} has no {pattern!r}, so this script does not fit it any more")
    return text


class Monitoring:
    """Prometheus, Alertmanager and the exporters, with the files that are shipped."""

    def __init__(self, processes, folder, api, site, webhooks):
        ports = {name: free_port() for name in ("prometheus", "alertmanager", "blackbox", "node", "grafana")}
        self.prometheus = f"http://127.0.0.1:{ports['prometheus']}"
        self.alertmanager = f"http://127.0.0.1:{ports['alertmanager']}"
        self.processes = processes

        textfile = folder / "textfile"
        textfile.mkdir()
        (textfile / "xmas_backup.prom").write_text(
            f"xmas_backup_last_success_timestamp_seconds {time.time() - 3600:.0f}\nxmas_backup_size_bytes 123456\n",
            encoding="utf-8",
        )
        (folder / "site.yml").write_text(
            replaced(MONITORING / "targets/site.yml", [("https://nginx:8443/health", f"https://127.0.0.1:{site.port}/health")]),
            encoding="utf-8",
        )
        config = replaced(
            MONITORING / "prometheus.yml",
            [
                (r"scrape_interval: \w+", "scrape_interval: 1s"),
                (r"scrape_timeout: \w+", "scrape_timeout: 1s"),
                (r"evaluation_interval: \w+", "evaluation_interval: 1s"),
                (r"rules/\*\.yml", f"{MONITORING}/rules/*.yml"),
                (r"targets/site\.yml", f"{folder}/site.yml"),
                # The only part that is not used as it is: there is no name here behind which replicas stand.
                (
                    r"dns_sd_configs:\n +- names: \[api\]\n +type: A\n +port: 9464\n",
                    f"static_configs: [{{targets: ['127.0.0.1:{api.metrics_port}']}}]\n",
                ),
                ("blackbox-exporter:9115", f"127.0.0.1:{ports['blackbox']}"),
                ("node-exporter:9100", f"127.0.0.1:{ports['node']}"),
                ("localhost:9090", f"127.0.0.1:{ports['prometheus']}"),
                ("alertmanager:9093", f"127.0.0.1:{ports['alertmanager']}"),
                # Nothing listens there.
                ("grafana:3000", f"127.0.0.1:{ports['grafana']}"),
            ],
        )
        (folder / "prometheus.yml").write_text(config, encoding="utf-8")

        for name in ("page", "ticket"):
            (folder / f"{name}_url").write_text(f"http://127.0.0.1:{webhooks.port}/{name}", encoding="utf-8")
        _, version = subprocess.getstatusoutput("alertmanager --version")
        match = re.search(r"version (\d+)\.(\d+)", version)
        # Before 0.26 Alertmanager cannot read the URL of a webhook from a file.
        has_files = match and (int(match[1]), int(match[2])) >= (0, 26)
        config = replaced(
            MONITORING / "alertmanager.yml",
            [
                (r"group_wait: \w+", "group_wait: 1s"),
                (r"group_interval: \w+", "group_interval: 1s"),
            ]
            + [
                (
                    rf"url_file: /run/secrets/alert_{name}_url",
                    f"url_file: {folder}/{name}_url" if has_files else f"url: http://127.0.0.1:{webhooks.port}/{name}",
                )
                for name in ("page", "ticket")
            ],
        )
        (folder / "alertmanager.yml").write_text(config, encoding="utf-8")
        # Debian's looks for them in the folder that it runs in (scripts/monitoring/tools).
        for template in Path(shutil.which("alertmanager")).parent.parent.glob("templates/*.tmpl"):
            shutil.copy(template, folder)

        listen = "--web.listen-address=127.0.0.1:{}"
        processes.start(
            "blackbox",
            ["blackbox_exporter", f"--config.file={MONITORING}/blackbox.yml", listen.format(ports["blackbox"])],
        )
        processes.start("node", ["node_exporter", f"--collector.textfile.directory={textfile}", listen.format(ports["node"])])
        processes.start(
            "alertmanager",
            [
                "alertmanager",
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={folder}/alerts",
                "--cluster.listen-address=",
                listen.format(ports["alertmanager"]),
            ],
        )
        processes.start(
            "prometheus",
            [
                "prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/tsdb",
                listen.format(ports["prometheus"]),
            ],
        )
        wait_for("Prometheus", 30, lambda: get(f"{self.prometheus}/-/ready"))
        wait_for("Alertmanager", 30, lambda: get(f"{self.alertmanager}/-/ready"))
        processes.check()

    def ask(self, path, **parameters):
        return json.loads(get(f"{self.prometheus}/api/v1/{path}", **parameters))["data"]

    def number(self, expr):
        """The only value of an expression, or None."""
        result = self.ask("query", query=expr)["result"]
        return float(result[0]["value"][1]) if result else None

    def post_alerts(self, *alerts):
        body = json.dumps([{"labels": labels} for labels in alerts]).encode()
        request = urllib.request.Request(f"{self.alertmanager}/api/v2/alerts", body, {"content-type": "application/json"})
        urllib.request.urlopen(request, timeout=10).read()


def check_targets(monitoring):
    """Everything but Grafana, which is not there, must be scraped."""

    def scraped():
        targets = monitoring.ask("targets", state="active")["activeTargets"]
        down = {target["labels"]["job"]: target["lastError"] for target in targets if target["health"] != "up"}
        return targets if set(down) == {"grafana"} and len(targets) == 7 else None

    try:
        wait_for("every target", 20, scraped)
        report("Prometheus scrapes every target", [])
    except RuntimeError:
        targets = monitoring.ask("targets", state="active")["activeTargets"]
        report(
            "Prometheus scrapes every target",
            [f"{target['labels']['job']}: {target['health']} {target['lastError']}" for target in targets],
        )


def ask_as_grafana(monitoring, query):
    """What is wrong with a query's data, and a line about it: its place, how many series it has, and their newest values."""
    expr, now = query.filled_in({"$__rate_interval": RATE_INTERVAL}), time.time()
    try:
        if query.instant:
            result = monitoring.ask("query", query=expr, time=now)["result"]
            newest = [float(one["value"][1]) for one in result]
        else:
            result = monitoring.ask("query_range", query=expr, start=now - 15, end=now, step=3)["result"]
            newest = [float(one["values"][-1][1]) for one in result]
    except Refused as error:
        return [f"{query.where}: {error}"], (query.where, 0, "")
    labels, found = [one["metric"] for one in result], []
    if not result:
        found.append(f"{query.where}: no data: {expr}")
    if bad := [of for of, value in zip(labels, newest) if not math.isfinite(value)]:
        found.append(f"{query.where}: no number for {bad}: {expr}")
    for label in query.legend_labels():
        if any(label not in of for of in labels):
            found.append(f"{query.where}: the legend names {label}, which the result does not have")
    shown = ", ".join(f"{value:.4g}" for value in newest[:6]) + (", …" if len(newest) > 6 else "")
    return found, (query.where, len(result), shown)


def check_dashboard(monitoring):
    """Every query must have data, all of it numbers, with the labels that its legend shows."""
    found, lines = [], []
    queries = dashboards.queries(dashboards.load(MONITORING / "grafana/dashboards/xmas.json"))
    for query in queries:
        # A single scrape that fails on a busy machine leaves a gap of a second, which is nobody's fault.
        for attempt in (1, 2, 3):
            problems_of_query, line = ask_as_grafana(monitoring, query)
            if not problems_of_query or attempt == 3:
                break
            time.sleep(2)
        found += problems_of_query
        lines.append(line)
    width = max(len(where) for where, _, _ in lines)
    print(f"\n{'query':<{width}}  series  newest values")
    for where, number, shown in lines:
        print(f"{where:<{width}}  {number:>6}  {shown}")
    print()
    report(f"every query of the dashboard has data: {len(queries)}", found)


def check_counts(monitoring, load):
    """What the clients have counted must be what the program has counted."""
    found = []
    duration = "xmas_http_request_duration_seconds_count"
    pairs = []
    for method, route in [
        ("POST", "/api/roulette/play"),
        ("POST", "/api/season-pass/stamp"),
        ("GET", "/api/odds/{feature}"),
        ("POST", "/api/auth/token"),
        ("GET", "unmatched"),
        ("POST", "/admin/api/game-tokens/grant"),
        ("DELETE", "/admin/api/feature-schedule/{date}"),
    ]:
        pairs.append(
            (f"{method} {route}", load.requests(method, route), f'sum({duration}{{method="{method}", route="{route}"}})')
        )
    for method, route, code in [
        ("POST", "/api/season-pass/stamp", "ALREADY_STAMPED_TODAY"),
        ("POST", "/api/dice/play", "AUTH_REQUIRED"),
        ("POST", "/api/auth/token", "TOO_MANY_REQUESTS"),
        ("POST", "/api/auth/token", "OVERLOADED"),
        ("POST", "/admin/api/game-tokens/revoke", "NOT_ENOUGH_TOKENS"),
    ]:
        expr = f'sum(xmas_http_errors_total{{method="{method}", route="{route}", code="{code}"}})'
        pairs.append((f"{code} at {route}", load.requests(method, route, code=code), expr))
    login = "POST", "/api/auth/token"
    pairs.append(
        (
            "logins beyond MAX_LOGINS",
            load.requests(*login, code="OVERLOADED"),
            'sum(xmas_http_rejected_total{reason="logins"})',
        )
    )
    pairs.append(
        (
            "logins that were throttled",
            load.requests(*login, code="TOO_MANY_REQUESTS"),
            'sum(xmas_http_rejected_total{reason="login_throttle"})',
        )
    )
    for what, sent, expr in pairs:
        seen = monitoring.number(expr)
        if not sent:
            found.append(f"{what}: the load has made none")
        elif seen != sent:
            found.append(f"{what}: the clients have counted {sent}, the program {seen}")
    report(f"what the clients counted is what the program counted, in {len(pairs)} ways", found)


def check_event(monitoring, load, before):
    """The figures of the event come from the database: the plays that went through are in it, each once."""

    def differences():
        found = []
        for game in ("roulette", "dice", "lottery"):
            was = before[game]
            now = monitoring.number(f'sum(max by (game, result) (xmas_plays_total{{game="{game.upper()}"}}))')
            sent = load.plays[game]
            if now is None or now - was != sent:
                found.append(f"{game}: {sent} plays went through, and the metric says {(now or 0) - was}")
        return found

    # They are read every 15 seconds.
    with contextlib.suppress(RuntimeError):
        wait_for("the figures", 40, lambda: not differences())
    report("the event's metrics count each play once, repetitions not", differences())


class CountingLoad(Load):
    """Also counts the plays that went through, by their receipts, so that a repeated one is one."""

    def __init__(self, address):
        super().__init__(address)
        self.receipts = {"roulette": set(), "dice": set(), "lottery": set()}

    def client(self):
        client = super().client()
        send = client.send

        def counting(method, path, *args, **kwargs):
            status, answer = send(method, path, *args, **kwargs)
            if status == 200 and "receipt" in answer:
                with self.lock:
                    self.receipts[path.split("/")[2]].add(answer["receipt"]["play_id"])
            return status, answer

        client.send = counting
        return client

    @property
    def plays(self):
        return {game: len(ids) for game, ids in self.receipts.items()}


def check_rules(monitoring):
    """Prometheus must be able to evaluate every alert, and on a system that is well none fires."""
    found, number = [], 0
    for group in monitoring.ask("rules")["groups"]:
        for rule in group["rules"]:
            number += 1
            if rule["health"] != "ok":
                found.append(f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}")
            if rule["state"] == "firing":
                found.append(f"{rule['name']} fires: {[alert['labels'] for alert in rule['alerts']]}")
    report(f"Prometheus evaluates {number} alerts, and none fires", found)


def check_notifications(monitoring, webhooks, api):
    """From a replica that restarts to the webhook; and what Alertmanager holds back."""
    found = []
    for _ in range(3):
        api.restart()
        # Each start must be scraped.
        time.sleep(2.5)
    try:
        wait_for("the ticket of a replica that restarts", 30, lambda: "XmasReplicaRestarts" in webhooks.names("ticket"))
        alert = next(alert for alert in webhooks.received["ticket"] if alert["labels"]["alertname"] == "XmasReplicaRestarts")
        if alert["annotations"]["runbook_url"] != "docs/runbook/alerts.md#xmasreplicarestarts":
            found.append(f"the link to the runbook is {alert['annotations']['runbook_url']!r}")
    except RuntimeError as error:
        found.append(str(error))
    report("a replica that restarts three times is a ticket at the webhook", found)

    found = []
    base = {"instance": "drill"}
    monitoring.post_alerts(
        base | {"alertname": "XmasDatabaseDown", "severity": "page", "area": "database"},
        base | {"alertname": "XmasHighErrorRatio", "severity": "page", "area": "service"},
        base | {"alertname": "XmasDatabasePoolBusy", "severity": "ticket", "area": "database"},
        base | {"alertname": "XmasReviewQueueOld", "severity": "ticket", "area": "event"},
        base | {"alertname": "SomebodyElses"},
    )
    try:
        wait_for(
            "what is not held back",
            20,
            lambda: (
                "XmasDatabaseDown" in webhooks.names("page")
                and {"XmasReviewQueueOld", "SomebodyElses"} <= webhooks.names("ticket")
            ),
        )
    except RuntimeError as error:
        found.append(str(error))
    # Whatever was to come has had its group_wait by now.
    time.sleep(3)
    everywhere = webhooks.names("page") | webhooks.names("ticket")
    found += [
        f"{name} was sent although the database is down"
        for name in ("XmasHighErrorRatio", "XmasDatabasePoolBusy")
        if name in everywhere
    ]
    if "XmasDatabaseDown" in webhooks.names("ticket") or "XmasReviewQueueOld" in webhooks.names("page"):
        found.append("a page came as a ticket, or a ticket as a page")
    report("pages and tickets reach their webhooks, and a database that is down speaks for what follows from it", found)


def main():
    parser = argparse.ArgumentParser(prog="scripts/watch-under-load")
    parser.add_argument("program", help="the binary, such as target/debug/xmas-api")
    parser.add_argument("--seconds", type=int, default=40, help="how long the load lasts (default 40)")
    parser.add_argument(
        "--metrics-to", metavar="FILE", action="append", default=[], help="where to keep what the program answered at /metrics"
    )
    parser.add_argument("--keep", metavar="DIR", help="a folder that keeps the logs")
    args = parser.parse_args()
    program = str(Path(args.program).resolve())
    redis = shutil.which(os.environ.get("REDIS_SERVER") or "redis-server")
    if not redis:
        parser.error("redis-server is missing: the program that REDIS_SERVER names, or the one in the PATH")

    def end(signum, _):
        raise SystemExit(128 + signum)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        if args.keep:
            Path(args.keep).mkdir(parents=True, exist_ok=True)
            stack.callback(lambda: [shutil.copy(log, args.keep) for log in folder.glob("*.log")])
        processes = Processes(folder)
        stack.callback(processes.stop_all)
        api = Api(processes, folder, program, redis)
        api.start()
        webhooks = Webhooks()
        monitoring = Monitoring(processes, folder, api, Site(folder, api.origin), webhooks)
        check_targets(monitoring)
        before = wait_for(
            "the event's metrics",
            40,
            lambda: (
                monitoring.number("max(xmas_observed_timestamp_seconds)")
                and {
                    game: monitoring.number(f'sum(max by (game, result) (xmas_plays_total{{game="{game.upper()}"}}))') or 0
                    for game in ("roulette", "dice", "lottery")
                }
            ),
        )

        load = CountingLoad(("127.0.0.1", api.port))
        stack.callback(load.stop)
        print(f"       the load lasts {args.seconds} s", flush=True)
        load.start()
        deadline = time.monotonic() + args.seconds
        while time.monotonic() < deadline and not load.failures:
            time.sleep(0.5)
            processes.check()
        # Asked while it lasts, as Grafana would.
        for path in args.metrics_to:
            Path(path).write_text(api.metrics(), encoding="utf-8")
        check_dashboard(monitoring)
        load.stop()
        statuses = {}
        for (_, _, status, _), number in load.counted.items():
            statuses[status] = statuses.get(status, 0) + number
        print(f"       sent {sum(statuses.values())} requests: {dict(sorted(statuses.items()))}", flush=True)
        report("no client broke off", load.failures)
        # Two scrapes later Prometheus knows of the last one.
        time.sleep(3)
        check_counts(monitoring, load)
        check_event(monitoring, load, before)
        check_rules(monitoring)
        check_notifications(monitoring, webhooks, api)
        processes.check()
    if problems:
        print(f"scripts/watch-under-load: {len(problems)} problems", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
