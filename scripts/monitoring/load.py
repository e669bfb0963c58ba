"""A short and mixed load on a demo: what players, clients with mistakes, a guesser of passwords and an operator send.

Everything that was answered is counted, so that it can be compared with what the program has counted itself."""

import collections
import http.client
import itertools
import json
import random
import threading
import time
import urllib.parse
import uuid


class Client:
    """One connection that is kept."""

    def __init__(self, address, counted, lock):
        self.address, self.counted, self.lock = address, counted, lock
        self.connection = None

    def send(self, method, path, route=None, body=None, token=None, headers=None):
        """The status and the answer. `route` is the path's template where it has one."""
        headers = dict(headers or {})
        if token:
            headers["authorization"] = f"Bearer {token}"
        if body is not None:
            headers["content-type"] = "application/json"
            body = body if isinstance(body, str) else json.dumps(body)
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    host, port = self.address
                    self.connection = http.client.HTTPConnection(host, port, timeout=20)
                self.connection.request(method, path, body, headers)
                response = self.connection.getresponse()
                text = response.read()
                break
            except (http.client.HTTPException, OSError):
                # A connection that was idle may be closed at any time.
                self.connection = None
                if attempt == 2:
                    raise
        answer = json.loads(text) if text.startswith(b"{") else {}
        error = answer.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        with self.lock:
            self.counted[method, route or path, response.status, code] += 1
        return response.status, answer


class Load:
    def __init__(self, address):
        self.address = address
        self.counted = collections.Counter()
        self.lock = threading.Lock()
        self.failures = []
        self.over = threading.Event()
        self.threads = []

    def client(self):
        return Client(self.address, self.counted, self.lock)

    def login(self, client, name, password="demo-pass"):
        for _ in range(50):
            status, answer = client.send("POST", "/api/auth/token", body={"external_id": name, "password": password})
            if status == 200:
                return answer["access_token"]
            if status != 503:
                raise RuntimeError(f"{name} cannot log in: {status} {answer}")
            time.sleep(0.1)
        raise RuntimeError(f"{name} finds no place to log in")

    def player(self, number):
        client, chance = self.client(), random.Random(number)
        token = self.login(client, f"demo-{number:02}")
        for step in itertools.count():
            game = ("roulette", "dice", "lottery")[step % 3]
            key = {"idempotency-key": str(uuid.uuid4())}
            client.send("POST", f"/api/{game}/play", token=token, headers=key)
            if chance.random() < 0.1:
                # The answer got lost, so the client asks again.
                client.send("POST", f"/api/{game}/play", token=token, headers=key)
            client.send("GET", f"/api/{game}/status", token=token)
            if step % 4 == 0:
                # The first one is collected; the others are told that it has been.
                client.send("POST", "/api/season-pass/stamp", body={"source_feature_type": "ROULETTE"}, token=token)
                client.send("GET", "/api/season-pass/status", token=token)
                client.send("POST", "/api/season-pass/claim", body={"level": chance.choice([1, 7, 10])}, token=token)
            if step % 5 == 0:
                client.send("GET", "/api/wallet", token=token)
                client.send("GET", "/api/ranking/today", token=token)
                client.send("GET", "/api/me/history", token=token)
                client.send("GET", "/api/odds/lottery", "/api/odds/{feature}")
            if step % 7 == 0:
                client.send("GET", "/api/nothing/here", "unmatched")
                client.send("POST", "/api/season-pass/stamp", body="{this is no JSON", token=token)
                client.send("POST", "/api/dice/play")
            if self.over.wait(0.02 + 0.04 * chance.random()):
                return

    def operator(self):
        client = self.client()
        token = self.login(client, "demo-admin", "demo-admin-pass")
        for step in itertools.count():
            client.send("GET", "/admin/api/dashboard/metrics?range_hours=24", "/admin/api/dashboard/metrics", token=token)
            client.send("GET", "/admin/api/rewards/", token=token)
            grant = {"external_id": f"demo-{1 + step % 20:02}", "token_type": "DICE_TOKEN", "amount": 2, "reason": "load"}
            client.send(
                "POST", "/admin/api/game-tokens/grant", body=grant, token=token, headers={"idempotency-key": str(uuid.uuid4())}
            )
            if step % 3 == 0:
                taken = {"external_id": grant["external_id"], "token_type": "ROULETTE_COIN", "amount": 100000}
                client.send("POST", "/admin/api/game-tokens/revoke", body=taken, token=token)
            client.send("GET", "/readyz")
            # A day that nobody plays on: it is scheduled, and the schedule is deleted.
            day, route = "/admin/api/feature-schedule/2025-12-20", "/admin/api/feature-schedule/{date}"
            scheduled = {"features": [{"feature_type": "ROULETTE", "is_active": True}]}
            client.send("PUT", day, route, body=scheduled, token=token)
            client.send("DELETE", day, route, token=token)
            if self.over.wait(0.5):
                return

    def guesser(self):
        """Guesses the password of one account until it is throttled, again and again."""
        client = self.client()
        while True:
            client.send("POST", "/api/auth/token", body={"external_id": "demo-20", "password": "guess"})
            if self.over.wait(0.25):
                return

    def crowd(self):
        """Many who log in at the same moment: more than MAX_LOGINS."""
        while True:
            together = [threading.Thread(target=self.guard, args=(self.newcomer, number)) for number in range(1, 7)]
            for thread in together:
                thread.start()
            for thread in together:
                thread.join()
            # Ten attempts of one account in a minute are let in.
            if self.over.wait(8):
                return

    def newcomer(self, number):
        self.client().send("POST", "/api/auth/token", body={"external_id": f"demo-{10 + number}", "password": "demo-pass"})

    def guard(self, work, *args):
        """A thread that ends early must not go unseen."""
        try:
            work(*args)
        except Exception as error:
            self.failures.append(f"{work.__name__}{args}: {error!r}")

    def start(self, players=4):
        work = [(self.player, number) for number in range(1, players + 1)]
        work += [(self.operator,), (self.guesser,), (self.crowd,)]
        self.threads = [threading.Thread(target=self.guard, args=args) for args in work]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def requests(self, method, route, status=None, code=None):
        """How many requests were answered like this."""
        return sum(
            number
            for (its_method, its_route, its_status, its_code), number in self.counted.items()
            if (its_method, its_route) == (method, route)
            and (status is None or its_status == status)
            and (code is None or its_code == code)
        )


class Refused(Exception):
    """An answer other than 200."""


def wait_for(what, seconds, is_there):
    """Waits until `is_there` gives something true, and gives that back."""
    end = time.monotonic() + seconds
    while True:
        try:
            if found := is_there():
                return found
        except (OSError, http.client.HTTPException, Refused):
            pass
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.2)


def get(url, **parameters):
    """What a URL answers, as text."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        connection.request("GET", parts.path + query)
        response = connection.getresponse()
        text = response.read().decode()
        if response.status != 200:
            raise Refused(f"{url} answered {response.status}: {text[:300]}")
        return text
    finally:
        connection.close()
