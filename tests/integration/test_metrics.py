# SPDX-License-Identifier: MIT
"""What the alert rules (deploy/prometheus/rules.yml) need of /metrics besides the events themselves."""

import time
from pathlib import Path

from support.wait import until_equal
from support.world import World


def test_counters_that_rules_watch_begin_at_zero(world: World, tmp_path: Path) -> None:
    """increase() does not see the event with which a counter appears."""
    ingress = world.new_ingress(DOCHAK_SPOOL_DIR=str(tmp_path / "spool")).start().wait_ready().metrics()
    processor = world.new_processor().start().metrics()
    for endpoint in ("bizgo/alimtalk", "blux/sms"):
        assert ingress[f'dochak_ingress_quarantined_total{{endpoint="{endpoint}"}}'] == 0
        assert ingress[f'dochak_ingress_refused_total{{endpoint="{endpoint}"}}'] == 0
        assert ingress[f'dochak_ingress_answers_total{{endpoint="{endpoint}",status="413",way="none"}}'] == 0
    for what in ("open", "write", "read", "refused", "late", "busy", "set_aside"):
        assert ingress[f'dochak_ingress_spool_errors_total{{what="{what}"}}'] == 0
    for topic in ("events", "quarantine"):
        assert processor[f'dochak_processor_events_lost_total{{topic="{world.topics.name(topic)}"}}'] == 0
    for outcome in ("account_fault", "unclear"):
        assert processor[f'dochak_processor_records_total{{outcome="{outcome}"}}'] == 0


def test_both_programs_say_when_they_began(world: World) -> None:
    for service in world.start().services:
        assert 0 <= time.time() - service.metrics()["process_start_time_seconds"] < 600


def test_the_ready_metric_of_a_processor_is_what_readyz_says(world: World) -> None:
    processor = world.new_processor(PGPORT="1").start()  # where no Postgres listens
    assert processor.metrics()["dochak_processor_ready"] == 0 and not processor.is_ready()
    processor.stop()
    processor = world.new_processor().start().wait_ready()
    until_equal("the metric is 1", lambda: processor.metrics()["dochak_processor_ready"], 1, 3)
