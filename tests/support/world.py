# SPDX-License-Identifier: MIT
"""One test's own dochak: topics, database, consumer group and processes that no other test sees."""

import itertools
import json
import os
import random
import secrets
import socket
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from support import builds, contract, http, parallel, payloads
from support.servers import Server
from support.service import Service, run_once
from support.topics import Record, Topics
from support.wait import until

PARTITIONS = 4
OWNER, RUNTIME_ROLE = "dochak", "dochak_runtime"  # who may do everything, and who the services are
PATIENT_MS = "4000"  # within BizGo's deadline
_numbers = itertools.count(1)


def free_port() -> int:
    """Below the range from which the kernel takes the ports of outgoing connections, and above the launchers' (scripts/lib.sh), so
    that it is still free later."""
    while True:
        port = random.randrange(23000, 32000)
        if not parallel.reserve_port(port):
            continue
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                sock.bind(("127.0.0.1", port))
                return port


class World:
    def __init__(self, kafka: Server, postgres: Server, folder: Path):
        self.kafka = kafka
        self.postgres = postgres
        self.folder = folder
        self.name = f"it_{os.getpid()}_{next(_numbers)}"
        self.topics = Topics(kafka.address, f"{self.name}.", self.name)
        self.services: list[Service] = []
        self.ingress: Service | None = None  # the one that requests go to
        self.foreign = False  # the test writes to the topics itself, what it likes
        self._connection: psycopg.Connection | None = None
        self._more_databases: list[str] = []
        self.keys = {name: f"{name.lower()}-{secrets.token_hex(16)}" for name in ("INGRESS", "PING", "RECIPIENT", "BIZGO", "BLUX")}
        self._write_endpoints()

    # --- settings

    def _write_endpoints(self) -> None:
        self.endpoints_file = self.folder / "endpoints.json"
        self.endpoints_file.write_text(
            json.dumps(
                {
                    "endpoints": [
                        {"endpoint": "bizgo/alimtalk", "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_BIZGO_PATH"]},
                        {"endpoint": "blux/sms", "provider": "blux", "secret_path": ["DOCHAK_SECRET_BLUX_PATH"]},
                    ]
                }
            )
        )

    def env(self, **settings: str) -> dict[str, str]:
        return {
            **builds.base_environment(),
            "DOCHAK_KAFKA_BOOTSTRAP": self.kafka.address,
            "DOCHAK_TOPIC_PREFIX": self.topics.prefix,
            "DOCHAK_TOPIC_PARTITIONS": str(PARTITIONS),
            "DOCHAK_ENDPOINTS_FILE": str(self.endpoints_file),
            "DOCHAK_INGRESS_KEY": self.keys["INGRESS"],
            "DOCHAK_PING_KEY": self.keys["PING"],
            "DOCHAK_RECIPIENT_KEY": self.keys["RECIPIENT"],
            "DOCHAK_SECRET_BIZGO_PATH": self.keys["BIZGO"],
            "DOCHAK_SECRET_BLUX_PATH": self.keys["BLUX"],
            "DOCHAK_GROUP_ID": self.topics.group,
            "DOCHAK_LOG_LEVEL": "debug",  # the more is said, the more can slip out
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.postgres.port),
            "PGUSER": RUNTIME_ROLE,
            "PGDATABASE": self.name,
            "DOCHAK_RUNTIME_ROLE": RUNTIME_ROLE,
            **settings,
        }

    @property
    def secrets(self) -> list[str]:
        return [*self.keys.values(), *payloads.PHONES, payloads.BODY_MARK]

    # --- beginning

    def create_database(self) -> "World":
        self._administer(f'CREATE DATABASE "{self.name}"')
        self._administer(f"DO $$BEGIN CREATE ROLE {RUNTIME_ROLE} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END$$")
        return self

    def another_database(self, options: str) -> str:
        """An empty one of the test's own, of which nobody knows but who is given its name."""
        self._more_databases.append(name := f"{self.name}_{len(self._more_databases)}")
        self._administer(f'CREATE DATABASE "{name}" {options}')
        return name

    def _administer(self, statement: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(statement)

    def connect(self, database: str | None = None, user: str = OWNER) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.postgres.port,
            user=user,
            dbname=database or self.name,
            autocommit=True,
            row_factory=dict_row,
        )

    def owner_env(self, **settings: str) -> dict[str, str]:
        """For migrate."""
        return self.env(PGUSER=OWNER, **settings)

    def migrate(self, program: str = "processor") -> str:
        done = run_once(program, self.owner_env(), "migrate")
        assert done.returncode == 0 and done.stderr == "", done
        return done.stdout

    def new_service(self, name: str, ports: dict[str, int], **settings: str) -> Service:
        service = Service(name, self.folder, self.env(**settings), ports, self.secrets)
        self.services.append(service)
        return service

    def new_ingress(self, program: str = "ingress", ports: dict[str, int] | None = None, **settings: str) -> Service:
        """Without a spool it is patient: with the usual budget a busy machine would make it answer 503."""
        ports = ports or {"public": free_port(), "ops": free_port()}
        patience = {} if "DOCHAK_SPOOL_DIR" in settings else {"DOCHAK_ACK_BUDGET_MS": PATIENT_MS}
        self.ingress = self.new_service(
            program,
            ports,
            **{
                "DOCHAK_INGRESS_LISTEN": f"127.0.0.1:{ports['public']}",
                "DOCHAK_INGRESS_OPS_LISTEN": f"127.0.0.1:{ports['ops']}",
                **patience,
                **settings,
            },
        )
        return self.ingress

    def new_processor(self, program: str = "processor", **settings: str) -> Service:
        ports = {"ops": free_port()}
        number = sum("processor" in s.name for s in self.services)
        return self.new_service(
            program,
            ports,
            # A name, so that the group knows it again at once when the test has killed it.
            **{"DOCHAK_PROCESSOR_OPS_LISTEN": f"127.0.0.1:{ports['ops']}", "DOCHAK_INSTANCE": f"test-{number}", **settings},
        )

    def start(self) -> "World":
        """The usual: one of each, ready."""
        services = [self.new_ingress().start(), self.new_processor().start()]
        for service in services:
            service.wait_ready()
        return self

    # --- talking to it

    def path(self, endpoint: str) -> str:
        return f"/webhook/{endpoint}/{self.keys[endpoint.split('/')[0].upper()]}"

    def post(self, endpoint: str, body: bytes | dict, headers: dict[str, str] | None = None) -> http.Answer:
        data = body if isinstance(body, bytes) else payloads.to_bytes(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
        return http.request(self.ingress.ports["public"], "POST", self.path(endpoint), data, headers)

    def bizgo(self, report: dict, **headers: str) -> None:
        """Posts a report; the answer is the one that BizGo wants."""
        answer = self.post("bizgo/alimtalk", report, headers)
        assert (answer.status, answer.json()) == (200, {"msgKey": report["msgKey"]}), answer

    def blux(self, *events: dict, **headers: str) -> None:
        answer = self.post("blux/sms", payloads.blux(*events), headers)
        assert answer.status == 200, answer

    def post_registration(self, body, headers: dict[str, str] | None = None) -> http.Answer:
        data = body if isinstance(body, bytes) else payloads.to_bytes(body)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.keys['INGRESS']}", **(headers or {})}
        return http.request(self.ingress.ports["public"], "POST", "/v1/notifications", data, headers)

    def register(self, registration: dict | list, **headers: str) -> list[dict]:
        answer = self.post_registration(registration, headers)
        assert answer.status == 202, answer
        return answer.json()["notifications"]

    # --- looking at it

    def sql(self, statement: str, *values) -> list[dict]:
        try:
            return self._query(statement, values)
        except psycopg.OperationalError:
            if not self._connection.broken:
                raise
            return self._query(statement, values)  # the server has gone away and come back since the last time

    def _query(self, statement: str, values: tuple) -> list[dict]:
        if self._connection is None or self._connection.closed:
            self._connection = self.connect()
        cursor = self._connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []

    def row(self, provider: str, notification_id: str) -> dict | None:
        rows = self.sql("SELECT * FROM notification WHERE provider = %s AND notification_id = %s", provider, notification_id)
        return rows[0] if rows else None

    def wait_row(self, provider: str, notification_id: str, deadline: float = 15, every: float = 0.01, **expected) -> dict:
        """The row once it holds what is expected."""

        def there():
            row = self.row(provider, notification_id)
            return row if row and all(row[column] == value for column, value in expected.items()) else None

        try:
            return until(f"{provider} {notification_id} has {expected}", there, deadline, every)
        except AssertionError as error:
            raise AssertionError(f"{error}; the row: {self.row(provider, notification_id)}") from None

    def statuses(self) -> dict[str, str]:
        return {row["notification_id"]: row["status"] for row in self.sql("SELECT notification_id, status FROM notification")}

    def settle(self, deadline: float = 30) -> None:
        """Until the processor has nothing left to do. Says so at once when one of ours has died."""

        def settled() -> bool:
            for service in self.services:
                service.check_alive()
            return self.topics.settled()

        until(f"the processor has worked off {self.topics.prefix}*", settled, deadline)

    def records(self, short: str, notification_id: str | None = None) -> list[Record]:
        """All of a topic's, or those about one notification. Of the alerts only after settle() it is sure that they are all there."""
        return [r for r in self.topics.read(short) if notification_id is None or r.header("ce_subject") == notification_id]

    def alerts(self, notification_id: str | None = None) -> list[Record]:
        return self.records("alerts", notification_id)

    def notification_alerts(self) -> list[Record]:
        """But those about incidents, quarantined records and lost ones."""
        return [alert for alert in self.alerts() if alert.type.startswith("dochak.notification.")]

    # --- the end

    def faults_of_records(self) -> list[str]:
        faults = []
        for check in (self._check_alerts, self._check_topics, self._check_database):
            try:
                check()
            except AssertionError as error:
                faults.append(str(error))
        return faults

    def _check_alerts(self) -> None:
        alerts = self.topics.read("alerts")
        for record in alerts:
            contract.check_alert(record, self.secrets)
        ids = [record.id for record in alerts]
        assert len(ids) == len(set(ids)), f"an alert went out twice: {sorted(i for i in ids if ids.count(i) > 1)}"

    def _check_topics(self) -> None:
        if self.foreign:
            return
        for record in [*self.topics.read("events"), *self.topics.minutes()]:
            contract.check_event(record)
        for record in self.topics.read("quarantine"):
            contract.check_quarantined(record)

    def _check_database(self) -> None:
        """Nobody's number stands in a table."""
        for table in ("notification", "receipt", "acceptance", "alert", "quarantine", "quarantine_alert", "incident", "endpoint_minute", "contact"):
            for phone in payloads.PHONES:
                found = self.sql(f"SELECT t::text FROM {table} t WHERE position(%s IN t::text) > 0 LIMIT 1", phone)
                assert not found, f"table {table} holds a whole number: {found}"

    def end(self) -> list[str]:
        """Ends what runs and checks it; the faults found."""
        for service in self.services:
            if service.is_alive():
                service.terminate()  # all at once: a grace is a grace
        faults = []
        for service in self.services:
            try:
                service.check()
            except AssertionError as error:
                faults.append(str(error))
        return faults

    def show(self) -> None:
        for service in self.services:
            print(f"--- {service.name}'s log ends:\n{service.log_text()[-4000:]}{service.stderr()[-4000:]}")

    def remove(self) -> None:
        if self._connection:
            self._connection.close()
        self.topics.close()
        self.topics.delete()
        for name in (self.name, *self._more_databases):
            self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
