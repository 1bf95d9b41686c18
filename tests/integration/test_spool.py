# SPDX-License-Identifier: MIT
"""A 2xx is sent in time and means durable, whatever Kafka, ingress or the disk do. Sets of ids are compared, not counts."""

import os
import random
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import builds, payloads
from support.senders import Post, Senders, new_reports
from support.servers import Server
from support.service import Service, run_once
from support.wait import until, until_equal
from support.world import World

pytestmark = pytest.mark.long

BUDGET = 1.5  # DOCHAK_ACK_BUDGET_MS
NOISE = 0.5  # Python's 64 threads and Kafka's start on the same processors
KAFKA_IS_GONE = ["librdkafka"]  # it tells of a lost broker as an error


@pytest.fixture
def world(worlds, own_kafka: Server, postgres: Server) -> Iterator[World]:
    """Its Kafka may be killed, and is there again for the next test."""
    yield worlds.new(own_kafka, postgres)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def new_ingress(world: World, spool: Path, **settings: str) -> Service:
    ingress = world.new_ingress(**{"DOCHAK_SPOOL_DIR": str(spool), **settings})
    ingress.expected_errors += KAFKA_IS_GONE
    return ingress


def spooled(ingress: Service) -> int:
    return int(ingress.metrics()["dochak_ingress_spool_events"])


def wait_drained(ingress: Service, deadline: float = 60) -> None:
    until_equal("the spool is empty", lambda: spooled(ingress), 0, deadline, every=0.1)


def stored_ids(world: World) -> list[str]:
    return [record.key.decode() for record in world.topics.read("events")]


def compare(world: World, acked: set[str], what: str) -> None:
    stored = stored_ids(world)
    missing = acked - set(stored)
    print(f"{what}: {len(acked)} acknowledged, {len(stored)} records, {len(stored) - len(set(stored))} doubles, {len(missing)} missing")
    assert acked and not missing


# --- Kafka


def breaks(kafka: Server, how: str) -> None:
    kafka.kill() if how == "killed" else kafka.freeze()


def mends(kafka: Server, how: str) -> None:
    kafka.start() if how == "killed" else kafka.thaw()


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_kafka_away_in_mid_run_costs_no_receipt_and_no_deadline(world: World, spool: Path, how: str) -> None:
    ingress = new_ingress(world, spool).start().wait_ready()
    with Senders(world, new_reports(), 64) as load:
        load.wait_acked(1500)
        breaks(world.kafka, how)
        load.wait_acked(2500)
        assert ingress.is_ready() and ingress.metrics()["dochak_ingress_breaker_open"] > 0
        mends(world.kafka, how)
        until_equal("the breaker is closed", lambda: ingress.metrics()["dochak_ingress_breaker_open"], 0, 60)
        load.wait_acked(1500)
    refused = [sent for sent in load.sent if sent.status != 200]
    print(f"Kafka {how}: {len(load.sent)} receipts, {len(refused)} not acknowledged, the slowest took {load.slowest * 1000:.0f} ms")
    assert not refused
    assert load.slowest < (BUDGET + NOISE) * builds.patience()
    by_way = {way: ingress.metrics()[f'dochak_ingress_durable_total{{way="{way}"}}'] for way in ("kafka", "spool")}
    assert by_way["kafka"] >= 1500 and by_way["spool"] >= 2000
    wait_drained(ingress)
    compare(world, load.acked, f"Kafka {how}")


@pytest.mark.usefixtures("between_minutes")
def test_kafka_away_at_the_start_is_no_reason_not_to_take_receipts(world: World, spool: Path) -> None:
    world.kafka.kill()
    ingress = new_ingress(world, spool).start().wait_ready()
    with Senders(world, new_reports(), 4) as load:
        load.wait_acked(100)
    assert set(load.statuses) == {200}
    world.register(payloads.accepted("blux", "registered"))
    world.post("bizgo/alimtalk", b"what is this")
    assert spooled(ingress) == len(load.acked) + 2
    world.kafka.start()
    wait_drained(ingress)
    compare(world, load.acked | {"registered"}, "Kafka away at the start")
    assert [record.value for record in world.topics.read("quarantine")] == [b"what is this"]


# --- ingress


def test_kill_9_at_random_points_loses_nothing_that_was_acknowledged(world: World, spool: Path) -> None:
    ingress = new_ingress(world, spool)
    world.kafka.kill()
    acked, kills, seed = set(), 6, random.randrange(1 << 30)
    chance = random.Random(seed)
    for _ in range(kills):
        ingress.start().wait_ready()
        with Senders(world, new_reports(), 16) as load:
            load.wait_acked(chance.randrange(1, 600))
            ingress.kill()
        acked |= load.acked
    world.kafka.start()
    ingress.start().wait_ready()
    wait_drained(ingress)
    compare(world, acked, f"{kills} kills, seed {seed}")


def test_a_kill_while_the_spool_drains_loses_nothing(world: World, spool: Path) -> None:
    ingress = new_ingress(world, spool)
    world.kafka.kill()
    ingress.start().wait_ready()
    with Senders(world, new_reports(), 32) as load:
        load.wait_acked(3000)
    start = threading.Thread(target=world.kafka.start)
    start.start()
    until("it drains", lambda: 0 < ingress.metrics()["dochak_ingress_spool_drained_total"], 60, every=0.001)
    ingress.kill()
    start.join()
    ingress.start().wait_ready()
    wait_drained(ingress)
    compare(world, load.acked, "killed while draining")


def test_a_stop_with_kafka_away_is_quick_and_keeps_everything(world: World, spool: Path) -> None:
    ingress = new_ingress(world, spool).start().wait_ready()
    with Senders(world, new_reports(), 32) as load:
        load.wait_acked(300)
        world.kafka.freeze()
        load.wait_acked(300)
        ingress.terminate()
        assert ingress.wait_exit() == 0
    world.kafka.thaw()
    ingress.start().wait_ready()
    wait_drained(ingress)
    compare(world, load.acked, "stopped with Kafka away")


def reason_of(ingress: Service) -> str:
    """What /readyz says, once the operations listener is there."""

    def asked() -> str | None:
        try:
            return ingress.get("/readyz").json().get("reason", "ready")
        except OSError:
            ingress.check_alive()
            return None

    return until("/readyz answers", asked)


def test_a_folder_in_use_is_red_and_becomes_free_by_itself(world: World, spool: Path) -> None:
    first = new_ingress(world, spool).start().wait_ready()
    second = new_ingress(world, spool).start()
    reason = reason_of(second)
    assert reason.startswith("the spool cannot be opened: ") and "another dochak-ingress is using this folder" in reason
    until_equal("Kafka is used meanwhile", lambda: world.post("bizgo/alimtalk", payloads.bizgo("meanwhile", "10000")).status, 200)
    first.stop()
    second.wait_ready(5)
    world.kafka.freeze()
    with Senders(world, new_reports(), 4) as load:
        load.wait_acked(20)
    world.kafka.thaw()
    wait_drained(second)
    compare(world, load.acked | {"meanwhile"}, "second owner")


def test_a_folder_that_cannot_be_had_is_red_and_503_without_kafka_and_heals_by_itself(world: World, spool: Path) -> None:
    spool.write_text("this is a file")
    ingress = new_ingress(world, spool)
    checked = run_once("ingress", ingress.env, "--check")
    assert checked.returncode == 1 and "DOCHAK_SPOOL_DIR" in checked.stderr and "Not a directory" in checked.stderr, checked
    world.kafka.kill()
    ingress.start()
    assert "Not a directory" in reason_of(ingress)
    answer = world.post("bizgo/alimtalk", payloads.bizgo("away", "10000"))
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
    spool.unlink()
    ingress.wait_ready(5)
    assert world.post("bizgo/alimtalk", payloads.bizgo("spooled", "10000")).status == 200
    assert len(ingress.log_lines("spool cannot be opened")) == 1
    world.kafka.start()
    wait_drained(ingress)
    compare(world, {"spooled"}, "a folder that was a file")


# --- the disk


def fill(world: World, ingress: Service) -> Senders:
    """Sends large receipts, one after the other, until some are refused; readiness was red before."""
    red = []

    def posts() -> Iterator[Post]:
        for post in new_reports(padding=100_000):
            red.append(not ingress.is_ready())
            yield post

    with Senders(world, posts(), 1) as load:
        until("some are refused", lambda: load.with_status(503), 60)
    first = next(number for number, sent in enumerate(load.sent) if sent.status == 503)
    assert red[first] and not red[0]
    assert set(load.statuses) == {200, 503}
    assert all(int(sent.retry_after) > 0 for sent in load.with_status(503))
    return load


def test_a_full_spool_is_red_then_503_and_empties_by_itself(world: World, spool: Path) -> None:
    ingress = new_ingress(world, spool, DOCHAK_SPOOL_MAX_BYTES=str(16 << 20)).start().wait_ready()
    world.kafka.freeze()
    load = fill(world, ingress)
    world.kafka.thaw()
    wait_drained(ingress)
    until("it is ready again", ingress.is_ready)
    with Senders(world, new_reports(), 4) as more:
        more.wait_acked(20)
    assert set(more.statuses) == {200}
    compare(world, load.acked | more.acked, "spool full")
    until("the spool has given its space back", lambda: sum(file.stat().st_size for file in spool.iterdir()) < 8 << 20)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "dochak", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root and the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_503_and_is_noticed_when_it_has_room_again(world: World, small_disk: Path) -> None:
    ingress = new_ingress(world, small_disk / "spool").start().wait_ready()
    filler = small_disk / "of others"
    filler.write_bytes(b"x" * (6 << 20))
    world.kafka.freeze()
    load = fill(world, ingress)
    filler.unlink()
    until("it is ready again, with nobody asking", ingress.is_ready, 10)
    with Senders(world, new_reports(), 4) as more:
        more.wait_acked(20)
    assert set(more.statuses) == {200}
    world.kafka.thaw()
    wait_drained(ingress)
    compare(world, load.acked | more.acked, "disk full")


def test_a_damaged_spool_is_set_aside_and_told(world: World, spool: Path) -> None:
    spool.mkdir()
    (spool / "spool.db").write_bytes(b"this is no database" * 1000)
    ingress = new_ingress(world, spool)
    ingress.expected_errors.append("the spool was damaged")
    ingress.start().wait_ready()
    assert ingress.metrics()['dochak_ingress_spool_errors_total{what="set_aside"}'] == 1
    assert len(list(spool.glob("damaged-*.db"))) == 1 and ingress.log_lines("the spool was damaged")


def test_a_page_damaged_in_the_middle_costs_only_the_receipts_in_it(world: World, spool: Path) -> None:
    ingress = new_ingress(world, spool)
    ingress.expected_errors += ["the spool was damaged", "the spool cannot be read"]
    world.kafka.kill()
    ingress.start().wait_ready()
    with Senders(world, new_reports(), 32) as load:
        load.wait_acked(3000)
    ingress.stop()
    with (spool / "spool.db").open("r+b") as file:
        file.seek((spool / "spool.db").stat().st_size // 4096 // 2 * 4096)
        file.write(b"this is no page of a database" * 20)
    ingress.start().wait_ready()
    world.kafka.start()
    until("the damage is met", lambda: ingress.log_lines("the spool was damaged"), 60)
    wait_drained(ingress)
    lost = load.acked - set(stored_ids(world))
    (line,) = ingress.log_lines("the spool was damaged")
    assert 0 < len(lost) <= 30 and line["unreadable"] == len(lost), (line, len(lost))
    assert world.post("bizgo/alimtalk", payloads.bizgo("afterwards", "10000")).status == 200
