"""Tests of haproxy/haproxy.cfg: a real HAProxy in front of a real cluster of three nodes (scripts/galera), one of which is written to.

    HAPROXY=haproxy python3 -m unittest discover -s scripts/tests -p 'haproxy_test.py'

HAPROXY names the program (the one in the PATH). MariaDB's programs and galera-4 are needed; GALERA_PROVIDER names the library of the latter where
it is not installed.
"""

import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from throwaway import free_ports, wait_for  # noqa: E402

FILE = ROOT / "haproxy/haproxy.cfg"
HAPROXY = os.environ.get("HAPROXY", "haproxy")


def setUpModule():
    global cluster
    cluster = Cluster()
    unittest.addModuleCleanup(cluster.close)


class Cluster:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="xmas-haproxy-"))
        try:
            self.nodes = [url.removeprefix("mysql://root@") for url in self.galera("start").split()]
            self.galera("sql", "1", "CREATE USER proxy_check@'127.%' IDENTIFIED VIA mysql_native_password USING ''")
        except BaseException:
            self.close()
            raise

    def galera(self, command, *arguments):
        done = subprocess.run([ROOT / "scripts/galera", command, self.folder, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"scripts/galera {command} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def is_whole(self):
        return self.galera("status").count("3 Primary Synced ON") == 3

    def close(self):
        subprocess.run([ROOT / "scripts/galera", "stop", self.folder], check=False)
        shutil.rmtree(self.folder)


class Proxy:
    """HAProxy with the file as it is shipped, but for what only the machine of a site has: the user and two folders."""

    def __init__(self, nodes):
        self.folder = Path(tempfile.mkdtemp(prefix="xmas-haproxy-"))
        self.port = free_ports(1)[0]
        text = re.sub(r"^ *(user|group|chroot) .*\n", "", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
        text = text.replace("/run/haproxy/admin.sock", str(self.folder / "socket"))
        (self.folder / "haproxy.cfg").write_text(text, encoding="utf-8")
        named = {f"XMAS_DATABASE_NODE_{number}": address for number, address in enumerate(nodes, 1)}
        self.environment = {**os.environ, **named, "XMAS_DATABASE_LISTEN": f"127.0.0.1:{self.port}"}
        self.process = None

    def check(self):
        command = [HAPROXY, "-c", "-f", self.folder / "haproxy.cfg"]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([HAPROXY, "-f", self.folder / "haproxy.cfg"], env=self.environment, stdout=log, stderr=log)
        wait_for("HAProxy", self.node, 20)

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
        shutil.rmtree(self.folder)

    def client(self):
        command = ["mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={self.port}", "--user=root", "--batch", "--skip-column-names"]
        return subprocess.Popen(
            [*command, "--unbuffered", "--connect-timeout=2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def node(self):
        """The name of the node that a new connection leads to; None if there is none."""
        client = self.client()
        try:
            answer, _ = client.communicate("SELECT @@wsrep_node_name;", timeout=5)
        except subprocess.TimeoutExpired:
            client.kill()
            client.communicate()
            return None
        return answer.strip() or None


class Session:
    """A connection that is kept, as those in the pools of the API are."""

    def __init__(self, proxy):
        self.client = proxy.client()
        self.node = self.ask()

    def ask(self):
        self.client.stdin.write("SELECT @@wsrep_node_name;\n")
        self.client.stdin.flush()
        return self.client.stdout.readline().strip()

    def is_closed(self):
        """Asks once, of a connection that must be closed already: else it would take the answer for good."""
        try:
            self.client.stdin.write("SELECT 1;\n")
            self.client.stdin.flush()
        except BrokenPipeError:
            return True
        answers, _, _ = select.select([self.client.stdout], [], [], 5)
        return bool(answers) and self.client.stdout.readline() == ""

    def close(self):
        self.client.kill()
        self.client.communicate()


class OneWriter(unittest.TestCase):
    def setUp(self):
        self.proxy = Proxy(cluster.nodes)
        self.addCleanup(self.proxy.close)
        # Whatever a test has done to the nodes.
        self.addCleanup(wait_for, "the whole cluster", cluster.is_whole, 60)
        self.proxy.start()
        self.assertEqual(self.proxy.node(), "node1")

    def session(self):
        session = Session(self.proxy)
        self.addCleanup(session.close)
        return session

    def test_the_next_node_is_written_to_until_the_first_is_back(self):
        first = self.session()
        cluster.galera("kill", "1")
        wait_for("the second node", lambda: self.proxy.node() == "node2", 10)
        self.assertTrue(first.is_closed())
        second = self.session()
        self.assertEqual(second.node, "node2")
        cluster.galera("rejoin", "1")
        wait_for("the first node", lambda: self.proxy.node() == "node1", 60)
        self.assertTrue(second.is_closed(), "two nodes are written to")

    def test_a_frozen_node_keeps_nobody_and_is_not_trusted_when_it_wakes_up(self):
        first = self.session()
        cluster.galera("freeze", "1")
        self.addCleanup(cluster.galera, "thaw", "1")
        wait_for("the second node", lambda: self.proxy.node() == "node2", 20)
        self.assertTrue(first.is_closed())
        wait_for("a cluster without it", lambda: "node2 2 Primary" in cluster.galera("status"), 20)
        cluster.galera("thaw", "1")
        wrong, asked = [], 0
        while not cluster.is_whole():
            node = self.proxy.node()
            asked += 1
            if node != "node2":
                wrong.append(node)
        self.assertGreater(asked, 0)
        self.assertEqual(wrong, [])

    def test_a_node_without_a_majority_is_not_asked(self):
        session = self.session()
        cluster.galera("kill", "2", "3")
        self.addCleanup(cluster.galera, "rejoin", "2", "3")
        wait_for("nobody to answer", lambda: self.proxy.node() is None, 30)
        self.assertIn("node1 1 non-Primary", cluster.galera("status"))
        self.assertTrue(session.is_closed())

    def test_a_node_that_takes_no_writes_is_not_asked(self):
        cluster.galera("sql", "1", "SET GLOBAL read_only = 1")
        self.addCleanup(cluster.galera, "sql", "1", "SET GLOBAL read_only = 0")
        wait_for("the second node", lambda: self.proxy.node() == "node2", 10)


class TheFile(unittest.TestCase):
    def test_haproxy_finds_nothing_wrong_with_it(self):
        proxy = Proxy(["192.0.2.1:3306"] * 3)
        self.addCleanup(proxy.close)
        done = proxy.check()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotRegex(done.stdout + done.stderr, "WARNING|ALERT")

    def test_each_packet_says_its_length(self):
        packets = []
        for what, text in re.findall(r"^ *tcp-check (connect|expect|send-binary|send) *(.*)$", FILE.read_text(encoding="utf-8"), re.MULTILINE):
            if what == "send-binary":
                packets[-1] += bytes.fromhex(text.split()[0])
            elif what == "send":
                packets[-1] += text.strip('"').encode()
            else:
                packets.append(b"")
        sent = [packet for packet in packets if packet]
        self.assertEqual(len(sent), 2)
        login, (statement, ending) = sent[0], (sent[1][:-5], sent[1][-5:])
        for packet in (login, statement, ending):
            self.assertEqual(int.from_bytes(packet[:3], "little"), len(packet) - 4, packet)
        self.assertIn(b"SELECT", statement)
        self.assertEqual(ending, b"\x01\0\0\0\x01")
