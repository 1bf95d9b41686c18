# SPDX-License-Identifier: MIT
"""examples/register: what an application reports by each of them becomes a PENDING notification, once, and its report finds it."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from support import builds, cached, contract, http, payloads
from support.examples import FarSide, Program, SendApi
from support.world import OWNER, World, free_port

FOLDER = builds.ROOT / "examples" / "register"


# --- by HTTP, one call


def node() -> list[str | Path]:
    cached.need("node")
    return ["node", FOLDER / "node" / "register.js"]


CALLERS: dict[str, Callable[[], list[str | Path]]] = {
    "python": lambda: [sys.executable, FOLDER / "python" / "register.py"],
    "node": node,
    "curl": lambda: [FOLDER / "curl" / "register.sh"],
}


def call(name: str, registration: object, url: str, key: str) -> subprocess.CompletedProcess:
    environment = {**builds.base_environment(), "DOCHAK_INGRESS_URL": url, "DOCHAK_INGRESS_KEY": key}
    return subprocess.run(
        CALLERS[name](), input=json.dumps(registration), env=environment, capture_output=True, text=True, timeout=60 * builds.patience()
    )


def url_of(dochak: World) -> str:
    return f"http://127.0.0.1:{dochak.ingress.ports['public']}"


@pytest.mark.parametrize("name", CALLERS)
def test_an_answer_of_a_send_api_is_registered(dochak: World, name: str) -> None:
    ids = [payloads.new_id(), payloads.new_id()]
    answers = [{"code": "A000", "result": "Success", "msgKey": msg_key} for msg_key in ids]
    done = call(name, [payloads.sent("bizgo", answer, recipient=payloads.PHONE_E164, reference="주문-17") for answer in answers], url_of(dochak), dochak.keys["INGRESS"])
    assert done.returncode == 0, done
    assert all(msg_key in done.stdout for msg_key in ids)
    for msg_key in ids:
        dochak.wait_row("bizgo", msg_key, status="PENDING", reference="주문-17", recipient="+8210****4321")


@pytest.mark.parametrize("name", CALLERS)
def test_what_is_wrong_is_said_and_not_tried_again(dochak: World, name: str) -> None:
    done = call(name, {"provider": "bizgo"}, url_of(dochak), dochak.keys["INGRESS"])
    assert done.returncode != 0 and "notification_id" in done.stdout + done.stderr, done
    done = call(name, {"provider": "bizgo", "notification_id": "x"}, url_of(dochak), "another key, which is wrong")
    assert done.returncode != 0 and "key" in done.stdout + done.stderr, done


class BusyIngress(FarSide):
    """It answers 503 first."""

    def take(self, body: dict) -> tuple[int, str]:
        if len(self.requests) == 1:
            return 503, json.dumps({"error": {"code": "unavailable", "message": "not now"}})
        return 202, json.dumps({"notifications": [{"provider": "bizgo", "notification_id": body["notification_id"], "accepted": True}]})


@pytest.mark.parametrize("name", CALLERS)
def test_a_registration_is_sent_again_after_a_503(name: str) -> None:
    with BusyIngress().running() as ingress:
        done = call(name, payloads.accepted("bizgo", "again"), ingress.url, "k" * 16)
    assert done.returncode == 0 and "again" in done.stdout, done
    assert ingress.requests == [payloads.accepted("bizgo", "again")] * 2
    assert [headers["authorization"] for headers in ingress.headers] == [f"Bearer {'k' * 16}"] * 2


# --- straight to Kafka


def test_an_outbox_is_published_once_as_cloud_events(dochak: World, tmp_path: Path) -> None:
    dochak.foreign = True  # its ids are of its own making
    database = dochak.another_database("")
    msg_key = payloads.new_id()
    row = {
        "id": uuid.uuid4(),
        "provider": "bizgo",
        "notification_id": msg_key,
        "channel": "ALIMTALK",
        "recipient": payloads.PHONE_E164,
        "reference": "주문-18",
    }
    insert = "INSERT INTO outbox (id, provider, notification_id, channel, recipient, reference, accepted_at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
    accepted_at = payloads.ago(1)
    with dochak.connect(database) as connection:
        connection.execute((FOLDER / "kafka" / "outbox.sql").read_text("utf-8"))
        connection.execute(insert, [*row.values(), accepted_at])
        postgres = {"PGHOST": "127.0.0.1", "PGPORT": str(dochak.postgres.port), "PGUSER": OWNER, "PGDATABASE": database}
        topic = {"KAFKA_BOOTSTRAP": dochak.kafka.address, "EVENTS_TOPIC": dochak.topics.name("events")}
        with Program([sys.executable, FOLDER / "kafka" / "outbox.py"], tmp_path, **postgres, **topic) as program:
            program.start()
            program.wait_for("the outbox is empty", lambda: is_empty(connection))
            program.kill()
            connection.execute(insert, [*row.values(), accepted_at])  # as where it was killed before the rows were gone
            program.start()
            program.wait_for("the outbox is empty", lambda: is_empty(connection))
    dochak.wait_row("bizgo", msg_key, status="PENDING", channel="ALIMTALK", reference="주문-18", recipient="+8210****4321")
    dochak.settle()
    first, again = dochak.records("events", msg_key)
    assert (first.headers, first.key, first.value, first.partition) == (again.headers, again.key, again.value, again.partition)
    contract.check_cloud_event(first)
    contract.check_json("event.accepted.schema.json", first.data)
    assert len(dochak.sql("SELECT 1 FROM acceptance WHERE notification_id = %s", msg_key)) == 1

    dochak.bizgo(payloads.bizgo(msg_key, "10000"))
    dochak.wait_row("bizgo", msg_key, status="SENT")
    assert {record.partition for record in dochak.records("events", msg_key)} == {first.partition}  # as ingress's


def is_empty(connection: psycopg.Connection) -> bool:
    return not connection.execute("SELECT 1 FROM outbox").fetchall()


# --- Spring Boot, as in the seeds


@pytest.mark.slow
def test_the_seeds_service_registers_what_it_sends(world: World, tmp_path: Path) -> None:
    jar = cached.maven("examples/register/spring")
    world.start()
    port = free_port()
    with SendApi().running() as bizgo:
        settings = {"PORT": str(port), "BIZGO_URL": f"{bizgo.url}/v1/send/alimtalk", "BIZGO_TOKEN": "token"}
        ingress = {"DOCHAK_INGRESS_URL": url_of(world), "DOCHAK_INGRESS_KEY": world.keys["INGRESS"]}
        with Program(["java", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-jar", jar], tmp_path, **settings, **ingress) as service:
            service.start()
            service.wait_for("it listens", lambda: "Started Application" in service.output)

            def send(msg_key: str) -> int:
                bizgo.msg_key = msg_key
                body = payloads.to_bytes({"to": payloads.PHONE, "text": "안녕하세요", "ref": f"order-{msg_key}"})
                return http.request(port, "POST", "/alimtalk/send", body, {"Content-Type": "application/json"}, timeout=60).status

            msg_key = payloads.new_id()
            assert send(msg_key) == 202
            world.wait_row("bizgo", msg_key, status="PENDING", reference=f"order-{msg_key}", recipient="010****5678")
            world.bizgo(payloads.bizgo(msg_key, "64008"))
            world.settle()
            (alert,) = world.alerts(msg_key)
            assert (alert.data["outcome"], alert.data["reference"]) == ("account_fault", f"order-{msg_key}")
            assert bizgo.headers[0]["authorization"] == "Bearer token"

            world.ingress.stop()
            assert send(late := payloads.new_id()) == 202  # what was sent was sent
            assert f"not registered at dochak: bizgo order-{late}" in service.output
