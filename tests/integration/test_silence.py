# SPDX-License-Identifier: MIT
"""Silence without registration, on real tables and with the clock as a parameter: five weeks in a minute."""

import json
import math
import random
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest

from support import builds
from support.judge import open_incident
from support.service import Service
from support.wait import until
from support.world import World

KST = timezone(timedelta(hours=9))
DAY, WEEK = 1440, 7 * 1440
START = int(datetime(2026, 6, 1, tzinfo=KST).timestamp()) // 60  # a Monday; no holiday within five weeks


def calls_of(minute: int, a_day: int, chance: random.Random) -> int:
    """A day-night stream: busiest in the afternoon, a tenth of that at night."""
    hour = (minute + 9 * 60) % DAY / 60
    share = 0.1 + 0.9 * max(0.0, math.sin((hour - 7) / 17 * math.pi)) if 7 <= hour else 0.1
    expected = a_day / DAY * share / 0.52
    return sum(chance.random() < expected / 5 for _ in range(5))


def fill(world: World, minutes: range, calls: dict[int, int], endpoint: str = "talk", provider: str = "talk") -> None:
    with world.connect() as connection, connection.cursor().copy(
        "COPY endpoint_minute (minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed,"
        " failed_in_a_row, spooled, leaving) FROM STDIN"
    ) as copy:
        for minute in minutes:
            at = datetime.fromtimestamp(minute * 60, timezone.utc)
            n = calls.get(minute, 0)
            copy.write_row((at, endpoint, "one", f"00000000-0000-5000-8000-{minute:012d}", provider, n, n, 0, "{}", 0, 0, 0, False))


def travel(world: World, first: int, last: int, restart: int) -> list[dict]:
    program = [*builds.WRAPPER, builds.program("silence-travel"), str(first), str(last), str(restart)]
    done = subprocess.run(program, env=world.env(), capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def learn(world: World, seed: int, stop: int) -> None:
    """Calls from START until `stop`, and none after it; the hours are added up as the watch has done it."""
    chance = random.Random(seed)
    calls = {minute: calls_of(minute, 3000, chance) for minute in range(START, stop)}
    fill(world, range(START, stop + 2 * DAY), calls)
    hours: dict[int, list[int]] = {}
    for minute, n in calls.items():
        hours.setdefault(minute // 60, []).append(n)
    with world.connect() as connection, connection.cursor().copy("COPY endpoint_hour (endpoint, hour, calls, live, known) FROM STDIN") as copy:
        for hour, list_ in hours.items():
            if hour * 60 + 60 <= stop - 3 * DAY:  # the last days are lived through
                at = datetime.fromtimestamp(hour * 3600, timezone.utc)
                copy.write_row(("talk", at, sum(list_), sum(n > 0 for n in list_), len(list_)))


@pytest.mark.long
def test_a_clock_that_was_ahead_stops_no_rhythm(world: World) -> None:
    """It has counted minutes of years to come."""
    world.migrate()
    stop = START + 5 * WEEK + DAY + 14 * 60
    learn(world, 1, stop)
    assert travel(world, stop - 3 * DAY, stop - DAY, DAY) == []
    ahead = START + 520 * WEEK
    world.sql("UPDATE rhythm SET state = state || jsonb_build_object('minute', %s, 'pause_start', %s, 'week', %s)", ahead, ahead, ahead // WEEK)
    (opened,) = travel(world, stop - DAY + 1, stop + 60, DAY)
    assert opened["opens"] and 0 < opened["minute"] - stop <= 30


@pytest.mark.long
def test_five_weeks_learned_and_then_nothing_is_one_alert_within_half_an_hour(world: World) -> None:
    """Channel Talk's twelve days: a stop at two in the afternoon. Another process goes on every seven hours."""
    world.migrate()
    stop = START + 5 * WEEK + DAY + 14 * 60
    learn(world, 1, stop)
    found = travel(world, stop - 3 * DAY, stop + DAY, 7 * 60 + 13)
    print(found)
    (opened,) = found
    assert opened["opens"] and opened["endpoint"] == "talk" and opened["scope"] == ""
    assert 0 < opened["minute"] - stop <= 30
    (row,) = world.sql("SELECT standing, horizon, score, bar FROM rhythm")
    assert row["standing"] == "watching" and row["score"] >= row["bar"]


@pytest.mark.long
def test_a_certificate_that_will_end_takes_nothing_from_what_was_learned(world: World) -> None:
    """It is an open incident for its last two weeks, and its endpoint is watched all the same."""
    stop = START + 5 * WEEK + DAY + 14 * 60
    learn(world, 1, stop)
    open_incident(world, "unreachable", stop - 13 * DAY, scope="certificate, 14 days")
    (opened,) = travel(world, stop - DAY, stop + 2 * 60, WEEK)
    assert opened["opens"] and 0 < opened["minute"] - stop <= 30
    assert world.sql("SELECT standing FROM rhythm") == [{"standing": "watching"}]


@pytest.mark.long
def test_calls_that_come_again_end_a_silence(world: World) -> None:
    stop = START + 5 * WEEK + DAY + 14 * 60
    learn(world, 1, stop)
    world.sql("UPDATE endpoint_minute SET calls = 20, good = 20 WHERE minute >= to_timestamp(%s)", (stop + 3 * 60) * 60)
    found = travel(world, stop - DAY, stop + 4 * 60, WEEK)
    assert [verdict["opens"] for verdict in found] == [True, False], found
    assert 0 < found[1]["minute"] - (stop + 3 * 60) <= 30


# --- a watch that comes back after hours

ENDPOINT = "bizgo/alimtalk"
AWAY = 180  # minutes


def with_floor(world: World) -> dict[str, str]:
    """A setting: the endpoints file, with a floor of one call in ten minutes."""
    document = json.loads(world.endpoints_file.read_text())
    document["endpoints"][0]["floor"] = {"calls": 1, "within_s": 600}
    file = world.folder / "floor.json"
    file.write_text(json.dumps(document))
    return {"DOCHAK_ENDPOINTS_FILE": str(file)}


def stop_after_a_minute(world: World, processor: Service) -> int:
    """It has judged one; the minute of now."""
    now = int(time.time()) // 60
    fill(world, range(now - 2, now + 2), {}, ENDPOINT, "bizgo")
    processor.start().wait_ready()
    until("a minute is judged", lambda: world.sql("SELECT 1 FROM rhythm"), 30)
    processor.stop()
    world.sql("DELETE FROM endpoint_minute")
    return now


def catch_up(world: World, processor: Service, now: int, silent: range) -> None:
    """It judges three hours at once; calls came in each minute, but for some."""
    calls = {minute: 0 if now - minute in silent else 1 for minute in range(now - AWAY, now + 2)}
    fill(world, range(now - AWAY, now + 2), calls, ENDPOINT, "bizgo")
    world.sql("UPDATE rhythm SET minute = 'epoch', state = state || jsonb_build_object('minute', %s::bigint)", now - AWAY)
    processor.start().wait_ready()
    until("all is judged", lambda: world.sql("SELECT 1 FROM rhythm WHERE minute > now() - interval '5 minutes'"), 30)
    world.settle()


def test_a_pause_that_is_over_when_the_watch_comes_back_is_no_incident(world: World) -> None:
    processor = world.new_processor(**with_floor(world))
    now = stop_after_a_minute(world, processor)
    catch_up(world, processor, now, range(70, 100))
    assert world.alerts() == [] and world.sql("SELECT 1 FROM incident") == []


def test_calls_that_came_and_stopped_again_meanwhile_leave_the_incident_open(world: World) -> None:
    processor = world.new_processor(**with_floor(world))
    now = stop_after_a_minute(world, processor)
    open_incident(world, "silent", now - 240, "bizgo", ENDPOINT, "floor")
    world.sql("""UPDATE rhythm SET floor = floor || '{"open": true}'""")
    catch_up(world, processor, now, range(-2, 60))
    assert world.alerts() == []
    assert world.sql("SELECT closed_at FROM incident") == [{"closed_at": None}]


def test_an_incident_of_a_floor_that_was_taken_away_closes(world: World) -> None:
    processor = world.new_processor()
    now = stop_after_a_minute(world, processor)
    open_incident(world, "silent", now - 240, "bizgo", ENDPOINT, "floor")
    catch_up(world, processor, now, range(-2, 60))
    (alert,) = until("it is closed", world.alerts)
    assert (alert.data["status"], alert.data["summary"]) == ("closed", "the endpoint has no floor any more")
