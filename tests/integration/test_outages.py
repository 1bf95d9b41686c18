# SPDX-License-Identifier: MIT
"""Kafka or Postgres goes away and comes back: nobody is told 2xx for what is not kept, and nothing that was kept is lost."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPException

import pytest

from support import builds, payloads
from support.senders import Senders, blux_posts
from support.servers import Server
from support.wait import until, until_equal
from support.world import World, free_port

pytestmark = pytest.mark.long

BUDGET_MS = 600
SLACK = 2.0  # seconds that a busy machine may add to the budget
LIBRDKAFKA = '"message":"librdkafka"'  # that a broker is gone is an error to librdkafka


@pytest.fixture
def broker(own_kafka: Server) -> Iterator[Server]:
    """A broker that runs when the test begins, and again when it is over."""
    yield own_kafka
    own_kafka.start()


@pytest.fixture
def database(own_postgres: Server) -> Iterator[Server]:
    yield own_postgres
    own_postgres.start()


def check_unavailable(world: World) -> None:
    """All routes say 503 in time, with when to come back."""
    began = time.monotonic()
    answers = [
        world.post("bizgo/alimtalk", payloads.bizgo("away", "10000")),
        world.post("blux/sms", payloads.blux(payloads.blux_event("away"))),
        world.post_registration(payloads.accepted("bizgo", "away")),
        world.post("bizgo/alimtalk", b"no JSON"),
    ]
    slowest = (time.monotonic() - began) / len(answers)
    for answer in answers:
        assert answer.status == 503 and int(answer.headers["retry-after"]) > 0, answer
        assert "msgKey" not in answer.body.decode()
    print(f"503 after {slowest * 1000:.0f} ms on average")
    assert slowest < (BUDGET_MS / 1000 + SLACK) * builds.patience()
    assert world.ingress.get("/livez").status == 200


def acknowledges_again(world: World, id_: str) -> None:
    def acknowledged() -> bool:
        try:
            return world.post("bizgo/alimtalk", payloads.bizgo(id_, "10000")).status == 200
        except (OSError, HTTPException):
            return False

    began = time.monotonic()
    until("ingress acknowledges again", acknowledged, 30, every=0.05)
    print(f"200 again {time.monotonic() - began:.1f} s after the broker was back")
    assert len(world.records("events", id_)) >= 1


def new_ingress(world: World, **settings: str):
    ingress = world.new_ingress(DOCHAK_ACK_BUDGET_MS=str(BUDGET_MS), **settings)
    ingress.expected_errors.append(LIBRDKAFKA)
    return ingress


def new_processor(world: World, **settings: str):
    processor = world.new_processor(**settings)
    processor.expected_errors.append(LIBRDKAFKA)
    return processor


# --- Kafka


def test_while_kafka_is_away_the_answer_is_503_in_time_and_200_again_after(worlds, broker: Server, postgres: Server) -> None:
    world = worlds.new(broker, postgres)
    new_ingress(world).start().wait_ready()
    new_processor(world).start().wait_ready()
    world.bizgo(payloads.bizgo("before", "10000"))
    world.wait_row("bizgo", "before", status="SENT")
    broker.kill()
    check_unavailable(world)
    broker.start()
    began = time.monotonic()
    acknowledges_again(world, "after")
    world.wait_row("bizgo", "after", 40, status="SENT")
    print(f"SENT {time.monotonic() - began:.1f} s after the broker was back")
    world.settle(60)


def test_a_broker_that_hangs_is_no_different(worlds, broker: Server, postgres: Server) -> None:
    world = worlds.new(broker, postgres)
    new_ingress(world).start().wait_ready()
    broker.freeze()
    try:
        check_unavailable(world)
    finally:
        broker.thaw()
    acknowledges_again(world, "after")


def test_stop_and_start_while_kafka_is_away_are_in_time(worlds, broker: Server, postgres: Server) -> None:
    """Nothing that was acknowledged is still to be written, so there is nothing to wait for; a start waits for Kafka, and says so."""
    world = worlds.new(broker, postgres)
    services = [new_ingress(world).start().wait_ready(), new_processor(world).start().wait_ready()]
    broker.stop()
    assert world.post("bizgo/alimtalk", payloads.bizgo("x", "10000")).status == 503
    for service in services:
        began = time.monotonic()
        service.stop()
        print(f"{service.name} stopped in {time.monotonic() - began:.1f} s")
    for service in services:
        service.start()
    until("both live", lambda: all(alive(service) for service in services))
    for service in services:
        ready = service.get("/readyz")
        assert ready.status == 503 and ready.json()["ready"] is False and ready.json()["reason"]
    check_unavailable(world)
    broker.start()
    for service in services:
        service.wait_ready(40)
    acknowledges_again(world, "after")
    world.wait_row("bizgo", "after", 30, status="SENT")


def alive(service) -> bool:
    service.check_alive()
    try:
        return service.get("/livez").status == 200
    except OSError:
        return False


def test_ingress_whose_topics_are_missing_says_so_and_is_not_ready(worlds, kafka: Server, postgres: Server) -> None:
    world = worlds.new(kafka, postgres)
    ingress = world.new_ingress(DOCHAK_TOPIC_PREFIX=f"{world.name}-none.").start()
    until("ingress lives", lambda: alive(ingress))
    until("it says why", lambda: ingress.log_lines("kafka topic not seen yet"))
    text = ingress.log_text()
    assert f"{world.name}-none." in text and "dochak-processor migrate" in text
    ready = ingress.get("/readyz")
    assert ready.status == 503 and f"topic {world.name}-none.events: " in ready.json()["reason"], ready
    assert world.post("bizgo/alimtalk", payloads.bizgo("x", "10000")).status == 503


def test_a_broker_that_dies_and_returns_while_everybody_sends_loses_nothing(worlds, broker: Server, postgres: Server) -> None:
    world = worlds.new(broker, postgres)
    new_ingress(world).start().wait_ready()
    new_processor(world, DOCHAK_BATCH_MAX_RECORDS="20").start()
    ids = [f"m-{number:04}" for number in range(600)]
    failed = ids[::3]
    events = {id_: payloads.blux_event(id_, delivered=id_ not in failed) for id_ in ids}
    senders = Senders(world, blux_posts(events), again=True).start()
    for part in (1, 2):
        until("ingress takes events", lambda: len(senders.acked) >= part * 150, 60)
        broker.kill()
        broker.start()
    senders.join(120)
    print(f"answers: {senders.statuses}, slowest {senders.slowest:.1f} s")
    assert 0 not in senders.statuses and set(senders.statuses) <= {200, 503}
    assert senders.slowest < (BUDGET_MS / 1000 + SLACK) * builds.patience()
    world.settle(90)
    on_topic = {record.header("ce_subject") for record in world.topics.read("events")}
    assert on_topic == set(ids)
    assert world.statuses() == {id_: "DEAD_LETTER" if id_ in failed else "SENT" for id_ in ids}
    assert sorted(alert.header("ce_subject") for alert in world.notification_alerts()) == failed


# --- Postgres


def test_while_postgres_is_away_events_wait_in_kafka(worlds, kafka: Server, database: Server) -> None:
    world = worlds.new(kafka, database)
    world.new_ingress().start().wait_ready()
    processor = new_processor(world).start().wait_ready()
    world.bizgo(payloads.bizgo("before", "10000"))
    world.wait_row("bizgo", "before", status="SENT")
    database.kill()
    for number in range(50):
        world.blux(payloads.blux_event(f"m-{number}", delivered=False))
    until_equal("the processor is not ready", lambda: processor.get("/readyz").status, 503)
    assert processor.is_alive()
    database.start()
    for number in range(50):
        world.wait_row("blux", f"m-{number}", 30, status="DEAD_LETTER")
    processor.wait_ready()
    world.settle()
    assert sorted(alert.header("ce_subject") for alert in world.notification_alerts()) == sorted(f"m-{number}" for number in range(50))


def test_postgres_dying_again_and_again_mid_run_loses_and_doubles_nothing(worlds, kafka: Server, database: Server) -> None:
    world = worlds.new(kafka, database)
    world.new_ingress().start().wait_ready()
    processor = new_processor(world, DOCHAK_BATCH_MAX_RECORDS="20")
    ids = [f"m-{number:04}" for number in range(1200)]
    failed = ids[::3]
    for first in range(0, len(ids), 200):
        world.blux(*(payloads.blux_event(id_, delivered=id_ not in failed) for id_ in ids[first : first + 200]))
    processor.start()
    for part in (1, 2, 3):
        until("the processor works", lambda: len(world.statuses()) >= part * 250, 60, every=0.005)
        database.kill()
        database.start()
    world.settle(90)
    assert world.statuses() == {id_: "DEAD_LETTER" if id_ in failed else "SENT" for id_ in ids}
    assert sorted(alert.header("ce_subject") for alert in world.notification_alerts()) == failed
    assert world.topics.read("quarantine") == []


def test_a_session_that_postgres_ends_is_opened_anew(worlds, kafka: Server, postgres: Server) -> None:
    world = worlds.new(kafka, postgres).start()
    for round_ in range(3):
        world.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        world.blux(payloads.blux_event(f"m-{round_}", delivered=False))
        world.wait_row("blux", f"m-{round_}", 30, status="DEAD_LETTER")
    world.settle()
    assert len(world.notification_alerts()) == 3


def test_processor_started_before_postgres_waits_for_it(worlds, kafka: Server, database: Server) -> None:
    world = worlds.new(kafka, database)
    world.new_ingress().start().wait_ready()
    world.bizgo(payloads.bizgo("early", "10000"))
    database.stop()
    processor = new_processor(world).start()
    until("it says so", lambda: processor.log_lines("^worker starts over"))
    assert processor.get("/readyz").status == 503
    database.start()
    world.wait_row("bizgo", "early", 30, status="SENT")


# --- an address where nobody is


def test_an_address_that_swallows_everything_is_answered_in_time_too(worlds, kafka: Server, postgres: Server) -> None:
    """A firewall that drops: the connection is neither refused nor answered."""
    world = worlds.new(kafka, postgres)
    with socket.create_server(("127.0.0.1", free_port()), backlog=1) as silent:
        accepted = []
        threading.Thread(target=lambda: accepted.append(silent.accept()), daemon=True).start()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        ingress = new_ingress(world, DOCHAK_KAFKA_BOOTSTRAP=address).start()
        until("ingress lives", lambda: alive(ingress))
        check_unavailable(world)
        ingress.stop()


def test_a_connection_that_nobody_answers_is_soon_given_up(worlds, kafka: Server, postgres: Server) -> None:
    """A packet to the address of a pod that was replaced is dropped. Only another connection finds the new pod."""
    world = worlds.new(kafka, postgres)
    with ExitStack() as opened:
        silent = opened.enter_context(socket.create_server(("127.0.0.1", free_port()), backlog=0))
        for _ in range(8):  # more than the kernel accepts by itself: it drops what comes then
            opened.enter_context(socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)).connect_ex(silent.getsockname())
        ingress = new_ingress(world, DOCHAK_KAFKA_BOOTSTRAP=f"127.0.0.1:{silent.getsockname()[1]}").start()
        until("the connection is given up", lambda: [line for line in ingress.log_lines("librdkafka") if "setup timed out" in line["text"]], 15)
        ingress.stop()


def test_stop_of_a_processor_that_has_not_found_kafka_yet_is_in_time(worlds, broker: Server, postgres: Server) -> None:
    world = worlds.new(broker, postgres)
    broker.kill()
    processor = new_processor(world).start()
    until("it looks for Kafka", lambda: processor.log_lines("librdkafka"))
    processor.stop()
