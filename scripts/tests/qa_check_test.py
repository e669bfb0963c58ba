"""Tests of scripts/qa-check: a deployment that is right in everything, and for each line ways to break it.

    python3 -m unittest discover -s scripts/tests -p '*_test.py'

The deployment is a fake: a TLS server as players see it, plain HTTP beside it, and two replicas from inside. A fault is a
name; whatever is broken looks whether its own is set. A broken item has to fail its own line and no other.
"""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import re
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock
from urllib.parse import parse_qs, urlsplit

PROGRAM = os.path.join(os.path.dirname(__file__), "..", "qa-check")
loader = importlib.machinery.SourceFileLoader("qa_check", PROGRAM)
qa_check = importlib.util.module_from_spec(importlib.util.spec_from_loader("qa_check", loader))
loader.exec_module(qa_check)

SECRETS = ["admin-pass-7f3a", "player-pass-91bc", "eyJhbGciOi.admin-claims.SIGNATUREa", "eyJhbGciOi.player-claims.SIGNATUREp",
           "refresh-admin-claims", "refresh-player-claims"]
ADMIN_TOKEN, PLAYER_TOKEN = SECRETS[2], SECRETS[3]
ACCOUNTS = {"qa-admin": (SECRETS[0], ADMIN_TOKEN), "qa-player": (SECRETS[1], PLAYER_TOKEN)}
ASSETS = ("POINT", "ROULETTE_COIN", "DICE_TOKEN", "LOTTERY_TICKET", "CC_COIN")

PROTECTED = sorted(qa_check.MUST_BE_PROTECTED | {
    "DELETE /admin/api/ranking/{date}", "POST /admin/api/rewards/{id}/approve", "POST /admin/api/event-bridge/close",
    "GET /admin/api/odds/{feature}.csv", "POST /api/activity/record", "GET /api/me/history"})
PUBLIC = ["POST /api/auth/token", "GET /api/ui-copy/ticket0", "GET /health", "GET /api/today-feature"]
SECURITY = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Strict-Transport-Security": "max-age=31536000"}
# What a request that breaks several rules is refused for.
REFUSED = {
    "/admin/api/roulette-config/": ("INVALID_ROULETTE_CONFIG", ["name", "max_daily_spins", "segments", "segments.0.weight",
                                                               "segments.0.reward_type"]),
    "/admin/api/dice-config/": ("INVALID_MAX_DAILY_PLAYS", ["name", "max_daily_plays", "win_reward_type", "draw_reward_value"]),
    "/admin/api/lottery-config/": ("INVALID_LOTTERY_WEIGHT", ["name", "max_daily_plays", "prizes.0.weight", "prizes.0.stock",
                                                             "prizes.0.reward_value", "prizes.1.stock", "prizes.1.reward_type"]),
    f"/admin/api/seasons/{qa_check.NOBODY}/levels": ("VALIDATION_ERROR", ["levels.0.reward_type"]),
    "/admin/api/ranking/1970-01-01": ("VALIDATION_ERROR", ["items.0.rank"]),
    "/admin/api/ui-config/downtime_banner": ("VALIDATION_ERROR", ["value.message"]),
    "/api/season-pass/stamp": ("VALIDATION_ERROR", ["source_feature_type"]),
    "/api/season-pass/claim": ("LEVEL_NOT_FOUND", []),
    "/api/activity/record": ("VALIDATION_ERROR", ["event_id"]),
    "/api/me/history": ("VALIDATION_ERROR", ["limit"]),
}


def kst(seconds_ago=0):
    return (datetime.now(timezone(timedelta(hours=9))) - timedelta(seconds=seconds_ago)).isoformat()


class Fake:
    """The deployment. `fault` is what is broken about it, or None."""

    def __init__(self):
        self.fault, self.calls, self.requests = None, {}, []

    def is_broken(self, fault):
        return self.fault == fault

    def outside(self, request):
        path, query = request.target.path, parse_qs(request.target.query, keep_blank_values=True)
        self.requests.append((request.command, request.path, request.token, request.content))
        headers = self.headers(request)
        status, body = self.answer(request, path, query)
        if "no-such" in path and self.is_broken("errors of another shape"):
            body = {"detail": "Not Found"}
        elif status >= 400 and "error" in body:
            body["error"]["request_id"] = headers["X-Request-Id"]
        return status, headers, body

    def headers(self, request):
        headers = dict(SECURITY, **{"X-Request-Id": request.headers.get("X-Request-Id", "made")})
        if request.target.path.startswith("/api/docs/"):
            headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
            del headers["Cache-Control"]
        name = self.fault[len("no header "):] if (self.fault or "").startswith("no header ") else None
        headers.pop(name, None)
        if self.is_broken("a header twice"):
            headers["x-frame-options"] = "DENY"
        if self.is_broken("a week of HSTS"):
            headers["Strict-Transport-Security"] = "max-age=604800"
        if self.is_broken("the server's version"):
            headers["Server"] = "nginx/1.22.1"
        if self.is_broken("a request id of its own"):
            headers["X-Request-Id"] = "another"
        headers.update(self.cors(request))
        return headers

    def cors(self, request):
        origin = request.headers.get("Origin")
        allowed = {"https://cc-jm.com"}
        if self.is_broken("development"):
            allowed |= {"http://localhost:3000", "http://localhost:5173"}
        if self.is_broken("every origin is allowed") and origin and "localhost" not in origin:
            allowed.add(origin)
        if self.is_broken("the admin app is not allowed"):
            allowed.clear()
        if self.is_broken("errors without CORS") and "no-such-path" in request.path and request.command == "GET":
            allowed.clear()
        if origin not in allowed:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Headers": "authorization, content-type"}

    def answer(self, request, path, query):
        method = request.command
        if method == "OPTIONS":
            return (401, error("AUTH_REQUIRED")) if self.is_broken("a preflight needs a token") else (200, {})
        if path == qa_check.RETIRED:
            status = 200 if self.is_broken("the retired feature answers") else 404 if self.is_broken("retired by 404") else 410
            if not self.is_broken("the counter does not count"):
                key = (method, f"{status // 100}xx")
                self.calls[key] = self.calls.get(key, 0) + 1
            return status, error("FEATURE_RETIRED")
        if path == "/health":
            return (500, {}) if self.is_broken("no health") else (200, {"status": "ok"})
        if path in ("/readyz", "/metrics") and self.is_broken(f"{path} from outside"):
            return self.inside(path, 0)
        if path == "/api/docs/openapi.json":
            return 200, self.document()
        if path in ("/api/docs/", "/api/ui-copy/ticket0"):
            return 200, {}
        if path == "/api/auth/token":
            return self.log_in(request.json())
        return self.protected(request, path, query)

    def document(self):
        paths = {}
        for name in PROTECTED + PUBLIC:
            method, path = name.split(" ")
            operation = {} if name in PUBLIC else {"security": [{"bearer": []}]}
            if name == "GET /api/wallet" and self.is_broken("a path lost its protection"):
                operation = {}
            if method in ("POST", "PUT") and "approve" not in path:
                operation["requestBody"] = {"content": {"text/csv" if "import" in path else "application/json": {}}}
            if not (name == "POST /api/dice/play" and self.is_broken("the document lacks a path")):
                paths.setdefault(path, {})[method.lower()] = operation
        return {"openapi": "3.1.0", "paths": paths}

    def log_in(self, body):
        name, password = body["external_id"], body["password"]
        if name == "demo-admin" and self.is_broken("the demo's passwords"):
            return 200, {"access_token": "eyJhbGciOi.demo-claims.SIGNATURE", "refresh_token": "refresh"}
        if ACCOUNTS.get(name, (None,))[0] != password or (name == "qa-admin" and self.is_broken("the admin is refused")):
            return 401, error("INVALID_CREDENTIALS")
        token = ACCOUNTS[name][1]
        return 200, {"access_token": token, "refresh_token": "refresh-" + token.split(".")[1]}

    def protected(self, request, path, query):
        method, token = request.command, request.token
        template = next((name for name in PROTECTED if fits(name, method, path)), None)
        if path == "/api/wallet" and method == "DELETE":
            return 405, error("METHOD_NOT_ALLOWED")
        known = template or path in REFUSED or path.startswith(("/admin/api/", "/api/auth/")) and "no-such" not in path
        if not known:
            return 404, error("NOT_FOUND")
        accepted = {ADMIN_TOKEN, PLAYER_TOKEN}
        if self.is_broken("signatures are not checked") and path == "/api/wallet" and token:
            accepted.add(token)
        if self.is_broken("a signature is not needed") and (token or "").endswith("."):
            accepted.add(token)
        if token is None and self.is_broken("a path needs no token") and path.endswith("/approve"):
            return 200, {}
        if token is None and self.is_broken("403 in the place of 401"):
            return 403, error("FORBIDDEN_SCOPE")
        if token not in accepted:
            leak = token if self.is_broken("errors show the token") else ""
            return (500, error("BOOM " + leak)) if leak else (401, error("TOKEN_INVALID" if token else "AUTH_REQUIRED"))
        if "qa_check" in query:
            return 422, error("VALIDATION_ERROR", ["qa_check"])
        is_let_in = self.is_broken("a path lets players in") and path.endswith(".csv")
        if path.startswith("/admin/") and token == PLAYER_TOKEN and not is_let_in:
            return 403, error("FORBIDDEN_SCOPE")
        return self.use_case(request, path, query)

    def use_case(self, request, path, query):
        if path == "/api/auth/logout":
            return 204, {}
        if "/game-tokens/" in path and request.command == "POST":
            return self.order(path, query, request.json())
        if path == "/admin/api/seasons/" and request.command == "POST":
            wrong = ("VALIDATION_ERROR", ["start_date"]) if "02-30" in request.content else (
                "INVALID_SEASON_DATES", ["end_date", "season_name"])
            return 422, error(wrong[0], [field for field in wrong[1] if not self.is_broken(f"{field} may be anything")])
        if path in REFUSED and not (request.json() or {}).get("qa_check"):
            code, fields = REFUSED[path]
            if self.is_broken(f"{path} accepts everything"):
                return 200, {}
            return 404 if code == "LEVEL_NOT_FOUND" else 422, error(
                code, [field for field in fields if not self.is_broken(f"{field} may be anything")])
        reads = {"/admin/api/feature-config/": self.features, "/admin/api/dashboard/metrics": self.dashboard,
                 "/admin/api/logs/events": self.events, "/admin/api/rewards/": self.rewards}
        return 200, reads[path](query) if path in reads else {}

    def order(self, path, query, body):
        amount, asset = body.get("amount"), body.get("token_type")
        is_amount = isinstance(amount, int) and not isinstance(amount, bool) and 1 <= amount <= 1_000_000_000
        if not is_amount and not (amount == 0 and self.is_broken("an amount of 0 is accepted")):
            return 422, error("VALIDATION_ERROR", ["amount"])
        if asset not in ASSETS and not (self.is_broken("any asset is accepted") and path.endswith("bulk")):
            return 422, error("VALIDATION_ERROR", ["token_type"])
        return (200, {}) if path.endswith("bulk") else (404, error("USER_NOT_FOUND"))

    def features(self, _):
        found = [{"feature_type": name, "is_enabled": True} for name in sorted(qa_check.FEATURES)]
        return found[1:] if self.is_broken("a feature has no row") else found

    def dashboard(self, _):
        return {"generated_at": kst(335 * 86400 if self.is_broken("the demo's clock") else 2)}

    def events(self, query):
        shift = 335 * 86400 if self.is_broken("the demo's clock") else 0
        rows = [{"id": 40 - n, "event_type": "PLAY", "created_at": kst(shift + n)} for n in range(3)]
        if "external_id" in query:
            rows = [{"id": 41, "event_type": "AUTH_LOGIN", "created_at": kst(shift)}]
            if self.is_broken("logins leave no row"):
                rows = []
            if self.is_broken("the last login is old"):
                rows[0]["created_at"] = kst(86400)
            return {"items": rows}
        return {"items": self.spoilt(rows, "events")[:int(query["limit"][0])]}

    def rewards(self, query):
        assert query["state"] == ["ALL"]
        rows = [{"id": 9 - n, "reward_type": "POINT", "state": "DELIVERED",
                 "created_at": kst(335 * 86400 + 60 if self.is_broken("the demo's clock") else 60)} for n in range(3)]
        return {"items": self.spoilt(rows, "rewards")[:int(query["limit"][0])]}

    def spoilt(self, rows, name):
        if self.is_broken(f"two {name}"):
            return rows[:2]
        if self.is_broken(f"{name} in another order"):
            return rows[::-1]
        if self.is_broken(f"{name} of tomorrow"):
            rows[0]["created_at"] = kst(-86400)
        return rows

    def inside(self, path, replica):
        is_second = replica == 1
        if path == "/readyz":
            checks = {"database": "ok", "schema": "ok", "draining": "no"}
            if self.is_broken("a replica has no database") and is_second:
                checks["database"] = "unreachable"
            if self.is_broken("a replica is draining") and is_second:
                checks["draining"] = "yes"
            if self.is_broken("readiness finds an old schema") and is_second:
                checks["schema"] = "too old"
            is_ready = all(value in ("ok", "no") for value in checks.values())
            return 200 if is_ready else 503, {"status": "ok" if is_ready else "not ready", "checks": checks}
        if self.is_broken("no metrics") and is_second:
            return 500, {}
        return 200, self.metrics(is_second)

    def metrics(self, is_second):
        def value(fault, broken, right):
            return broken if self.is_broken(fault) and is_second else right

        commit = value("another build", "fedcba9876543210", "0123456789abcdef")
        now = time.time()
        lines = [
            "# HELP xmas_build_info The build.",
            f'xmas_build_info{{version="0.2.0",commit="{commit}"}} 1',
            f"process_start_time_seconds {now - 3600:.3f}",
            'xmas_schema_migrations{kind="expected"} 18',
            f'xmas_schema_migrations{{kind="actual"}} {value("a migration is missing", 17, 18)}',
            f"xmas_schema_current {value('the schema is not current', 0, 1)}",
            f"xmas_db_up {value('the database is down', 0, 1)}",
            f"xmas_db_clock_skew_seconds {value('a clock is wrong', -3.5, 0.002)}",
            f"xmas_cache_shared {value('a replica without Redis', 0, 1)}",
            f"xmas_cache_available {value('Redis is away', 0, 1)}",
            f"xmas_observed_timestamp_seconds {now - value('stale gauges', 900, 5):.3f}",
            'xmas_http_request_duration_seconds_count{method="GET",route="/api/wallet",status="2xx"} 12',
            'xmas_http_request_duration_seconds_count{method="HEAD",route="/api/today-feature",status="4xx"} 6',
        ]
        if not self.is_broken("no audit has run"):
            lines += [f"xmas_audit_violations {value('a violation', 3, 0)}", f"xmas_audit_last_run_timestamp_seconds {now - 60}"]
        if self.is_broken("a caller is left") and is_second:
            lines.append('xmas_http_request_duration_seconds_count{method="GET",route="/api/today-feature",status="4xx"} 2')
        if not is_second:
            lines += [f'xmas_http_request_duration_seconds_count{{method="{method}",route="/api/today-feature",status="{status}",'
                      f'note="a \\"quote\\""}} {count}' for (method, status), count in list(self.calls.items())]
        return "\n".join(lines + ["# EOF", ""])


def fits(name, method, path):
    wanted, template = name.split(" ")
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
    return wanted == method and re.fullmatch(pattern, path)


def error(code, fields=()):
    return {"error": {"code": code, "message": "", "details": {field: ["is wrong"] for field in fields}}, "detail": code}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def version_string(self):
        return "fake"

    def json(self):
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    def answer(self):
        self.target = urlsplit(self.path)
        self.content = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.token = (self.headers.get("Authorization") or "").partition("Bearer ")[2] or None
        status, headers, body = self.server.respond(self)
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response_only(status)
        headers = {"Server": "fake", **headers, "Content-Length": str(0 if status == 204 else len(content))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer


def serve(respond, context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    # Whoever has waited too long is gone when the answer comes.
    server.handle_error = lambda *_: None
    server.respond = respond
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()
    return server


def setUpModule():
    global FOLDER, FAKE, SERVERS, CERTIFICATE
    FOLDER = tempfile.TemporaryDirectory()
    CERTIFICATE = os.path.join(FOLDER.name, "certificate.pem")
    key = os.path.join(FOLDER.name, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", CERTIFICATE, "-days", "30", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, key)
    FAKE = Fake()

    def redirect(request):
        if FAKE.is_broken("plain HTTP serves"):
            return 200, {}, {}
        status = 302 if FAKE.is_broken("a redirect for now") else 308
        host = "elsewhere.invalid" if FAKE.is_broken("a redirect elsewhere") else request.headers["Host"].split(":")[0]
        path = request.target.path if FAKE.is_broken("a redirect without the query") else request.path
        return status, {"Location": f"https://{host}{path}"}, {}

    def replica(number):
        return lambda request: (lambda answer: (answer[0], {}, answer[1]))(FAKE.inside(request.target.path, number))

    SERVERS = {"https": serve(FAKE.outside, context), "http": serve(redirect), 0: serve(replica(0)), 1: serve(replica(1))}


def tearDownModule():
    for server in SERVERS.values():
        server.shutdown()
        server.server_close()
    FOLDER.cleanup()


def port(name):
    return SERVERS[name].server_address[1]


class Case(unittest.TestCase):
    maxDiff = None

    def check(self, fault=None, *arguments, base=None, trust=True, **variables):
        """Runs qa-check; its exit code, and what it printed. No secret may be in that."""
        FAKE.fault, FAKE.calls, FAKE.requests = fault, {}, []
        inside = [f"http://127.0.0.1:{port(number)}" for number in (0, 1)]
        environment = {"QA_ADMIN": "qa-admin", "QA_ADMIN_PASSWORD": SECRETS[0], "QA_PLAYER": "qa-player",
                       "QA_PLAYER_PASSWORD": SECRETS[1], "QA_INSIDE_URLS": ",".join(inside),
                       "QA_METRICS_URLS": ", ".join(url + "/metrics" for url in inside), "PATH": os.environ["PATH"]}
        environment.update(variables)
        environment = {name: value for name, value in environment.items() if value is not None}
        command = [base or f"https://localhost:{port('https')}", "--http-url", f"http://localhost:{port('http')}"]
        command += ["--ca-file", CERTIFICATE] if trust else []
        printed, complaint = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ, environment, clear=True), contextlib.redirect_stdout(printed), \
                contextlib.redirect_stderr(complaint):
            try:
                code = qa_check.main(command + list(arguments))
            except SystemExit as end:
                code = end.code
        text = printed.getvalue() + complaint.getvalue()
        for secret in SECRETS:
            self.assertNotIn(secret, text)
        self.printed = printed.getvalue()
        return code, text

    def lines(self, fault=None, *arguments, **named):
        """What became of each line."""
        code, _ = self.check(fault, "--json", *arguments, **named)
        report = json.loads(self.printed)
        self.assertEqual(code, 0 if report["counts"]["fail"] == 0 else 1)
        self.assertEqual(report["passed"], code == 0)
        return {line["line"]: (line["result"], line["detail"]) for line in report["lines"]}

    def fails(self, line, fault=None, *arguments, says="", **named):
        """The fault fails this line, and no other."""
        lines = self.lines(fault, *arguments, **named)
        failed = {name: detail for name, (result, detail) in lines.items() if result == "fail"}
        self.assertEqual(list(failed), [line], f"{fault}: {failed}")
        self.assertIn(says, failed[line])


class Right(Case):
    def test_a_deployment_that_is_right_passes_every_line(self):
        lines = self.lines()
        self.assertEqual(set(lines), {name for name, *_ in qa_check.LINES})
        self.assertEqual({name: line for name, line in lines.items() if line[0] != "pass"}, {})

    def test_it_prints_a_line_for_each_item_and_a_sum(self):
        code, text = self.check()
        rows = text.splitlines()
        self.assertEqual(code, 0)
        self.assertEqual(len(rows), len(qa_check.LINES) + 1)
        self.assertTrue(all(row.startswith("PASS  ") for row in rows[:-1]), text)
        self.assertEqual(rows[-1], f"{len(qa_check.LINES)} passed, 0 failed, 0 skipped")

    def test_a_second_run_is_not_taken_for_a_caller(self):
        self.check()
        calls = dict(FAKE.calls)
        self.assertGreater(sum(calls.values()), 0)
        self.assertEqual({method for method, _ in calls} - set(qa_check.PROBE_METHODS), set())

    def test_the_retired_feature_may_be_gone_altogether(self):
        self.assertEqual(self.lines("retired by 404")["today-feature-closed"][0], "pass")

    def test_without_a_player_two_lines_are_skipped(self):
        lines = self.lines(QA_PLAYER=None, QA_PLAYER_PASSWORD=None)
        skipped = {name for name, (result, _) in lines.items() if result == "skip"}
        self.assertEqual(skipped, {"refuses-player", "rules-player"})

    def test_before_the_opening_logs_may_be_short(self):
        lines = self.lines("two rewards", "--before-opening")
        self.assertEqual(lines["reward-log"][0], "skip")

    def test_an_audit_that_has_not_run_is_said(self):
        self.assertEqual(self.lines("no audit has run")["audit"], ("skip", "no audit has run yet"))

    def test_a_password_may_be_in_a_file(self):
        path = os.path.join(FOLDER.name, "password")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SECRETS[0] + "\n")
        lines = self.lines(QA_ADMIN_PASSWORD=None, QA_ADMIN_PASSWORD_FILE=path)
        self.assertEqual(lines["admin-login"][0], "pass")

    def test_an_untrusted_certificate_can_be_let_pass_and_its_days_still_count(self):
        lines = self.lines(None, "--insecure", trust=False)
        self.assertEqual(lines["tls-certificate"][0], "pass")
        self.assertIn("not verified", lines["tls-certificate"][1])
        self.fails("tls-certificate", None, "--insecure", "--certificate-days", "31", trust=False, says="ends in")

    def test_it_can_be_asked_at_another_address_than_dns_says(self):
        lines = self.lines(None, "--address", "127.0.0.1")
        self.assertEqual(lines["tls-certificate"][0], "pass")

    def test_some_lines_alone(self):
        self.assertEqual(list(self.lines(None, "--only", "health,schema")), ["schema", "health"])


class Harmless(Case):
    """Nothing that is sent could give anybody anything, whatever the server did with it."""

    def test_every_request_that_could_change_something_is_wrong_in_itself(self):
        self.check()
        changing = [request for request in FAKE.requests if request[0] in ("POST", "PUT", "DELETE")]
        self.assertGreater(len(changing), 50)
        for method, path, token, content in changing:
            route = urlsplit(path).path
            if route.startswith("/api/auth/"):
                self.assertIn(route, ("/api/auth/token", "/api/auth/logout"))
                continue
            if route in (qa_check.RETIRED, "/api/wallet") and method == "DELETE":
                continue
            harmless = (
                "qa_check=1" in path  # an unknown parameter
                or '"qa_check"' in content  # an unknown field
                or content == "qa_check\n"  # no table
                or "dry_run=true" in path
                or str(qa_check.NOBODY) in path + content
                or "1970-01-01" in path
                or '"version": "qa-check"' in content
                # Wrong in several ways, and off.
                or ('"is_active": false' in content and '"name": ""' in content)
                or "QA_CHECK" in content
                or '"level": 999999' in content
            )
            self.assertTrue(harmless, (method, path, content))

    def test_it_ends_its_own_sessions(self):
        self.check()
        ended = [(token, content) for _, path, token, content in FAKE.requests if path == "/api/auth/logout"]
        self.assertEqual([token for token, _ in ended], [ADMIN_TOKEN, PLAYER_TOKEN])
        self.assertTrue(all('"everywhere": false' in content for _, content in ended))

    def test_the_counter_is_read_before_anything_is_sent(self):
        order = []
        inside, outside = FAKE.inside, FAKE.outside
        with mock.patch.object(FAKE, "inside", lambda *args: order.append("inside") or inside(*args)):
            SERVERS["https"].respond = lambda request: order.append("outside") or outside(request)
            try:
                self.check()
            finally:
                SERVERS["https"].respond = outside
        self.assertEqual(order[:2], ["inside", "inside"])
        self.assertIn("outside", order)


class Broken(Case):
    """One test for each line, of one or more ways to break it."""

    def test_metrics(self):
        self.fails("metrics", "no metrics", says="500")

    def test_tls_certificate(self):
        self.fails("tls-certificate", None, "--certificate-days", "31", says="ends in")
        self.fails("tls-certificate", trust=False, says="not trusted")
        self.fails("tls-certificate", None, "--address", "127.0.0.1", "--http-url", f"http://other.invalid:{port('http')}",
                   base=f"https://other.invalid:{port('https')}", says="not trusted")

    def test_health(self):
        self.fails("health", "no health", says="500")

    def test_http_redirect(self):
        for fault in ("plain HTTP serves", "a redirect for now", "a redirect elsewhere", "a redirect without the query"):
            self.fails("http-redirect", fault)

    def test_security_headers(self):
        for name in SECURITY:
            self.fails("security-headers", "no header " + name, says=name)
        for fault in ("a header twice", "a week of HSTS", "the server's version"):
            self.fails("security-headers", fault)

    def test_inside_only(self):
        for path in ("/readyz", "/metrics"):
            self.fails("inside-only", f"{path} from outside", says=path)

    def test_cors(self):
        for fault in ("every origin is allowed", "the admin app is not allowed", "errors without CORS", "a preflight needs a token"):
            self.fails("cors", fault)

    def test_production(self):
        self.fails("production", "development", says="localhost:3000")

    def test_demo_accounts(self):
        self.fails("demo-accounts", "the demo's passwords", says="demo-admin")

    def test_contract_errors(self):
        for fault in ("errors of another shape", "a request id of its own"):
            self.fails("contract-errors", fault)

    def test_ready(self):
        self.fails("ready", "a replica has no database", says="database: unreachable")
        self.fails("ready", "a replica is draining", says=str(port(1)))

    def test_schema(self):
        for fault in ("readiness finds an old schema", "a migration is missing", "the schema is not current"):
            self.fails("schema", fault, says=str(port(1)))

    def test_same_build(self):
        self.fails("same-build", "another build", says="fedcba")
        self.fails("same-build", None, "--commit", "fedcba9", says="not fedcba9")
        self.assertEqual(self.lines(None, "--commit", "0123456789")["same-build"][0], "pass")

    def test_database(self):
        self.fails("database", "the database is down", says="xmas_db_up")
        self.fails("database", "a clock is wrong", says="-3.500 s")

    def test_cache(self):
        self.fails("cache", "Redis is away", says="does not answer")
        self.fails("cache", "a replica without Redis", says="some do not")

    def test_audit(self):
        self.fails("audit", "a violation", says="3 violations")
        self.fails("audit", "stale gauges", says="s ago")

    def test_today_feature_closed(self):
        self.fails("today-feature-closed", "the retired feature answers", says="HEAD")

    def test_today_feature_callers(self):
        self.fails("today-feature-callers", "a caller is left", says="2 calls (GET, 4xx)")

    def test_today_feature_callers_with_a_counter_that_does_not_count(self):
        with mock.patch.object(qa_check.time, "sleep"):
            self.fails("today-feature-callers", "the counter does not count", says="saw 0 of")

    def test_openapi(self):
        self.fails("openapi", "a path lost its protection", says="GET /api/wallet is not protected")
        self.fails("openapi", "the document lacks a path", says="POST /api/dice/play is missing")

    def test_admin_login(self):
        self.fails("admin-login", "the admin is refused", says="401")
        self.fails("admin-login", QA_ADMIN_PASSWORD="wrong-password")

    def test_refuses_no_token(self):
        self.fails("refuses-no-token", "a path needs no token", says="approve: 200")
        self.fails("refuses-no-token", "403 in the place of 401")

    def test_refuses_bad_token(self):
        self.fails("refuses-bad-token", "signatures are not checked", says="garbage: GET /api/wallet: 422")
        self.fails("refuses-bad-token", "a signature is not needed", says="no signature: ")

    def test_refuses_player(self):
        self.fails("refuses-player", "a path lets players in", says="GET /admin/api/odds/{feature}.csv: 200")

    def test_rules_amounts(self):
        self.fails("rules-amounts", "an amount of 0 is accepted", says='"amount": 0')
        self.fails("rules-amounts", "any asset is accepted", says="ACCEPTED")

    def test_rules_prizes(self):
        for path in ("/admin/api/roulette-config/", "/admin/api/dice-config/", "/admin/api/lottery-config/"):
            for field in REFUSED[path][1]:
                self.fails("rules-prizes", f"{field} may be anything", says=field)
            self.fails("rules-prizes", f"{path} accepts everything", says="ACCEPTED")

    def test_rules_season(self):
        for field in ("end_date", "season_name", "start_date", "levels.0.reward_type", "items.0.rank"):
            self.fails("rules-season", f"{field} may be anything", says=field)

    def test_rules_texts(self):
        self.fails("rules-texts", "/admin/api/ui-config/downtime_banner accepts everything", says="ACCEPTED")

    def test_rules_player(self):
        for path in ("/api/season-pass/stamp", "/api/season-pass/claim", "/api/activity/record", "/api/me/history"):
            self.fails("rules-player", f"{path} accepts everything", says=path)

    def test_switches(self):
        self.fails("switches", "a feature has no row", says="DICE")

    def test_event_clock(self):
        self.fails("event-clock", "the demo's clock", says="-335 days")

    def test_event_log(self):
        for fault in ("two events", "events in another order", "events of tomorrow", "logins leave no row", "the last login is old"):
            self.fails("event-log", fault)

    def test_reward_log(self):
        for fault in ("two rewards", "rewards in another order", "rewards of tomorrow"):
            self.fails("reward-log", fault)


class Asked(Case):
    """How it may be asked, and what it never shows."""

    def test_what_is_missing_is_said_and_nothing_is_sent(self):
        for variables in ({"QA_ADMIN": None}, {"QA_ADMIN_PASSWORD": None}, {"QA_PLAYER_PASSWORD": None},
                          {"QA_ADMIN_PASSWORD_FILE": "/nowhere"}, {"QA_METRICS_URLS": "127.0.0.1:9464"}):
            code, text = self.check(None, **variables)
            self.assertEqual(code, 2, variables)
            self.assertIn("QA_", text)
            self.assertEqual(FAKE.requests, [])
        for arguments in (["--only", "nothing"], ["--deadline", "0"], ["--no-such-option"], ["--ca-file", "/nowhere"]):
            self.assertEqual(self.check(None, *arguments)[0], 2, arguments)
        self.assertEqual(self.check(None, base="ftp://localhost")[0], 2)
        self.assertEqual(self.check(None, base="https://user:word@localhost")[0], 2)

    def test_a_password_never_leaves_unencrypted(self):
        code, text = self.check(None, base="http://198.51.100.7")
        self.assertEqual(code, 2)
        self.assertIn("unencrypted", text)

    def test_a_server_that_shows_a_token_in_its_errors_does_not_get_it_printed(self):
        code, text = self.check("errors show the token")
        self.assertEqual(code, 1)
        self.assertIn("FAIL  refuses-bad-token", text)
        self.assertIn("***", text)
        self.assertNotIn("qa-check.not-a.token", text)

    def test_a_server_that_does_not_answer_is_not_waited_for_beyond_the_deadline(self):
        def hang(request):
            time.sleep(5)
            return 200, {}, {}

        right = SERVERS["https"].respond
        SERVERS["https"].respond = hang
        started = time.monotonic()
        try:
            code, text = self.check(None, "--deadline", "1")
        finally:
            SERVERS["https"].respond = right
        self.assertLess(time.monotonic() - started, 4)
        self.assertEqual(code, 1)
        self.assertIn("FAIL  health                 not done within 1 s", text)
        self.assertIn("FAIL  reward-log             not reached within 1 s", text)

    def test_a_service_that_says_later_is_not_waited_for_at_every_request(self):
        waits = []
        right = SERVERS["https"].respond
        SERVERS["https"].respond = lambda request: (
            right(request) if request.path == "/health" else (503, {"Retry-After": "60"}, error("NOT_READY")))
        try:
            with mock.patch.object(qa_check.time, "sleep", waits.append):
                code, _ = self.check()
        finally:
            SERVERS["https"].respond = right
        self.assertEqual(code, 1)
        self.assertLessEqual(sum(waits), 30)

    def test_what_a_server_sends_cannot_write_to_the_terminal(self):
        self.assertEqual(qa_check.printable("a\x1b[2Jb\nc\u202e"), "a [2Jb c ")

    def test_the_list_names_every_line(self):
        code, text = self.check(None, "--list")
        self.assertEqual(code, 0)
        self.assertEqual([row.split()[0] for row in text.splitlines()], [name for name, *_ in qa_check.LINES])
        self.assertEqual({seed for _, _, seed, _ in qa_check.LINES if seed}, {"1", "2", "3", "4", "5"})


class Parsing(unittest.TestCase):
    def test_metrics_are_read_as_prometheus_writes_them(self):
        found = qa_check.Metrics("r", "\n".join([
            "# TYPE a counter", 'a{x="1, }",y="\\"q\\""} 2', "a 3 # {trace=\"x\"} 1", 'a{x="2"} +Inf', "b 1e-3", "c nonsense", ""]))
        self.assertEqual(found.one("a", x="1, }"), 2)
        self.assertEqual(found.one("a", x="2"), float("inf"))
        self.assertEqual(found.one("b"), 0.001)
        for name in ("a", "c", "d"):
            with self.assertRaises(qa_check.Failed):
                found.one(name)


class EveryLineIsBroken(unittest.TestCase):
    def test_each_line_has_a_test_that_breaks_it(self):
        tests = {name[len("test_"):].replace("_", "-") for name in dir(Broken) if name.startswith("test_")}
        self.assertEqual({name for name, *_ in qa_check.LINES} - tests, set())


if __name__ == "__main__":
    unittest.main()
