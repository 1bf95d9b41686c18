# SPDX-License-Identifier: MIT
"""The note that an alert was told is lost each time: then only the offsets say so, and they have to be enough."""

import pytest

from support.thirds import check_all, ids_of, post_all
from support.world import World

REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END$$;
CREATE TRIGGER refuse BEFORE UPDATE OF told ON alert FOR EACH STATEMENT WHEN (random() < 0.5) EXECUTE FUNCTION refuse();
"""


@pytest.mark.parametrize("processes", [1, 3])
def test_alerts_whose_note_is_lost_are_told_once(world: World, processes: int) -> None:
    """Whoever could not make it starts over, and another goes on from the offsets that it has just committed."""
    world.sql(REFUSE)
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(600))
    for _ in range(processes):
        world.new_processor(DOCHAK_BATCH_MAX_RECORDS="10", DOCHAK_INSTANCE="").start()
    check_all(world, ids)
    for processor in world.services[1:]:
        print(processor.metrics().get('dochak_processor_retries_total{part="postgres",class="disk_full"}'))
