# SPDX-License-Identifier: MIT
"""What `./dev bench silence` measures: what the rule of processor/rules/rhythm.h makes of years of simulated endpoints, minute by minute.

table: false alarms a year, and how soon a full stop is found. five-weeks: a stop after five weeks of learning. outages: a year with three
of them. nearly-all: 95 % of the calls stop. Beside them stand the numbers of the
simulation by which the rule's constants were chosen: another program, other streams of the same kinds. No Kafka, no Postgres; one core.
"""

import argparse
import datetime
import pathlib
import sys
import time

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent / "silence"))
import life
import streams

DAY, WEEK = 1440, 7 * 1440
LEARNING_DAYS, YEAR_DAYS = 28, 364
HOLIDAYS = life.holidays()
WORST = 14 * DAY

# Of that simulation: false alarms a year; share found within 30 minutes where 50 calls would have come; median and 90 % of the delay by
# day and by night.
REFERENCE = {
    "steady, 30,000 a day": ("0.00", "100 %", "15 / 21 min", "15 / 21 min"),
    "day-night, 3,000 a day": ("0.14", "94 %", "20 / 29 min", "1.6 / 3.5 h"),
    "day-night, 300 a day": ("0.00", "-", "1.5 / 2.7 h", "8 / 11 h"),
    "growing fivefold a year": ("0.03", "99 %", "28 / 62 min", "2.8 / 6.9 h"),
    "shrinking to a fifth": ("0.03", "91 %", "23 / 40 min", "2.5 / 6.7 h"),
    "a customer with 70 % leaves": ("0.00", "100 %", "42 min / 2.1 h", "6 / 10 h"),
    "office hours, 5-8 % at weekends": ("0.00", "93 %", "28 min / 7 h", "14 / 32 h"),
    "office hours, closed at weekends": ("0.58", "few", "47 min / 6.5 d", "6.8 / 8 d"),
    "clusters": ("0.11", "-", "3.7 / 8 h", "11 / 15 h"),
    "campaigns over 150 a day": ("0.53", "0 %", "6 / 32 h", "21 / 44 h"),
    "5 a day": ("0.00", "-", "3.8 d / quiet", "3.8 d / quiet"),
    "campaigns only, 8 a week": ("0.22", "0 %", "quiet", "quiet"),
}


def written(minutes: float) -> str:
    if minutes >= WORST:
        return "quiet"
    for unit, size in (("d", DAY), ("h", 60)):
        if minutes >= 2 * size:
            return f"{minutes / size:.1f} {unit}"
    return f"{minutes:.0f} min"


def median_and_90(delays: list[int | None]) -> str:
    delays = sorted(WORST if delay is None else delay for delay in delays)
    if not delays:
        return "-"
    return f"{written(delays[len(delays) // 2])} / {written(delays[int(len(delays) * 0.9)])}"


def new_stream(name: str, seed: int, days: int = LEARNING_DAYS + YEAR_DAYS):
    """Begins on a Monday of 2024 to 2027, so that the holidays fall on other weekdays."""
    rng = numpy.random.default_rng([seed, *name.encode()])
    first = datetime.date(2024, 1, 1) + datetime.timedelta(weeks=int(rng.integers(0, 3 * 52)))
    calendar = streams.Calendar(first, days, HOLIDAYS)
    return rng, calendar, streams.STREAMS[name](rng, calendar)


def stops_of(rng: numpy.random.Generator, days: int, each: int) -> list[tuple[int, bool]]:
    """Minutes of full stops, half of them between 9 and 18 h, half between 0 and 6 h; from the ninth week on."""
    day = rng.integers(56, days - 14, 2 * each) * DAY
    at = numpy.concatenate([rng.integers(9 * 60, 18 * 60, each), rng.integers(0, 6 * 60, each)])
    return sorted(zip(day + at, [True] * each + [False] * each))


class Family:
    """The endpoints of one stream."""

    def __init__(self):
        self.alarms, self.day, self.night, self.in_30 = [], [], [], []

    def live(self, name: str, seed: int, stops_each: int, with_list: bool) -> None:
        rng, calendar, calls = new_stream(name, seed)
        endpoint, opened = life.Life(calendar.first, calls, with_list), []
        for at, by_day in stops_of(rng, calendar.days, stops_each):
            opened += endpoint.run_to(int(at))
            delay = endpoint.stop()
            (self.day if by_day else self.night).append(delay)
            if by_day and calls[at : at + 30].sum() >= 50:
                self.in_30.append(delay is not None and delay <= 30)
        self.alarms.append(len(opened + endpoint.run_to(len(calls))))

    def row(self) -> tuple[str, ...]:
        found = f"{100 * sum(self.in_30) / len(self.in_30):.0f} %" if len(self.in_30) > 4 else "-"
        false = f"{sum(self.alarms) / len(self.alarms):.2f} ({max(self.alarms)})"
        return false, found, median_and_90(self.day), median_and_90(self.night)


def table(options: argparse.Namespace) -> None:
    print(
        f"\n{options.endpoints} endpoint-years a stream, {options.endpoints * 2 * options.stops} full stops"
        + (", with the list of holidays" if options.list else "")
    )
    print(f"{'':34}{'false a year (most)':20}{'50 in 30':10}{'day: median / 90 %':22}{'night':22}")
    for name in options.streams:
        family = Family()
        for seed in range(options.endpoints):
            family.live(name, options.seed + seed, options.stops, options.list)
        for title, row in ((name, family.row()), ("   reference", REFERENCE[name])):
            print(f"{title:34}{row[0]:20}{row[1]:10}{row[2]:22}{row[3]:22}", flush=True)


def five_weeks(options: argparse.Namespace) -> None:
    """Five weeks, then nothing."""
    print(f"\nFive weeks, then nothing: {options.endpoints} endpoints (median / 90 % / worst)")
    cases = (
        ("day-night, 3,000 a day", "Tuesday 14:00", DAY + 14 * 60, "18 / 26 / 38 min"),
        ("day-night, 3,000 a day", "any time from 9 to 18 h", None, ""),
        ("day-night, 3,000 a day", "Friday 00:40", 4 * DAY + 40, "53 min / - / 5.5 h"),
        ("day-night, 300 a day", "Friday 00:40", 4 * DAY + 40, "9 h / - / 14 h"),
        ("office hours, closed at weekends", "Friday 00:40", 4 * DAY + 40, "day 7, a fifth quiet; with the list day 4"),
    )
    for name, when, at, reference in cases:
        delays, before = [], 0
        for seed in range(options.endpoints):
            rng, calendar, calls = new_stream(name, options.seed + 1000 + seed, 44)
            endpoint = life.Life(calendar.first, calls, options.list)
            stop = 5 * WEEK + (at if at is not None else int(rng.integers(0, 7)) * DAY + int(rng.integers(9 * 60, 18 * 60)))
            before += len(endpoint.run_to(stop))
            delays.append(endpoint.stop() or WORST)
        worst, in_30 = written(max(delays)), sum(delay <= 30 for delay in delays)
        print(
            f"{name:34}{when:26}{median_and_90(delays)} / {worst}; within 30 minutes {in_30} of {len(delays)}; before {before}"
            + (f"; reference {reference}" if reference else ""),
            flush=True,
        )


OUTAGES = (("2 h at noon", 12 * 60, 2 * 60), ("26 h", 40, 26 * 60), ("12 days", 40, 12 * DAY))


def outages(options: argparse.Namespace) -> None:
    """A year with holidays and growth, and three outages in its second, third and last quarter."""
    references = {
        "steady, 30,000 a day": "all",
        "growing fivefold a year": "all (3,000 a day)",
        "day-night, 300 a day": "69 %, all, all",
        "office hours, 5-8 % at weekends": "all, 50 % (with the list 97 %), all",
    }
    print(f"\nA year with three outages: {options.endpoints} endpoints")
    for name, reference in references.items():
        found, false = [0] * len(OUTAGES), []
        for seed in range(options.endpoints):
            rng, calendar, calls = new_stream(name, options.seed + 2000 + seed)
            spans = []
            for i, (_, hour, length) in enumerate(OUTAGES):
                day = 100 + 90 * i + int(rng.integers(0, 60))
                while calendar.weekday[day] > 4 or calendar.holiday[day]:
                    day += 1
                spans.append((day * DAY + hour, day * DAY + hour + length))
                calls[slice(*spans[-1])] = 0
            opened = life.Life(calendar.first, calls, options.list).run_to(len(calls))
            for i, (begin, end) in enumerate(spans):
                found[i] += any(begin <= at < end for at in opened)
            false.append(sum(not any(begin <= at < end for begin, end in spans) for at in opened))
        share = ", ".join(f"{title} {100 * n // options.endpoints} %" for (title, _, _), n in zip(OUTAGES, found))
        print(f"{name:34}found: {share}; false {sum(false) / len(false):.2f} (most {max(false)}); reference: {reference}", flush=True)


def nearly_all(options: argparse.Namespace) -> None:
    """A stop of 95 %."""
    print(f"\nA stop of 95 % by day (median / 90 %): {options.endpoints} endpoints")
    for name, reference in (("steady, 30,000 a day", "39 / 86 min"), ("day-night, 3,000 a day", "42 min / 2.1 h")):
        delays = []
        for seed in range(options.endpoints):
            rng, calendar, calls = new_stream(name, options.seed + 3000 + seed, 120)
            at = int(rng.integers(70, 100)) * DAY + int(rng.integers(9 * 60, 18 * 60))
            endpoint = life.Life(calendar.first, calls)
            endpoint.run_to(at)
            delays.append(endpoint.go_on(rng.binomial(calls[at : at + 14 * DAY], 0.05)))
        print(f"{name:34}{median_and_90(delays)}; reference {reference}", flush=True)


PARTS = {"table": table, "five-weeks": five_weeks, "outages": outages, "nearly-all": nearly_all}


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench silence", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=36, help="of each stream (36)")
    parser.add_argument("--stops", type=int, default=15, help="full stops of each endpoint, by day and by night (15)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="with the list of public holidays")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--streams", nargs="+", choices=REFERENCE, default=list(REFERENCE), metavar="STREAM", help="of the table")
    options = parser.parse_args()
    began = time.process_time()
    for part in options.parts:
        PARTS[part](options)
    print(f"\n{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
