"""Stands between replicas and a server of MySQL or MariaDB, and cuts connections in the middle of COMMIT."""

import asyncio
import random
import threading

# A packet: three bytes of length, its number, the command COM_QUERY.
COMMIT = b"\x07\x00\x00\x00\x03COMMIT"


class Proxy:
    """While `chance` is above 0, so many of the commits lose their connection: before the server hears of them, or when it has done them."""

    def __init__(self, port, seed):
        self.server_port, self.chance, self.random = port, 0.0, random.Random(seed)
        self.cut_before = self.cut_after = 0
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait(10)

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(asyncio.start_server(self.connected, "127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()
        self.server.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    async def connected(self, client, answers):
        try:
            server, requests = await asyncio.open_connection("127.0.0.1", self.server_port)
        except OSError:
            answers.close()
            return
        # What the client asks for next is not passed on before this is answered, so one answer is what belongs to it.
        doomed = asyncio.Event()
        back = asyncio.ensure_future(self.pass_back(server, answers, doomed))
        try:
            while data := await client.read(1 << 16):
                if data.endswith(COMMIT) and self.random.random() < self.chance:
                    if self.random.random() < 0.5:
                        self.cut_before += 1
                        break
                    doomed.set()
                requests.write(data)
                await requests.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            if doomed.is_set():
                await asyncio.wait([back], timeout=5)
            back.cancel()
            requests.close()
            answers.close()

    async def pass_back(self, server, answers, doomed):
        try:
            while data := await server.read(1 << 16):
                if doomed.is_set():
                    self.cut_after += 1
                    break
                answers.write(data)
                await answers.drain()
        except OSError:
            pass
        answers.close()
