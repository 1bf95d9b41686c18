# SPDX-License-Identifier: MIT
"""`dochak-processor doctor`, with its parts up and down: each line is judged by itself, and says what to do."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer

from support import builds, payloads
from support.front_doors import PING_KEY, Answer, ours, server
from support.service import run_once
from support.topics import QUIET
from support.wait import until_equal
from support.world import RUNTIME_ROLE, World

NOWHERE = {"DOCHAK_KAFKA_BOOTSTRAP": "127.0.0.1:1", "PGPORT": "1"}
ENDPOINTS = {"bizgo/alimtalk": "bizgo", "blux/sms": "blux"}
INSERT = """
INSERT INTO endpoint_minute (minute, endpoint, event_id, provider, instance, calls, good, refused, refused_by, failed, failed_in_a_row, spooled,
                             spooled_since, leaving)
VALUES (date_trunc('minute', now()) - %s * interval '1 minute', %s, gen_random_uuid(), %s, %s, %s, %s, %s, %s, %s, 0, %s,
        now() - %s * interval '1 second', %s)
"""


def add_minute(
    world: World,
    endpoint: str = "bizgo/alimtalk",
    ago: int = 1,
    calls: int = 0,
    refused: dict[str, int] | None = None,
    failed: int = 0,
    instance: str = "test",
    spooled: int = 0,
    spooled_s: int | None = None,
    leaving: bool = False,
) -> None:
    provider, by_check = ENDPOINTS.get(endpoint, "bizgo"), refused or {}
    n = sum(by_check.values())
    counts = (calls, max(calls - n - failed, 0), n, json.dumps(by_check), failed)
    world.sql(INSERT, ago, endpoint, provider, instance, *counts, spooled, spooled_s, leaving)


@pytest.fixture
def empty(world: World) -> World:
    """With the tables, and nothing in them."""
    return world


@pytest.fixture
def quiet(empty: World) -> World:
    """An ingress has reported both endpoints a minute ago, without calls."""
    for endpoint in ENDPOINTS:
        add_minute(empty, endpoint)
    return empty


class Said:
    def __init__(self, done: subprocess.CompletedProcess):
        self.done = done
        self.answer = json.loads(done.stdout)
        self.parts = [check["part"] for check in self.answer["checks"]]
        self.wrong = sorted({check["part"] for check in self.answer["checks"] if check["state"] == "wrong"})
        assert self.answer["good"] == (self.wrong == []) == (done.returncode == 0), done

    def of(self, part: str) -> tuple[str, str, str]:
        """State, text and advice of its only line."""
        (check,) = [check for check in self.answer["checks"] if check["part"] == part]
        return check["state"], check["text"], check["advice"] or ""


def ask(world: World, **settings: str) -> Said:
    return Said(run_once("processor", world.env(DOCHAK_PING_KEY=PING_KEY, **settings), "doctor", "--json"))


@pytest.fixture
def front_door() -> Iterator[str]:
    with server(Answer(body=ours())) as port:
        yield f"http://127.0.0.1:{port}"


# --- all is well


def test_nothing_is_wrong_where_all_is_up(quiet: World, front_door: str) -> None:
    quiet.start()
    quiet.bizgo(payloads.bizgo(payloads.new_id(), "10000"))
    quiet.settle()
    add_minute(quiet, calls=1)
    said = ask(quiet, DOCHAK_PUBLIC_URL=front_door)
    assert said.done.stderr == "" and said.wrong == [], said.answer
    for part in ("front door", "kafka", "topic events", "topic alerts", "topic quarantine", "consumer group", "lag", "postgres", "schema", "ingress"):
        assert said.of(part)[0] == "good", said.of(part)
    assert said.of("consumer group")[1].endswith(": 2 members, Stable")
    assert said.of("lag")[1].startswith("0 events")
    state, text, _ = said.of("endpoint bizgo/alimtalk")
    assert state == "good" and re.match("[12] calls in the last hour; last call 20", text) and "never" not in text, text  # its own record, too
    assert said.of("endpoint blux/sms")[0] == "note"


def test_lines_for_people_come_in_the_order_of_a_webhook(quiet: World) -> None:
    done = run_once("processor", quiet.env(), "doctor")
    assert done.returncode == 1 and done.stderr == "dochak-processor: doctor: 1 thing is wrong\n", done
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert [line.split()[0] for line in lines if "consumer group" in line] == ["wrong"]
    assert lines[0].startswith("note   front door ") and "DOCHAK_PUBLIC_URL" in lines[0]
    assert "-> start a processor" in done.stdout
    assert all(line.startswith(("good ", "note ", "wrong ")) for line in lines)


def test_where_nothing_is_wrong_it_says_where_to_look_next(quiet: World, front_door: str) -> None:
    quiet.start()
    done = run_once("processor", quiet.env(DOCHAK_PING_KEY=PING_KEY, DOCHAK_PUBLIC_URL=front_door), "doctor")
    assert (done.returncode, done.stderr) == (0, ""), done
    end = done.stdout.split("\n\nNothing is wrong on our side. ")[1]
    assert "is the URL registered" in end and "quarantine list" in end


# --- parts that are down


def test_kafka_away_leaves_the_rest_judged(quiet: World, front_door: str) -> None:
    said = ask(quiet, DOCHAK_KAFKA_BOOTSTRAP=NOWHERE["DOCHAK_KAFKA_BOOTSTRAP"], DOCHAK_PUBLIC_URL=front_door)
    assert said.wrong == ["kafka"], said.answer
    assert "no broker of 127.0.0.1:1 answers" in said.of("kafka")[1]
    assert said.of("front door")[0] == said.of("postgres")[0] == said.of("ingress")[0] == "good"
    assert not any(part.startswith("topic") or part == "lag" for part in said.parts)


def test_postgres_away_leaves_the_rest_judged(quiet: World, front_door: str) -> None:
    said = ask(quiet, PGPORT="1", DOCHAK_PUBLIC_URL=front_door)
    assert said.wrong == ["consumer group", "postgres"], said.answer
    assert said.of("front door")[0] == said.of("kafka")[0] == said.of("lag")[0] == "good"
    assert not any(part.startswith("endpoint") or part in ("schema", "ingress") for part in said.parts)


def test_everything_away_is_said_in_bounded_time(world: World) -> None:
    began = time.monotonic()
    said = ask(world, **NOWHERE, DOCHAK_PUBLIC_URL="https://dochak.invalid")
    assert said.wrong == ["front door", "kafka", "postgres"], said.answer
    assert "(name, " in said.of("front door")[1] and "DNS" in said.of("front door")[2]
    assert time.monotonic() - began < 15 * builds.patience()


@pytest.mark.long
def test_servers_that_say_nothing_are_not_waited_for(world: World) -> None:
    with ExitStack() as stack:
        kafka, postgres, door = (stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(3))
        began = time.monotonic()
        said = ask(world, DOCHAK_KAFKA_BOOTSTRAP=f"127.0.0.1:{kafka}", PGPORT=str(postgres), DOCHAK_PUBLIC_URL=f"http://127.0.0.1:{door}")
        took = time.monotonic() - began
    assert said.wrong == ["front door", "kafka", "postgres"], said.answer
    assert took < 30 * builds.patience()


def test_a_front_door_that_leads_elsewhere_is_wrong(quiet: World) -> None:
    with server(Answer(502, b"<html>")) as port:
        said = ask(quiet, DOCHAK_PUBLIC_URL=f"http://127.0.0.1:{port}")
    state, text, advice = said.of("front door")
    assert state == "wrong" and text.startswith("answer 502, expected 200 (http, ") and "proxy" in advice


def test_an_inner_address_is_a_hint_at_the_proxy(quiet: World) -> None:
    with server(Answer(body=ours(address="10.0.0.7"))) as port:
        said = ask(quiet, DOCHAK_PUBLIC_URL=f"http://127.0.0.1:{port}")
    state, text, advice = said.of("sender's address")
    assert state == "note" and "10.0.0.7" in text and "DOCHAK_TRUSTED_PROXIES" in advice
    assert "front door" not in said.wrong


# --- Kafka


def test_topics_that_are_missing_are_named(quiet: World) -> None:
    said = ask(quiet, DOCHAK_TOPIC_PREFIX=f"{quiet.name}.other.")
    assert {"topic events", "topic alerts", "topic quarantine"} <= set(said.wrong)
    assert "dochak-processor migrate" in said.of("topic events")[1]
    assert said.of("kafka")[0] == "good" and "lag" not in said.parts


def test_a_topic_that_is_smaller_than_asked_for_is_a_note(quiet: World) -> None:
    state, text, _ = ask(quiet, DOCHAK_TOPIC_PARTITIONS="16").of("topic events")
    assert state == "note" and "DOCHAK_TOPIC_PARTITIONS" in text


def test_records_that_nobody_reads_are_wrong_once_they_are_old(quiet: World) -> None:
    quiet.foreign = True
    producer = Producer({"bootstrap.servers": quiet.kafka.address, **QUIET})

    def produce(age_s: int, partition: int) -> None:
        producer.produce(quiet.topics.name("events"), b"{}", partition=partition, timestamp=int(1000 * (time.time() - age_s)))
        assert producer.flush(20) == 0

    for _ in range(3):
        produce(5, partition=0)
    state, text, _ = ask(quiet).of("lag")
    assert (state, text) == ("good", "3 events are not in Postgres yet, none of them for more than a minute")
    produce(120, partition=1)
    state, text, advice = ask(quiet).of("lag")
    assert (state, text) == ("wrong", "4 events are not in Postgres yet, some of them for more than a minute")
    assert "dochak_processor_retries_total" in advice


def test_what_is_read_does_not_wait(quiet: World) -> None:
    quiet.foreign = True
    producer = Producer({"bootstrap.servers": quiet.kafka.address, **QUIET})
    producer.produce(quiet.topics.name("events"), b"not one of ours", timestamp=int(1000 * (time.time() - 3600)))
    assert producer.flush(20) == 0
    quiet.new_processor().start().wait_ready()
    quiet.settle()
    until_equal("all is read", lambda: ask(quiet).of("lag")[:2], ("good", "0 events are not in Postgres yet, none of them for more than a minute"))


# --- Postgres


def test_a_database_without_schema_asks_for_migrate(worlds, kafka, postgres) -> None:
    world = worlds.new(kafka, postgres, migrated=False)
    said = ask(world)
    state, text, advice = said.of("schema")
    assert state == "wrong" and text.startswith("version 0, ") and "migrate" in advice
    assert "ingress" not in said.parts
    world.migrate()


def test_a_table_that_may_not_be_read_is_said_for_its_part_only(quiet: World) -> None:
    quiet.sql(f"REVOKE SELECT ON endpoint_minute FROM {RUNTIME_ROLE}")
    said = ask(quiet)
    assert {"ingress", "endpoints"} <= set(said.wrong)
    assert said.of("schema")[0] == "good" and "42501" in said.of("ingress")[1]


def test_a_table_that_is_locked_is_not_waited_for(quiet: World) -> None:
    with quiet.connect() as other:
        other.autocommit = False
        other.execute("LOCK TABLE endpoint_minute IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        said = ask(quiet)
        assert time.monotonic() - began < 25 * builds.patience()
        other.rollback()
    assert {"ingress", "endpoints"} <= set(said.wrong), said.answer


# --- ingress


def test_no_ingress_at_all(empty: World) -> None:
    state, text, advice = ask(empty).of("ingress")
    assert (state, text) == ("wrong", "none has reported within a day") and "start ingress" in advice


def test_an_ingress_that_fell_silent(empty: World) -> None:
    add_minute(empty, ago=30)
    state, text, _ = ask(empty).of("ingress")
    assert state == "wrong" and text.startswith("none has reported since 20") and "stopped" not in text


def test_an_ingress_that_was_stopped(empty: World) -> None:
    add_minute(empty, ago=2)
    add_minute(empty, leaving=True)
    state, text, _ = ask(empty).of("ingress")
    assert state == "wrong" and text.endswith(", when it was stopped")


def test_an_ingress_that_was_started_again_in_the_same_minute_is_at_work(empty: World) -> None:
    add_minute(empty, leaving=True)
    add_minute(empty)
    state, text, _ = ask(empty).of("ingress")
    assert state == "good" and text.startswith("1 at work, ")


def test_no_ingress_reports_in_the_future(empty: World) -> None:
    add_minute(empty, ago=0, leaving=True)
    _, text, _ = ask(empty).of("ingress")
    assert text.removeprefix("none has reported since ") <= f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}, when it was stopped", text


def test_one_that_left_does_not_hide_one_at_work(quiet: World) -> None:
    add_minute(quiet, instance="gone", ago=0, leaving=True)
    state, text, _ = ask(quiet).of("ingress")
    assert state == "good" and text.startswith("1 at work, ")


def test_events_that_stay_in_the_spool_are_wrong(quiet: World) -> None:
    add_minute(quiet, instance="young", spooled=5, spooled_s=30)
    assert "spool" not in ask(quiet).parts
    add_minute(quiet, instance="old", spooled=7, spooled_s=600)
    state, text, advice = ask(quiet).of("spool")
    assert state == "wrong" and text.startswith("7 events wait in the spool of ingress old, the oldest since 20") and "breaker" in advice


def test_events_that_kafka_refuses_are_wrong(quiet: World) -> None:
    add_minute(quiet, instance="one", spooled=3)
    state, text, advice = ask(quiet).of("spool")
    assert state == "wrong" and text.startswith("3 events stay in the spool of ingress one") and "refuses" in advice


# --- endpoints


def test_refusals_are_named_by_their_check(quiet: World) -> None:
    add_minute(quiet, ago=2, calls=4, refused={"ip": 1, "secret_path": 2})
    add_minute(quiet, ago=3, calls=2, refused={"secret_path": 2})
    add_minute(quiet, ago=90, calls=100)
    state, text, advice = ask(quiet).of("endpoint bizgo/alimtalk")
    assert state == "wrong" and text.startswith("5 of 6 calls in the last hour were refused (secret_path 4, ip 1); last call 20"), text
    assert "register it again" in advice


def test_calls_after_the_last_refusal_show_that_it_is_mended(quiet: World) -> None:
    add_minute(quiet, ago=9, calls=2)
    add_minute(quiet, ago=4, calls=8, refused={"secret_path": 7})
    assert ask(quiet).of("endpoint bizgo/alimtalk")[0] == "wrong"
    add_minute(quiet, ago=3, calls=1)
    state, text, advice = ask(quiet).of("endpoint bizgo/alimtalk")
    assert state == "note" and text.startswith("7 of 11 calls in the last hour were refused (secret_path 7), and the 1 after them were not; last call 20"), text
    assert "mended" in advice


def test_a_secret_that_was_changed_minutes_ago_is_wrong(quiet: World) -> None:
    add_minute(quiet, ago=9, calls=300)
    add_minute(quiet, ago=3, calls=60, refused={"secret_path": 60})
    state, text, advice = ask(quiet).of("endpoint bizgo/alimtalk")
    assert state == "wrong" and text.startswith("60 of 360 calls in the last hour were refused (secret_path 60); last call 20"), text
    assert "register it again" in advice
    add_minute(quiet, ago=2, calls=61, refused={"secret_path": 60})
    assert ask(quiet).of("endpoint bizgo/alimtalk")[0] == "note"


def test_answers_that_were_no_success(quiet: World) -> None:
    add_minute(quiet, ago=2, calls=3, failed=3)
    state, text, _ = ask(quiet).of("endpoint bizgo/alimtalk")
    assert state == "wrong" and text.startswith("3 of 3 calls in the last hour got no 2xx")


def test_an_endpoint_that_left_the_file(quiet: World) -> None:
    add_minute(quiet, "solapi/sms", ago=30, calls=1)
    state, text, _ = ask(quiet).of("endpoint solapi/sms")
    assert state == "note" and text.startswith(
        "no ingress has named it lately: it is in no endpoints file, or its ingress has not reported yet; last call 20"
    )


def test_endpoints_are_still_known_while_ingress_is_away(empty: World) -> None:
    for endpoint in ENDPOINTS:
        add_minute(empty, endpoint, ago=600, calls=1)
    said = ask(empty)
    for endpoint in ENDPOINTS:
        state, text, _ = said.of(f"endpoint {endpoint}")
        assert state == "good" and text.startswith("0 calls in the last hour; last call 20"), said.of(f"endpoint {endpoint}")


def test_unknown_arguments_are_refused(world: World) -> None:
    done = run_once("processor", world.env(), "doctor", "now")
    assert done.returncode == 2 and "now" in done.stderr
    done = run_once("processor", world.env(), "doctor", "--help")
    assert done.returncode == 0 and "--json" in done.stdout and max(map(len, done.stdout.splitlines())) <= 110
