# SPDX-License-Identifier: MIT
"""The mark that an alert was told is refused every other time, and with it the next batch, in whose transaction it is made: until it
succeeds only the offsets say what was told, and they have to be enough."""

import pytest

from support.thirds import check_all, ids_of, post_all
from support.world import World

REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END$$;
CREATE TRIGGER refuse BEFORE UPDATE OF told ON alert FOR EACH STATEMENT WHEN (random() < 0.5) EXECUTE FUNCTION refuse();
"""
REFUSED = 'dochak_processor_retries_total{part="postgres",class="disk_full"}'


@pytest.mark.parametrize("processes", [1, 3])
def test_alerts_whose_mark_is_refused_are_told_once(world: World, processes: int) -> None:
    """Whose batch failed with it starts over, and it or another goes on from the offsets that were committed before."""
    world.sql(REFUSE)
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(600))
    for _ in range(processes):
        world.new_processor(DOCHAK_BATCH_MAX_RECORDS="10", DOCHAK_INSTANCE="").start()
    check_all(world, ids)
    refused = [processor.metrics().get(REFUSED, 0) for processor in world.services[1:]]
    print(f"refused {refused} times")
    assert sum(refused) > 0
