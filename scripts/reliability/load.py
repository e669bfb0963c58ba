"""The mixed load: threads of players and operators who repeat what was not answered, under the same key, and write down all of it."""

import collections
import itertools
import random
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from reliability.replicas import Client
from throwaway import Broken, wait_for

THREADS = 12
# How long somebody goes on asking for an answer once the load is over and everything runs again, in seconds.
LAST_PATIENCE = 25
ADMIN = "demo-admin"
# How many players get half of everything.
HOT = 3


class Attempt:
    def __init__(self, replica, sent, received, answer, token):
        self.replica, self.sent, self.received, self.answer, self.token = replica, sent, received, answer, token


class Deed:
    """One thing that somebody wants done: one request under one key, however often it is sent."""

    def __init__(self, act, who, method, path, body=None, key=None, **about):
        self.act, self.who, self.method, self.path, self.body, self.key = act, who, method, path, body, key
        # What the judge needs to know of it, such as the level that is claimed.
        self.about = about
        self.attempts = []
        # Whether it is sent again if no answer came: without a key only what changes nothing, or says which version it has seen.
        self.is_repeated = bool(key) and not about.get("unkeyed") or method == "GET" or bool(about.get("repeated"))

    @property
    def good(self):
        """The first answer that says it is done."""
        return next((attempt for attempt in self.attempts if attempt.answer.is_good), None)

    @property
    def is_decided(self):
        # Whoever is told to log in first asks once more.
        first = (attempt.answer for attempt in self.attempts[:-1] if attempt.answer.status != 401)
        return any(answer.is_decided for answer in (*first, *(attempt.answer for attempt in self.attempts[-1:])))

    @property
    def is_acknowledged(self):
        return self.good is not None

    def __str__(self):
        tries = "; ".join(f"{attempt.replica}: {attempt.answer}" for attempt in self.attempts[-4:])
        who = self.who or (self.body or {}).get("external_id", "nobody")
        return f"{self.act} of {who}, {self.method} {self.path}, key {self.key}: {tries}"


class Session:
    """A thread of the load: its choices follow from the seed, its connections are its own."""

    def __init__(self, load, number, seed):
        self.load, self.event, self.random = load, load.event, random.Random(f"{seed}/{number}")
        self.clients, self.beside, self.keys = {}, {}, itertools.count()
        self.number, self.seed, self.name, self.sibling = number, seed, f"{seed}-{number}", None
        self.second = ThreadPoolExecutor(1)

    def key(self):
        return f"chaos-{self.name}-{next(self.keys)}"

    def player(self):
        """Often one of the few whom everybody wants, so that requests meet."""
        return self.random.choice(self.event.players[:HOT] if self.random.random() < 0.5 else self.event.players)

    def client(self, replica, clients):
        if replica not in clients:
            clients[replica] = Client(replica.port)
        return clients[replica]

    def replica(self):
        return self.random.choice([replica for replica in self.event.replicas if replica not in self.load.avoided] or self.event.replicas)

    # -- One request

    def send(self, deed, replica, clients):
        token = self.event.token(deed.who) if deed.who else None
        headers = {}
        if deed.key and not deed.about.get("unkeyed"):
            headers["idempotency-key"] = deed.key
        # What an operator does is found by its key in the log of operators.
        if deed.who == ADMIN and deed.method != "GET":
            headers["x-reason"] = deed.key
        sent = time.monotonic()
        answer = self.client(replica, clients).send(deed.method, deed.path, token, deed.body, headers)
        attempt = Attempt(replica.name, sent, time.monotonic(), answer, token)
        self.load.note(deed, attempt)
        return attempt

    def do(self, *what, twin=False, gives_up=False, **about):
        """Sends until there is an answer that decides, or the load is over. The deed."""
        deed = Deed(*what, **about)
        self.load.deeds.append(deed)
        logins = 0
        for turn in itertools.count():
            attempts = self.send_two(deed) if twin and turn == 0 else [self.send(deed, self.replica(), self.clients)]
            answer = next((each.answer for each in attempts if each.answer.is_good), attempts[-1].answer)
            if answer.status == 401 and deed.who and logins < 3:
                logins += 1
                if self.log_in(deed.who, attempts[-1].token):
                    continue
            if answer.is_decided or not deed.is_repeated or (gives_up and turn):
                return deed
            if self.load.is_past(LAST_PATIENCE):
                return deed
            time.sleep(min(0.02 * 2 ** turn, 0.3))

    def at_once(self, *acts):
        """Two of the same at the same time: each act is done with a session, the second one beside this thread."""
        if not self.sibling:
            self.sibling = Session(self.load, f"{self.number}b", self.seed)
        other = self.second.submit(acts[1], self.sibling)
        acts[0](self)
        other.result()

    def send_two(self, deed):
        """The same request at once through two connections, to two replicas where there are two."""
        first, *others = self.random.sample(self.event.replicas, len(self.event.replicas))
        other = self.second.submit(self.send, deed, others[0] if others else first, self.beside)
        return [self.send(deed, first, self.clients), other.result()]

    def log_in(self, who, refused):
        """Whether there is a token that is newer than the one that was refused."""
        with self.event.account_lock(who):
            if self.event.tokens.get(who) not in (None, refused):
                return True
            for turn in range(40):
                replica = self.replica()
                body = {"external_id": who, "password": self.event.passwords[who]}
                deed = Deed("log in", None, "POST", "/api/auth/token", body)
                attempt = self.send(deed, replica, self.clients)
                if attempt.answer.is_good:
                    self.event.tokens[who] = attempt.answer.body["access_token"]
                    return True
                # Who is let in or blocked meanwhile may be told that the password is wrong, but not again and again.
                if attempt.answer.code == "INVALID_CREDENTIALS" and who in self.event.blockable and turn < 5:
                    continue
                if attempt.answer.is_decided:
                    if attempt.answer.code != "USER_BLOCKED":
                        self.load.complain("cannot log in", deed)
                    return False
                if self.load.is_past(LAST_PATIENCE):
                    return False
                time.sleep(min(0.02 * 2 ** turn, 0.3))
        return False

    def close(self):
        self.second.shutdown()
        if self.sibling:
            self.sibling.close()
        for client in [*self.clients.values(), *self.beside.values()]:
            client.close()


class Load:
    """On from `start` to `end`; `deeds` is what was wanted in it."""

    def __init__(self, event, acts, seed):
        self.event, self.seed, self.acts = event, seed, acts
        self.deeds, self.complaints, self.troubles = [], [], []
        self.lock = threading.Lock()
        self.answered = collections.Counter()
        self.acknowledged = 0
        # Replicas that a load balancer would send nobody to.
        self.avoided = set()
        self.over = None

    def start(self):
        self.sessions = [Session(self, number, self.seed) for number in range(THREADS)]
        self.threads = [threading.Thread(target=self.run, args=(session,), daemon=True) for session in self.sessions]
        for thread in self.threads:
            thread.start()

    def run(self, session):
        names, weights = zip(*((act, act.weight) for act in self.acts))
        try:
            while self.over is None:
                session.random.choices(names, weights)[0](session)
        except Exception:
            self.troubles.append(traceback.format_exc())
        finally:
            session.close()

    def note(self, deed, attempt):
        deed.attempts.append(attempt)
        with self.lock:
            self.answered[attempt.answer.status] += 1
            self.acknowledged += attempt.answer.is_good and deed.method != "GET"

    def complain(self, about, deed):
        self.complaints.append((about, deed))

    def go_on(self, number, seconds=60):
        """Waits for so many more deeds that are acknowledged."""
        wanted = self.acknowledged + number
        wait_for(f"{number} more acknowledged requests (so far {dict(self.answered)})",
                 lambda: self.acknowledged >= wanted or self.troubles, seconds)
        self.check()

    def try_on(self, number, seconds=20):
        """Waits for so many more attempts, whatever becomes of them, or for the time to pass."""
        wanted = sum(self.answered.values()) + number
        end = time.monotonic() + seconds
        while sum(self.answered.values()) < wanted and time.monotonic() < end and not self.troubles:
            time.sleep(0.02)

    def is_past(self, seconds):
        return self.over is not None and time.monotonic() - self.over > seconds

    def end(self):
        self.over = time.monotonic()
        for thread in self.threads:
            thread.join(LAST_PATIENCE + 60)
            if thread.is_alive():
                raise Broken("a thread of the load does not end")
        self.check()

    def check(self):
        if self.troubles:
            raise Broken("the load itself failed:\n" + self.troubles[0])

    def statuses(self, *wanted):
        """Deeds with an attempt of this status, each with that attempt."""
        return [(deed, attempt) for deed in self.deeds for attempt in deed.attempts if attempt.answer.status in wanted]


