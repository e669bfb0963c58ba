"""An event to be spoilt: a fresh database with the demo in it, replicas that serve it, and accounts for the load."""

import collections
import json
import subprocess
import threading

from reliability.load import ADMIN
from reliability.proxy import Proxy
from reliability.replicas import Client, Replica
from throwaway import Broken, wait_for

# How many of the limited prize there are at first: few enough to run out.
STOCK = 15


class Event:
    """Players are shared by everybody; `blockable` are among them. `leavers` log in and out and do nothing else."""

    def __init__(self, program, database, folder, name, start="2025-12-26T09:00:00+09:00", redis=None, proxied=False, **settings):
        self.database, self.name, self.folder = database, name, folder / name
        self.folder.mkdir(parents=True)
        self.tokens, self.locks, self.lock = {}, collections.defaultdict(threading.RLock), threading.Lock()
        self.players = [f"demo-{number:02}" for number in range(1, 16)]
        self.blockable = self.players[12:]
        self.leavers, self.spare_leavers = ["demo-16", "demo-17", "demo-18"], [f"spare-{number}" for number in range(40)]
        self.newcomers, self.batches, self.gifts = [], [], []
        # How often a day has ended, and a settlement was made, so far.
        self.midnights = self.settled = 0
        self.passwords = {f"demo-{number:02}": "demo-pass" for number in range(1, 21)} | {ADMIN: "demo-admin-pass"}
        urls = database.new(name.replace("-", "_"))
        self.proxies = []
        if proxied:
            ports = {int(url.rsplit(":", 1)[1].split("/")[0]) for url in urls}
            self.proxies = [Proxy(port, name) for port in sorted(ports)]
            for proxy in self.proxies:
                urls = [url.replace(f":{proxy.server_port}/", f":{proxy.port}/") for url in urls]
        settings = {**settings, **({"REDIS_URL": redis.url, "REDIS_NAMESPACE": name} if redis else {})}
        self.replicas = [Replica(program, number, self.folder, {"DATABASE_URL": url, **settings}) for number, url in enumerate(urls)]
        first = self.replicas[0]
        first.run("migrate", "up")
        first.run("seed", "demo", XMAS_CLOCK=start)

    def start(self):
        for replica in self.replicas:
            replica.start()
        for replica in self.replicas:
            replica.wait()
        self.prepare()

    def prepare(self):
        """Prizes that are won often, one that runs out, and levels that are soon reached."""
        loaded = self.ask("GET", "/admin/api/lottery-config/")[0]
        self.coupon_kind = next(each["reward_item"] for each in loaded["prizes"] if each["reward_type"] == "COUPON")
        weights = {"POINT": {"weight": 300, "stock": STOCK}, "COUPON": {"weight": 250, "stock": None}}
        prizes = [{"id": each["id"], **weights.get(each["reward_type"], {"weight": 150})} for each in loaded["prizes"]]
        self.ask("PUT", f"/admin/api/lottery-config/{loaded['id']}", {"prizes": prizes})
        for feature in ("ROULETTE", "DICE", "LOTTERY"):
            self.ask("PUT", f"/admin/api/feature-config/{feature}", {"config_json": {"xp_per_play": 40, "stamp_on_play": False}})
        self.ask("PUT", "/admin/api/ui-config/chaos", {"value": {"text": "before"}})
        spare = "external_id,password\n" + "".join(f"{who},spare-password\n" for who in self.spare_leavers)
        self.ask("POST", "/admin/api/users/import?dry_run=false", spare)
        self.passwords |= {who: "spare-password" for who in self.spare_leavers}

    def close(self):
        for replica in self.replicas:
            if replica.process:
                replica.process.kill()
        for proxy in self.proxies:
            proxy.stop()

    # -- Accounts

    def account_lock(self, who):
        with self.lock:
            return self.locks[who]

    def leave(self, who):
        """Another account takes the place of one whose password nobody knows."""
        self.leavers = [each for each in self.leavers if each != who] + [self.spare_leavers.pop()]

    def token(self, who):
        return self.tokens.get(who)

    def ask(self, method, path, body=None, who=ADMIN, replica=None):
        """One request outside of the load, which must work."""
        client = Client((replica or self.replicas[0]).port)

        def answered():
            if who and who not in self.tokens:
                login = client.send("POST", "/api/auth/token", None, {"external_id": who, "password": self.passwords[who]})
                if not login.is_good:
                    return None if not login.is_decided else Broken(f"{who} cannot log in: {login}")
                self.tokens[who] = login.body["access_token"]
            answer = client.send(method, path, self.tokens.get(who), body)
            if answer.status == 401:
                self.tokens.pop(who, None)
                return None
            return answer if answer.is_decided else None
        try:
            answer = wait_for(f"an answer to {method} {path}", answered)
        finally:
            client.close()
        if isinstance(answer, Broken):
            raise answer
        if not answer.is_good:
            raise Broken(f"{method} {path}: {answer}")
        return answer.body

    # -- Looking

    def audit(self, replica):
        """What the program itself finds wrong."""
        done = subprocess.run([replica.program, "audit", "--json"], cwd=self.folder, env=replica.settings, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=120)
        try:
            checks = json.loads(done.stdout)["checks"]
        except (ValueError, KeyError):
            return [f"the audit on {replica.name} ended with {done.returncode}: {done.stdout}{done.stderr}"]
        found = [f"audit on {replica.name}: {check['name']}: {check['violations']}, such as {', '.join(check['examples'][:5])}"
                 for check in checks if check["violations"]]
        if not found and done.returncode:
            found.append(f"the audit on {replica.name} ended with {done.returncode}")
        return found

    def wait(self, seconds=60):
        for replica in self.replicas:
            replica.wait(seconds)


