# SPDX-License-Identifier: MIT
"""The durability of a 2xx: ingress logs it, and gives no 2xx that survives less than DOCHAK_ACK_SURVIVES asks for."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import http, payloads
from support.service import Service, run_once
from support.wait import until, until_equal
from support.world import World

SYNC_EACH = "flush.messages"  # = 1: a broker syncs each record, so that one copy survives a power cut


def reason_of(ingress: Service) -> str | None:
    """What /readyz says, "" before it can be asked."""
    try:
        return ingress.get("/readyz").json().get("reason")
    except OSError:
        ingress.check_alive()
        return ""


def wait_red(world: World, ingress: Service, level: str) -> None:
    asks = f'replication 1, min.insync.replicas 1: an ack survives "process", DOCHAK_ACK_SURVIVES asks for "{level}"'
    until("readiness names the topic's settings", lambda: asks in (reason_of(ingress) or ""))
    assert world.topics.prefix in reason_of(ingress)


def post(world: World, id_: str) -> http.Answer:
    return world.post("bizgo/alimtalk", payloads.bizgo(id_, "10000"))


def survives(ingress: Service) -> list[str]:
    metrics = ingress.metrics()
    return [level for level in ("process", "machine", "broker") if metrics[f'dochak_ingress_ack_survives{{level="{level}"}}'] == 1]


def test_what_an_ack_survives_is_logged_in_one_line(world: World, tmp_path: Path) -> None:
    ingress = world.new_ingress(DOCHAK_SPOOL_DIR=str(tmp_path / "spool")).start().wait_ready()
    lines = until("it is logged", lambda: ingress.log_lines("^durability:"))
    assert len(lines) == 1
    assert lines[0]["message"] == "durability: an ack survives"
    logged = {name: lines[0][name] for name in ("survives", "asked", "kafka", "spool")}
    assert logged == {"survives": "process", "asked": "process", "kafka": "process", "spool": "machine"}
    assert "replication 1, min.insync.replicas 1" in lines[0]["weakest_topic"]
    assert survives(ingress) == ["process"]
    assert post(world, "m").status == 200


def test_a_topic_that_takes_no_body_of_the_allowed_size_turns_readiness_red(world: World) -> None:
    world.topics.set("max.message.bytes", "500000")
    ingress = world.new_ingress().start()
    small = f"{world.topics.name('events')}: max.message.bytes 500000: DOCHAK_BODY_MAX_BYTES needs at least 544768"
    until_equal("readiness names topic, setting and value", lambda: reason_of(ingress), small)
    assert ingress.log_lines("^durability: a topic's settings are too weak")[0]["reason"] == small
    assert post(world, "m").status == 200  # smaller records are durable
    world.topics.set("max.message.bytes", "544768")
    ingress.wait_ready(10)


def test_a_topic_that_takes_every_body_takes_every_batch(world: World) -> None:
    """librdkafka's own batches, of 1 MB, would be refused as a whole, and for good."""
    world.topics.set("max.message.bytes", "544768")
    properties = world.folder / "kafka.properties"
    properties.write_text("linger.ms=100\n")  # time to collect a batch
    ingress = world.new_ingress(DOCHAK_KAFKA_PROPERTIES=str(properties)).start().wait_ready()
    body = {**payloads.bizgo("m", "10000"), "padding": "x" * 200_000}
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(lambda _: world.post("bizgo/alimtalk", body), range(24)))
    assert [answer.status for answer in answers] == [200] * len(answers)
    assert not [name for name, value in ingress.metrics().items() if name.startswith("dochak_ingress_kafka_errors_total") and value]
    assert len(world.records("events")) == len(answers)


def test_an_unclean_election_is_named_with_the_other_settings(world: World) -> None:
    world.topics.set("unclean.leader.election.enable", "true")
    ingress = world.new_ingress(DOCHAK_ACK_SURVIVES="broker").start()
    until("readiness names it", lambda: "min.insync.replicas 1, unclean.leader.election.enable true: " in (reason_of(ingress) or ""))


def test_asked_for_more_than_the_topics_give_nothing_is_acknowledged(world: World, tmp_path: Path) -> None:
    """With a spool, too, whose disk may be lost."""
    ingress = world.new_ingress(DOCHAK_ACK_SURVIVES="broker", DOCHAK_SPOOL_DIR=str(tmp_path / "spool")).start()
    wait_red(world, ingress, "broker")
    answer = post(world, "m")
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
    assert ingress.log_lines("^durability: a topic's settings are too weak")
    assert survives(ingress) == []
    assert world.records("events") == [] and ingress.metrics()["dochak_ingress_spool_events"] == 0


@pytest.mark.usefixtures("between_minutes")
def test_events_stay_in_the_spool_that_is_durable_enough_until_the_topics_are(world: World, tmp_path: Path) -> None:
    ingress = world.new_ingress(DOCHAK_ACK_SURVIVES="machine", DOCHAK_SPOOL_DIR=str(tmp_path / "spool")).start()
    wait_red(world, ingress, "machine")
    ids = [f"m-{number}" for number in range(10)]
    assert {post(world, id_).status for id_ in ids} == {200}
    assert ingress.metrics()["dochak_ingress_spool_events"] == len(ids)
    assert world.records("events") == [] and survives(ingress) == ["process", "machine"]
    world.topics.set(SYNC_EACH, "1")
    ingress.wait_ready(10)
    until_equal("the spool is empty", lambda: ingress.metrics()["dochak_ingress_spool_events"], 0, 30)
    assert sorted(record.key.decode() for record in world.records("events")) == sorted(ids)
    assert post(world, "after").status == 200
    assert survives(ingress) == ["process", "machine"]


def test_a_corrected_topic_turns_readiness_green_without_a_spool(world: World) -> None:
    ingress = world.new_ingress(DOCHAK_ACK_SURVIVES="machine").start()
    wait_red(world, ingress, "machine")
    assert post(world, "before").status == 503
    world.topics.set(SYNC_EACH, "1")
    ingress.wait_ready(10)
    assert post(world, "after").status == 200
    assert [record.key for record in world.records("events")] == [b"after"]


def test_a_level_that_does_not_exist_is_an_error_that_names_the_setting(world: World) -> None:
    env = {**world.new_ingress().env, "DOCHAK_ACK_SURVIVES": "rack"}
    for args in ((), ("--check",)):
        done = run_once("ingress", env, *args)
        assert done.returncode == 1 and 'DOCHAK_ACK_SURVIVES: "rack" is none of process, machine, broker' in done.stderr, done
