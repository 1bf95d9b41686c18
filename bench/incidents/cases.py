# SPDX-License-Identifier: MIT
"""What is simulated, and what must come out. Each function is one table; it returns its rows and what is wrong."""

import ctypes
import random
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from streams import DAY, NIGHT_AND_DAY, OFFICE, Campaign, Fault, Share, pauses, stream_of, traffic
from watch import (
    CLOSE,
    FAILING,
    NOT_OPEN,
    OPEN,
    REFUSING_MINUTES,
    SILENT,
    SLOW,
    Alert,
    EndpointMinute,
    Faults,
    Minute,
    RefusingFound,
    rules,
    watched,
)

USUAL = Share(invalid=0.015, off=0.01, failed=0.005, late=0.01, never=0.002)
CLEAN = Share(invalid=0.04, off=0.06, failed=0.005, late=0.01, never=0.002)  # a campaign's list
BAD = Share(invalid=0.6, off=0.1, failed=0.005, late=0.01, never=0.002)
OFF = Share(invalid=0.04, off=0.35, failed=0.005, late=0.01, never=0.002)  # a third of the handsets is switched off


class Table(NamedTuple):
    title: str
    head: list[str]
    rows: list[list[str]]
    wrong: list[str]


def opens(alerts: Iterable[Alert], kind: str) -> list[Alert]:
    return [alert for alert in alerts if alert.kind == kind and alert.opens]


def shown(minutes: float | None) -> str:
    if minutes is None:
        return "never"
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


# ---- failing beside campaigns ----


def campaigns_of(rng: random.Random, days: int, a_year: int, bad_a_year: int) -> list[Campaign]:
    """A half of the bad lists has numbers that are invalid, the other half handsets that are off."""
    n, bad = round(a_year * days / 365), round(bad_a_year * days / 365)
    begins = [rng.randrange(days) * DAY + rng.randrange(9 * 60) for _ in range(n)]  # 09 to 18 h in Korea
    lists = [BAD if i < bad // 2 else OFF if i < bad else CLEAN for i in range(n)]
    return [Campaign(begin, round(500 * 40 ** rng.random()), share, rng.choice((1, 10, 40))) for begin, share in zip(begins, lists, strict=True)]


def campaigns(days: int, seed: int, rates: tuple = (0, 5, 20, 60, 200, 1000)) -> Table:
    """The twelve cases: other receipts an hour × lists."""
    rows, wrong = [], []
    for an_hour in rates:
        for lists, bad in (("good", 0), ("12 of 50 are bad", 12)):
            rng = random.Random(f"campaigns {seed} {an_hour} {bad}")
            counts = traffic(rng, days, an_hour * 24, NIGHT_AND_DAY, noise=0.2)
            stream = stream_of(rng, counts, USUAL, [], campaigns_of(rng, days, 50, bad))
            unmarked = (Minute * len(stream)).from_buffer_copy(stream)
            for minute in unmarked:
                minute.failed += minute.recipient_fault
            alerts = watched(stream, (FAILING, SILENT))
            false = [len(opens(alerts, kind)) for kind in (FAILING, SILENT)]
            rows.append([str(an_hour), lists, *map(str, false), str(len(opens(watched(unmarked, (FAILING,)), FAILING)))])
            wrong += [f"campaigns: {an_hour} an hour, {lists}: {false} false alarms"] if any(false) else []
    head = ["other receipts an hour", "lists", "failing", "silent", "failing, without marked codes"]
    return Table(f"False alarms in {days} days with 50 campaigns of 500 to 20,000 a year", head, rows, wrong)


def delays_of(kind: str, an_hour: float, share: float, runs: int, history: int, seed: int, usual: Share) -> list[float | None]:
    """Minutes from the beginning of the fault to the end of the minute in which the incident opens."""
    delays: list[float | None] = []
    for run in range(runs):
        rng = random.Random(f"{kind} {seed} {an_hour} {share} {run}")
        begin = history * DAY + rng.randrange(DAY)
        counts = traffic(rng, history + 3, an_hour * 24)
        stream = stream_of(rng, counts, usual, [Fault(kind, begin, len(counts), share)])
        found = [alert.minute + 1 - begin for alert in opens(watched(stream, (kind,)), kind)]
        delays.append(found[0] if found else None)
    return delays


def middle(delays: list[float | None]) -> float | None:
    found = sorted(float("inf") if delay is None else delay for delay in delays)
    return None if found[len(found) // 2] == float("inf") else median(found)


def early(delays: list[float | None]) -> int:
    return sum(delay is not None and delay < 0 for delay in delays)


def found_rows(cases: tuple, runs: int, history: int, seed: int, usual: Share) -> tuple[list[list[str]], list[str]]:
    rows, wrong = [], []
    for kind, an_hour, share, expected in cases:
        delays = delays_of(kind, an_hour, share, runs, history, seed, usual)
        got = middle(delays)
        rows.append([f"{an_hour:,}", f"{share:.0%}", shown(got), shown(expected), str(early(delays))])
        if got is None or got > expected * 1.3 + 1 or early(delays):
            wrong.append(f"{kind}: {an_hour} an hour, {share:.0%}: {delays}, expected {expected} minutes")
    return rows, wrong


FOUND_HEAD = ["messages an hour", "affected", "found after", "expected", "false before"]


def failing_found(runs: int, seed: int) -> Table:
    cases = ((FAILING, 1000, 1.0, 3), (FAILING, 100, 1.0, 7), (FAILING, 20, 1.0, 32), (FAILING, 5, 1.0, 132))
    rows, wrong = found_rows(cases, runs, 2, seed, USUAL)
    return Table(f"A provider fails: median of {runs}", FOUND_HEAD, rows, wrong)


def silent_found(runs: int, seed: int) -> Table:
    """The window, or as long as it takes until five messages are due."""
    cases = ((SILENT, 1000, 1.0, 10), (SILENT, 100, 1.0, 10), (SILENT, 20, 1.0, 20), (SILENT, 5, 1.0, 65))
    rows, wrong = found_rows(cases, runs, 2, seed, USUAL)
    return Table(f"A provider is silent: median of {runs}", FOUND_HEAD, rows, wrong)


def breaks_off(runs: int, seed: int) -> Table:
    """A campaign whose receipts come within a minute, and stop after two of its four minutes; few other messages, or none."""
    rows, wrong = [], []
    for an_hour, expected in ((0, 10), (5, 10), (20, 10)):
        delays: list[float | None] = []
        for run in range(runs):
            rng = random.Random(f"breaks off {seed} {an_hour} {run}")
            begin = 2 * DAY + rng.randrange(9 * 60)
            stops = begin + 2
            counts = traffic(rng, 3, an_hour * 24)
            campaign = Campaign(begin, round(500 * 40 ** rng.random()), CLEAN, 1)
            stream = stream_of(rng, counts, USUAL, [Fault("silent", stops, len(counts))], [campaign])
            found = [alert.minute + 1 - stops for alert in opens(watched(stream, (SILENT,)), SILENT)]
            delays.append(found[0] if found else None)
        got = middle(delays)
        rows.append([str(an_hour), shown(got), shown(expected), str(early(delays))])
        wrong += [f"breaks off: {an_hour} an hour: {delays}"] if got is None or got > expected + 2 or None in delays or early(delays) else []
    head = ["other messages an hour", "found after", "expected", "false before"]
    return Table(f"Half a campaign is reported, and then nothing: median of {runs}", head, rows, wrong)


# ---- slow ----


def slow_false(days: int, seed: int, rates: tuple = (10, 100, 1000, 10000)) -> Table:
    rows, wrong = [], []
    for an_hour in rates:
        for name, day, night in (("4 %", 0.04, 0.04), ("4 % by day, 12 % by night", 0.04, 0.12)):
            rng = random.Random(f"slow {seed} {an_hour} {night}")
            stream = (Minute * (days * DAY))()
            for minute, n in enumerate(traffic(rng, days, an_hour * 24)):
                is_night = minute // 60 % 24 >= 13  # 22 to 09 h in Korea
                late = sum(rng.random() < (night if is_night else day) for _ in range(n)) if n < 20 else None
                if late is None:
                    p = night if is_night else day
                    late = min(n, max(0, round(rng.gauss(n * p, (n * p * (1 - p)) ** 0.5))))
                stream[minute].taken, stream[minute].in_time = n, n - late
            false = len(opens(watched(stream, (SLOW,)), SLOW))
            rows.append([f"{an_hour:,}", name, str(false)])
            wrong += [f"slow: {an_hour} an hour, {name}: {false} false alarms"] if false else []
    return Table(f"False alarms of slow in {days} days", ["messages an hour", "late on any day", "slow"], rows, wrong)


def slow_found(runs: int, seed: int, rates: tuple = (1000, 100, 10)) -> Table:
    times = {(1000, 1.0): 16, (100, 1.0): 20, (10, 1.0): 62, (1000, 0.3): 22, (100, 0.3): 156, (10, 0.3): 420}
    cases = tuple((SLOW, rate, share, times[rate, share]) for share in (1.0, 0.3) for rate in rates)
    rows, wrong = found_rows(cases, runs, 3, seed, Share(late=0.04))
    return Table(f"A provider is slow: median of {runs}", FOUND_HEAD, rows, wrong)


# ---- a month ----

MONTH = 30
PROVIDERS = (  # messages a day, profile, weekends; its incident
    (3000, NIGHT_AND_DAY, 0.9, Fault("failing", 12 * DAY + 80, 12 * DAY + 220)),
    (600, NIGHT_AND_DAY, 0.9, Fault("silent", 17 * DAY + 305, 17 * DAY + 570)),
    (1500, OFFICE, 0.08, Fault("slow", 22 * DAY + 120, 22 * DAY + 360, 0.6)),
)


def month_of(seed: int, nth: int) -> list[Alert]:
    a_day, profile, weekend, fault = PROVIDERS[nth]
    rng = random.Random(f"month {seed} {nth}")
    counts = traffic(rng, MONTH, a_day, profile, weekend, noise=0.25)
    share = Share(invalid=rng.uniform(0.005, 0.015), off=rng.uniform(0.003, 0.01), failed=0.003, late=0.01, never=0.002)
    return watched(stream_of(rng, counts, share, [fault, *pauses(rng, len(counts), 6)]))


def months(n: int, seed: int) -> Table:
    rows, wrong = [], []
    for nth, (a_day, _, _, fault) in enumerate(PROVIDERS):
        found, others = [], 0
        for i in range(n):
            alerts = month_of(seed * 1000 + i, nth)
            real = [a for a in alerts if a.kind == fault.kind and fault.begin <= a.minute]
            good = [a.opens for a in real] == [True, False] and real[0].minute < fault.end < real[1].minute + 30
            others += len(alerts) - (len(real) if good else 0)
            found += [real[0].minute + 1 - fault.begin] if good else []
            wrong += [] if good and len(alerts) == 2 else [f"month {seed * 1000 + i}, {fault}: {alerts}"]
        rows.append([f"{a_day:,}", fault.kind, f"{len(found)} of {n}", shown(median(found)) if found else "–", str(others)])
    head = ["messages a day", "its incident", "found, opened and closed once", "after", "other alerts"]
    return Table(f"{n} months of three providers, with pauses of 3 to 8 minutes", head, rows, wrong)


# ---- account faults ----

S, M, H = 1000, 60 * 1000, 3600 * 1000
WINDOW = 10 * M


def alerts_of_faults(times: list[int], delivered_every: int) -> tuple[int, float]:
    """Incidents that open, and the hours from the last fault to the last close. Other messages are delivered all the time."""
    library, faults, opened, ends = rules(), Faults(), 0, 0
    is_open, fault, at = False, 0, times[0]
    while fault < len(times) or is_open:
        if fault < len(times) and times[fault] <= at:
            library.failing_fault_add(ctypes.byref(faults), times[fault], WINDOW)
            opened, is_open, fault = opened + (not is_open), True, fault + 1
            continue
        if is_open and library.failing_fault_is_over(ctypes.byref(faults), at, at - at % delivered_every, WINDOW):
            is_open, ends = False, at
        at = at + M if is_open else times[fault] if fault < len(times) else at
    return opened, (ends - times[-1]) / H


def account_faults() -> Table:
    start = 20000 * 24 * H
    hourly = [start + day * 24 * H + hour * H for day in range(5) for hour in range(10)]
    cases = (
        ("an account is suspended for a day, 1,000 an hour", [start + i * 3600 for i in range(24000)], 1, 0.2),
        ("an account is suspended for two hours, 10 an hour", [start + i * 6 * M for i in range(20)], 1, 2.0),
        ("one template, once an hour, 10 hours a day, 5 days", hourly, 2, 26.1),
        ("one template, once a day, 20 days", [start + i * 24 * H for i in range(20)], 2, 26.1),
        ("one message", [start], 1, 2.1),
    )
    rows, wrong = [], []
    for name, times, most, hours in cases:
        opened, rest = alerts_of_faults(times, 30 * S)
        rows.append([name, str(len(times)), str(opened), f"{rest:.1f} h"])
        wrong += [f"account faults: {name}: {opened} incidents, {rest} h"] if opened > most or rest > hours else []
    return Table("Account faults, while other messages are delivered", ["story", "faults", "incidents", "closed after"], rows, wrong)


# ---- refusing ----


def refusing_story(rng: random.Random, a_minute: float, rotated_s: int | None, scanner: float, minutes: int) -> list[tuple[int, int]]:
    """Verdicts with their minutes. Somebody knocks from the second hour on; a secret is rotated at that second, for an hour."""
    library, found = rules(), RefusingFound()
    past = [EndpointMinute() for _ in range(REFUSING_MINUTES)]
    opened, verdicts = NOT_OPEN, []
    for minute in range(minutes):
        calls = refused = 0
        at = rng.expovariate(a_minute) * 60
        while at < 60:
            second = minute * 60 + at
            calls += 1
            refused += rotated_s is not None and rotated_s <= second < rotated_s + 3600
            at += rng.expovariate(a_minute) * 60
        knocks = round(rng.expovariate(1 / scanner)) if scanner and minute >= 120 else 0
        past = [EndpointMinute(calls + knocks, refused + knocks), *past[:-1]]
        array = (EndpointMinute * REFUSING_MINUTES)(*past)
        verdict = library.refusing_judge(array, minute, opened, ctypes.byref(found))
        if verdict:
            opened = minute if verdict == OPEN else NOT_OPEN
            verdicts.append((minute, verdict))
    return verdicts


def refusing(runs: int, seed: int) -> Table:
    rows, wrong = [], []
    for a_minute, most in ((17, 120), (1000, 120), (1, 900)):
        delays = []
        for run in range(runs if a_minute < 100 else max(1, runs // 20)):
            rng = random.Random(f"refusing {seed} {a_minute} {run}")
            rotated = 150 * 60 + rng.randrange(60)
            verdicts = refusing_story(rng, a_minute, rotated, 0, 240)
            if [verdict for _, verdict in verdicts] != [OPEN, CLOSE]:
                wrong.append(f"refusing: {a_minute} a minute, run {run}: {verdicts}")
                continue
            delays.append((verdicts[0][0] + 1) * 60 - rotated)
        rows.append([f"a secret is rotated at {a_minute:,} calls a minute", f"{max(delays)} s at most, median {median(delays):.0f} s"])
        wrong += [f"refusing: {a_minute} a minute: {max(delays)} s"] if max(delays) > most else []
    for a_minute, knocks in ((17, 10), (17, 200), (60, 2000)):
        stories = (refusing_story(random.Random(f"scanner {seed} {run}"), a_minute, None, knocks, 180) for run in range(runs))
        alarms = sum(bool(verdicts) for verdicts in stories)
        rows.append([f"somebody knocks {knocks:,} times a minute for an hour, beside {a_minute} good calls", f"{alarms} alarms in {runs}"])
        wrong += [f"refusing: a scanner of {knocks} beside {a_minute}: {alarms} alarms"] if alarms else []
    return Table("An endpoint refuses", ["story", "result"], rows, wrong)
