# SPDX-License-Identifier: MIT
"""What the watch judges around the pure rules: which minutes are blind, what is usual, what an alert names. On tables that the test fills."""

import json
import time
from pathlib import Path

import pytest

from support import builds
from support.deadlines import with_times
from support.judge import Judge, at, count, make_usual, open_incident
from support.world import RUNTIME_ROLE, World

HOUR, DAY = 60, 1440
NOW = int(time.time()) // 60 - 10
SLOW, SILENT, AT_RISK = "dochak.provider.slow.v1", "dochak.provider.silent.v1", "dochak.endpoint.at_risk.v1"


def types(events: list[dict]) -> list[str]:
    return [event["type"] for event in events]


def let_nothing_come_in_time(world: World) -> None:
    """For an hour until NOW; before it, 1 of 100 messages was late at any hour. A receipt of each came late."""
    make_usual(world, "bizgo", NOW)
    count(world, "bizgo", range(NOW - 2 * HOUR, NOW + 1), "taken", 10)
    count(world, "bizgo", range(NOW - 2 * HOUR, NOW + 1), "delivered", 10)
    count(world, "bizgo", range(NOW - 2 * HOUR, NOW - HOUR), "in_time", 10)


def silence(world: World) -> None:
    """Nothing since half an hour."""
    count(world, "bizgo", range(NOW - 2 * HOUR, NOW + 1), "taken", 10)
    count(world, "bizgo", range(NOW - 2 * HOUR, NOW - HOUR // 2), "in_time", 10)
    count(world, "bizgo", range(NOW - 2 * HOUR, NOW - HOUR // 2), "delivered", 10)


# --- blind minutes


@pytest.mark.parametrize("scope", ["", "certificate, 14 days", "certificate, 3 days", "front door", "ingress"])
def test_a_certificate_that_will_end_makes_no_minute_blind(world: World, scope: str) -> None:
    let_nothing_come_in_time(world)
    if scope:
        open_incident(world, "unreachable", NOW - DAY, scope=scope)
    with Judge(world) as judge:
        found = types(judge.judge(NOW))
    assert found == ([SLOW] if scope in ("", "certificate, 14 days", "certificate, 3 days") else [])


# --- the cause


def cause_of_silence(world: World) -> str | None:
    silence(world)
    with Judge(world) as judge:
        (opened,) = judge.judge(NOW)
    assert opened["type"] == SILENT
    return opened["cause"]


def test_a_silence_names_a_rotated_secret_and_no_certificate_that_will_end(world: World) -> None:
    open_incident(world, "unreachable", NOW - DAY, scope="certificate, 14 days")
    open_incident(world, "refusing", NOW - 20, "bizgo", "bizgo/alimtalk")
    assert cause_of_silence(world) == "refusing is open: the summary of refusing bizgo/alimtalk"


def test_a_silence_names_the_newest_cause_first_and_none_of_another_provider(world: World) -> None:
    open_incident(world, "refusing", NOW - DAY, "bizgo", "bizgo/old")
    open_incident(world, "refusing", NOW - 20, "bizgo", "bizgo/new")
    open_incident(world, "refusing", NOW - 10, "blux", "blux/sms")
    assert cause_of_silence(world) == (
        "refusing is open: the summary of refusing bizgo/new; refusing is open: the summary of refusing bizgo/old"
    )


def test_a_silence_without_a_cause_on_our_side_names_none(world: World) -> None:
    open_incident(world, "unreachable", NOW - DAY, scope="certificate, 3 days")
    open_incident(world, "refusing", NOW - 20, "blux", "blux/sms")
    assert cause_of_silence(world) is None


def test_what_cannot_be_read_is_left_out_of_the_alert_and_logged(world: World) -> None:
    silence(world)
    with Judge(world) as judge:
        assert judge.judge(NOW - 90) == []
        world.sql(f"REVOKE SELECT ON notification FROM {RUNTIME_ROLE}")
        (opened,) = judge.judge(NOW)
    assert (opened["type"], opened["example"]) == (SILENT, None)
    assert "42501" in judge.log.read_text(), judge.log.read_text()


# --- a campaign


@pytest.mark.parametrize(("reported", "found"), [(10, [SILENT]), (60, [])])
def test_a_campaign_is_silent_that_breaks_off_before_half_of_it_is_reported(world: World, reported: int, found: list[str]) -> None:
    """100 messages in one minute. Those that have no receipt were accepted before the last one."""
    count(world, "bizgo", range(NOW - 11, NOW - 10), "taken", 100)
    count(world, "bizgo", range(NOW - 11, NOW - 10), "in_time", reported)
    count(world, "bizgo", range(NOW - 10, NOW - 9), "delivered", reported)
    with Judge(world) as judge:
        assert judge.judge(NOW - 2) == []
        events = judge.judge(NOW - 1)
    assert types(events) == found
    assert not found or events[0]["counts"] == {"due": 90}


def test_a_message_counted_in_time_in_an_earlier_minute_than_it_was_accepted_in_is_no_silence(world: World) -> None:
    """It was registered twice, at first with the later time; its receipt counts in the minute of the earlier one."""
    count(world, "bizgo", range(NOW - 11, NOW - 10), "taken", 100)
    count(world, "bizgo", range(NOW - 11, NOW - 10), "in_time", 99)
    count(world, "bizgo", range(NOW - 12, NOW - 11), "in_time", 1)
    count(world, "bizgo", range(NOW - 10, NOW - 9), "delivered", 100)
    with Judge(world) as judge:
        assert judge.judge(NOW) == []


def test_an_incident_that_would_open_again_at_once_does_not_close(world: World) -> None:
    """Five messages a minute, and one stray receipt after the opening; nothing was sent after it."""
    count(world, "bizgo", range(NOW - 60, NOW - 10), "taken", 5)
    count(world, "bizgo", range(NOW - 10, NOW - 9), "repeated", 1)
    with Judge(world) as judge:
        assert types(judge.judge(NOW)) == [SILENT]
        open_incident(world, "silent", NOW - 40, "bizgo")
        assert judge.judge(NOW + 1) == []


def test_what_was_reported_last_shows_that_a_provider_was_not_silent(world: World) -> None:
    """Receipts may take an hour. Of 40 messages none came; of 200 that were accepted later all did, and nothing is sent since."""
    settings = with_times(world, receipt_within_s=3600)
    count(world, "bizgo", range(NOW - 70, NOW - 69), "taken", 40)
    count(world, "bizgo", range(NOW - 30, NOW - 29), "taken", 200)
    count(world, "bizgo", range(NOW - 30, NOW - 29), "in_time", 200)
    count(world, "bizgo", range(NOW - 11, NOW - 10), "delivered", 1)
    with Judge(world, **settings) as judge:
        assert judge.judge(NOW) == []


def add_notification(world: World, name: str, minute: int) -> None:
    world.sql(
        "INSERT INTO notification (provider, notification_id, status, first_seen_at, version) VALUES ('bizgo', %s, 'PENDING', %s, 1)",
        name,
        at(minute),
    )


def test_a_campaign_that_breaks_off_while_ingress_was_away_says_so(world: World) -> None:
    """One receipt came since ingress was there again. Whether the others were sent meanwhile, and lost, is not known."""
    count(world, "bizgo", range(NOW - 14, NOW - 13), "taken", 100)
    count(world, "bizgo", range(NOW - 10, NOW - 9), "repeated", 1)
    for minute in (*range(NOW - 130, NOW - 13), *range(NOW - 11, NOW + 1)):
        add_calls(world, minute, "one", 0)
    with Judge(world) as judge:
        (opened,) = judge.judge(NOW)
    until = at(NOW - 11).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert (opened["type"], opened["cause"]) == (SILENT, f"ingress was away, or could not write to Kafka, shortly before {until}: receipts of that time may be missing")


def test_the_example_of_a_campaign_that_breaks_off_is_a_message_whose_receipt_is_due(world: World) -> None:
    """One that was accepted a minute ago is not."""
    count(world, "bizgo", range(NOW - 11, NOW - 10), "taken", 100)
    count(world, "bizgo", range(NOW - 10, NOW - 9), "delivered", 10)
    count(world, "bizgo", range(NOW - 1, NOW), "taken", 1)
    add_notification(world, "missing", NOW - 11)
    add_notification(world, "not due", NOW - 1)
    with Judge(world) as judge:
        (opened,) = judge.judge(NOW)
    assert (opened["type"], opened["example"]) == (SILENT, "missing")


# --- at risk


def add_calls(world: World, minute: int, instance: str, failed: int, refused: int = 0, in_a_row: int = 0) -> None:
    """Of Blux, none of which got a 2xx."""
    world.sql(
        "INSERT INTO endpoint_minute (minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed, failed_in_a_row,"
        " spooled, leaving) VALUES (%s, 'blux/sms', %s, gen_random_uuid(), 'blux', %s, 0, %s, %s, %s, %s, 0, false)",
        *(at(minute), instance, failed + refused, refused, json.dumps({"ip": refused} if refused else {}), failed + refused, in_a_row),
    )


def with_limits(world: World, **limits: int) -> dict[str, str]:
    """A setting: Blux calls no more after so many failures."""
    settings = with_times(world)
    file = Path(settings["DOCHAK_PROVIDERS_DIR"]) / "blux.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"blocks": limits}))
    return settings


def risks(world: World, **limits: int) -> list[dict]:
    with Judge(world, **with_limits(world, **limits)) as judge:
        return [event for event in judge.judge(NOW) if event["type"] == AT_RISK]


def test_failures_in_a_row_are_those_of_all_ingress_together(world: World) -> None:
    """Two processes behind one address: each has seen half of them."""
    for minute in range(NOW - 5, NOW + 1):
        for instance in ("one", "two"):
            add_calls(world, minute, instance, 5, in_a_row=5 * (minute - NOW + 6))
    (risk,) = risks(world, failed_in_a_row=100)
    assert (risk["scope"], risk["counts"]) == ("half", {"failed": 60, "limit": 100})


def test_refused_calls_of_others_are_no_risk(world: World) -> None:
    """Three a minute, all night long. Nothing says whether the provider made them, and `refusing` is open already."""
    for minute in range(NOW - 8 * HOUR, NOW + 1):
        add_calls(world, minute, "one", 0, refused=3)
    assert risks(world, failed_a_day=100) == []


# --- slow


def test_receipts_in_time_after_forty_minutes_are_not_slow(world: World) -> None:
    """The provider may take an hour. Each message's receipt is counted long after its minute was first read."""
    make_usual(world, "bizgo", NOW)
    settings = with_times(world, receipt_within_s=3600, silent_after_s=7200)
    count(world, "bizgo", range(NOW - 3 * HOUR, NOW + 1), "taken", 10)
    count(world, "bizgo", range(NOW - 3 * HOUR, NOW + 1), "delivered", 10)
    count(world, "bizgo", range(NOW - 3 * HOUR, NOW - 2 * HOUR - 40), "in_time", 10)
    with Judge(world, **settings) as judge:
        for minute in range(NOW - 2 * HOUR, NOW + 1, 5):
            assert judge.judge(minute) == [], f"{NOW - minute} minutes before the end"
            count(world, "bizgo", range(minute - 40, minute - 35), "in_time", 10)


def test_a_leader_that_stood_still_for_an_hour_reads_what_it_has_missed(world: World) -> None:
    make_usual(world, "bizgo", NOW)
    count(world, "bizgo", range(NOW - 2 * HOUR, NOW + 1), "delivered", 10)
    count(world, "bizgo", range(NOW - 60, NOW - 35), "taken", 2)
    with Judge(world) as judge:
        assert judge.judge(NOW - 65) == []
        assert types(judge.judge(NOW)) == [SLOW]


# --- what is usual


def hours(world: World) -> dict[int, tuple[int, int]]:
    """Of the last day: how many were taken and late, by Unix hour."""
    rows = world.sql("SELECT hour, taken, late FROM provider_hour WHERE hour > %s", at(NOW - DAY))
    return {int(row["hour"].timestamp()) // 3600: (row["taken"], row["late"]) for row in rows}


def test_an_hour_is_learned_when_its_last_receipt_is_due(world: World) -> None:
    settings = with_times(world, receipt_within_s=3 * 3600, silent_after_s=7200)
    count(world, "bizgo", range(NOW - 12 * HOUR, NOW + 1), "taken", 10)
    with Judge(world, **settings) as judge:
        judge.judge(NOW)
    learned = hours(world)
    assert learned and max(learned) == (NOW - 3 * HOUR) // HOUR - 1


def test_what_is_slow_does_not_become_usual(world: World) -> None:
    """Slow was open for two hours, and then for one more that has not ended. A message is due five minutes after its acceptance."""
    start = NOW // HOUR * HOUR - 8 * HOUR
    count(world, "bizgo", range(start, NOW + 1), "taken", 10)
    count(world, "bizgo", range(start, NOW + 1), "delivered", 10)
    open_incident(world, "slow", start + HOUR + 30, "bizgo", closed=start + 3 * HOUR + 30)
    open_incident(world, "slow", start + 5 * HOUR, "bizgo")
    open_incident(world, "slow", start, "blux")
    with Judge(world) as judge:
        judge.judge(NOW)
    learned = {hour - start // HOUR: taken for hour, (taken, _) in hours(world).items()}
    assert learned == {0: 600, 1: 250, 3: 350, 4: 550}


def test_a_campaign_that_broke_off_does_not_become_usual(world: World) -> None:
    """Its messages were accepted before the silence, and due within it."""
    start = NOW // HOUR * HOUR - 8 * HOUR
    count(world, "bizgo", range(start, NOW + 1), "taken", 10)
    count(world, "bizgo", range(start + HOUR + 30, start + HOUR + 31), "taken", 10000, "bizgo/other")
    open_incident(world, "silent", start + HOUR + 31, "bizgo", closed=start + HOUR + 59)
    with Judge(world) as judge:
        judge.judge(NOW)
    assert hours(world)[start // HOUR + 1][0] == 260


# --- what bounds the time


@pytest.mark.parametrize("ended", ["bizgo/alimtalk", "bizgo/other"])
def test_an_ingress_that_was_started_again_says_by_its_new_process_what_waits_in_its_spool(world: World, ended: str) -> None:
    """Both processes have a record of the minute; the other one is what the spool holds now."""
    minute = "date_trunc('minute', now())"
    for endpoint in ("bizgo/alimtalk", "bizgo/other"):
        since, leaving = ("NULL", True) if endpoint == ended else ("now() - interval '1 minute'", False)
        world.sql(f"INSERT INTO endpoint_minute SELECT {minute}, %s, 'one', gen_random_uuid(), 'bizgo', 0, 0, 0, '{{}}', 0, 0, 0, {since}, %s", endpoint, leaving)
    statement = (builds.ROOT / "processor/tables/watch_spooled.sql").read_text("utf-8")
    with world.connect() as connection:
        connection.execute(f"PREPARE watch_spooled AS {statement}")
        (row,) = connection.execute("EXECUTE watch_spooled (now() - interval '3 minutes', now())").fetchall()
    assert row["min"] is not None
