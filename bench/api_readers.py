# SPDX-License-Identifier: MIT
"""Clients of the query API: each kind of question in turn, so many a second in all, from the start to the end of a `with`."""

import http.client
import itertools
import json
import threading
import time
from hashlib import sha256
from urllib.parse import quote, urlencode

import psycopg

KEY = "bench-0123456789abcdef0123456789abcdef"
CLIENTS = 4
TIMEOUT = 10


def questions(connection: psycopg.Connection) -> list[tuple[str, list[str]]]:
    """Kind and paths. The notifications are of all ages."""
    rows = connection.execute(
        "SELECT provider, notification_id, reference, encode(recipient_hash, 'hex'), to_char(first_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        " FROM notification TABLESAMPLE BERNOULLI (0.05) ORDER BY random() LIMIT 500"
    ).fetchall()
    lists = {
        "newest": [{}],
        "of a provider, SENT": [{"provider": "blux", "status": "SENT", "limit": 200}],
        "dead letters": [{"status": "DEAD_LETTER"}],
        "dead letters by code": [{"status": "DEAD_LETTER", "provider": "bizgo", "code": "63020"}],
        "PENDING": [{"status": "PENDING"}],
        "overdue": [{"overdue": "yes"}],
        "before a time": [{"until": row[4]} for row in rows],
        "by id": [{"id": row[1]} for row in rows],
        "by reference": [{"reference": row[2]} for row in rows],
        "by recipient": [{"recipient_hash": row[3]} for row in rows],
    }
    return [
        ("overview", ["/v1/overview"]),
        *((f"notifications: {kind}", [f"/v1/notifications?{urlencode(given)}" for given in each]) for kind, each in lists.items()),
        ("a story", [f"/v1/notifications/{row[0]}/{quote(row[1], safe='')}" for row in rows]),
        ("incidents", ["/v1/incidents", "/v1/incidents?status=open", "/v1/incidents?kind=slow&provider=blux"]),
        ("alerts", ["/v1/alerts"]),
        ("alerts of a provider and kind", ["/v1/alerts?provider=blux&kind=dead_lettered"]),
        ("quarantine", ["/v1/quarantine", "/v1/quarantine?redriven=yes"]),
        ("contacts", ["/v1/contacts", "/v1/contacts?provider=channeltalk&consent_withdrawn=texting&limit=200", "/v1/contacts?status=deleted"]),
        ("contacts by id", [f"/v1/contacts?id=own-{number}" for number in range(1, 1_000_000, 2_000)]),
        ("contacts by recipient", [f"/v1/contacts?{urlencode({'recipient_hash': sha256(f'phone{number}'.encode()).hexdigest()})}" for number in range(1, 1_000_000, 2_000)]),
        ("stats of an hour", ["/v1/stats"]),
        ("stats by code of an hour", ["/v1/stats/codes"]),
    ]


class Readers:
    def __init__(self, port: int, asked: list[tuple[str, list[str]]], rate: int):
        self._port = port
        self._rate = rate
        paths = [zip(itertools.repeat(kind), itertools.cycle(each)) for kind, each in asked]
        self._asked = (next(one) for one in itertools.cycle(paths))
        self._lock = threading.Lock()
        self._due = 0.0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(CLIENTS)]
        self.ms: dict[str, list[float]] = {kind: [] for kind, _ in asked}
        self.failed: list[str] = []

    def _next(self) -> tuple[float, str, str]:
        with self._lock:
            self._due += 1 / self._rate
            return self._due, *next(self._asked)

    def _read(self) -> None:
        while not self._stop.is_set():
            due, kind, path = self._next()
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            began = time.monotonic()
            failed = self._ask(path)
            with self._lock:
                self.ms[kind].append((time.monotonic() - began) * 1e3)
                self.failed += [failed] if failed else []

    def _ask(self, path: str) -> str:
        """What went wrong; "" if nothing did."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {KEY}"})
            answer = connection.getresponse()
            body = answer.read()
            return "" if answer.status == 200 and json.loads(body) else f"{path}: {answer.status} {body[:200]!r}"
        except OSError as error:
            return f"{path}: {error!r}"
        finally:
            connection.close()

    def __enter__(self) -> "Readers":
        self._due = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
