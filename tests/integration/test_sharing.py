# SPDX-License-Identifier: MIT
"""Several workers and several processes do the work of one, whoever comes and goes."""

import pytest

from support import payloads
from support.wait import until
from support.world import PARTITIONS, World


def feed(world: World, first: int, count: int) -> list[str]:
    """Each message fails on its first channel and arrives on its second; every seventh never arrives."""
    ids = [f"m-{number:05}" for number in range(first, first + count)]
    for start in range(0, count, 100):
        part = ids[start : start + 100]
        world.register([payloads.accepted("blux", id_, reference=id_) for id_ in part])
        world.blux(*(payloads.blux_event(id_, delivered=False) for id_ in part))
        world.blux(*(payloads.blux_event(id_) for id_ in part if not never(id_)))
    return ids


def never(id_: str) -> bool:
    return int(id_[2:]) % 7 == 0


def check(world: World, ids: list[str]) -> None:
    world.settle(60)
    rows = world.sql("SELECT notification_id, status, reference FROM notification ORDER BY 1")
    assert [(r["notification_id"], r["status"], r["reference"]) for r in rows] == [
        (id_, "DEAD_LETTER" if never(id_) else "SENT", id_) for id_ in ids
    ]
    told = sorted((alert.header("ce_subject"), alert.type.split(".")[2]) for alert in world.notification_alerts())
    assert told == sorted([(id_, "dead_lettered") for id_ in ids] + [(id_, "recovered") for id_ in ids if not never(id_)])


@pytest.mark.parametrize(("processes", "workers"), [(1, 1), (1, 3), (2, 2), (1, 2 * PARTITIONS)])
def test_however_many_share_the_work_the_end_is_the_same(world: World, processes: int, workers: int) -> None:
    world.new_ingress().start().wait_ready()
    for _ in range(processes):
        world.new_processor(DOCHAK_WORKERS=str(workers), DOCHAK_BATCH_MAX_RECORDS="50").start()
    ids = feed(world, 0, 500)
    for service in world.services[1:]:
        service.wait_ready(30)
    check(world, ids)


def test_processes_that_come_and_go_hand_over_without_a_gap(world: World) -> None:
    world.new_ingress().start().wait_ready()
    settings = {"DOCHAK_BATCH_MAX_RECORDS": "20", "DOCHAK_INSTANCE": ""}
    running = [world.new_processor(**settings).start().wait_ready()]
    ids = []
    for step in range(3):
        ids += feed(world, step * 300, 300)
        running.append(world.new_processor(**settings).start())
        ids_so_far = len(ids)
        until("the work goes on", lambda: len(world.statuses()) > ids_so_far - 200, 30)
        running.pop(0).stop()
    check(world, ids)


def test_each_partition_has_one_worker(world: World) -> None:
    processors = [world.new_processor(DOCHAK_WORKERS="2").start() for _ in range(2)]
    for processor in processors:
        processor.wait_ready(30)

    def shared_out() -> bool:
        """By the last word of each worker: both topics' partitions, evenly."""
        last = {}
        for processor in processors:
            for line in processor.log_lines("^partitions (assigned|revoked)"):
                last[processor.pid, line["worker"]] = line["partitions"] if "assigned" in line["message"] else 0
        return sorted(last.values()) == [PARTITIONS * 2 // 4] * 4

    until("each of four workers has a quarter", shared_out, 30)
