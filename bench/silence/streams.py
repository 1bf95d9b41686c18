# SPDX-License-Identifier: MIT
"""Simulated endpoints: how many calls arrive in each minute. A stream is a function of a random generator, the first local day (a
date, a Monday) and a number of days; it returns one number of calls a minute."""

import datetime
from collections.abc import Callable

import numpy

Rng = numpy.random.Generator
Counts = Rates = numpy.ndarray  # a number for each minute
DAY = 1440
NIGHT_AND_DAY = [0.3, 0.15, 0.1, 0.07, 0.07, 0.1, 0.25, 0.6, 1, 1.4, 1.6, 1.6, 1.5, 1.6, 1.7, 1.7, 1.7, 1.7, 1.6, 1.6, 1.6, 1.5, 1.1, 0.7]
OFFICE = [0.004, 0.002, 0.002, 0.002, 0.002, 0.004, 0.02, 0.2, 1, 2, 2.4, 2.4, 1.8, 2.3, 2.4, 2.4, 2.3, 2, 1, 0.5, 0.2, 0.08, 0.02, 0.01]
FLAT = [1] * 24
EVERY_DAY = [1, 1, 1, 1, 1, 0.9, 0.8]


def of_hours(profile: list[float]) -> Rates:
    return numpy.repeat(numpy.array(profile, float) * 24 / sum(profile), 60)


class Calendar:
    def __init__(self, first: datetime.date, days: int, holidays: set[datetime.date]):
        self.first, self.days = first, days
        self.dates = [first + datetime.timedelta(days=i) for i in range(days)]
        self.weekday = numpy.array([date.weekday() for date in self.dates])
        self.holiday = numpy.array([date in holidays for date in self.dates])

    def factors(self, week: list[float], holiday: float) -> numpy.ndarray:
        """Of each day: that of its weekday, or of a holiday if that is lower."""
        of_week = numpy.array(week, float)[self.weekday]
        return numpy.where(self.holiday, numpy.minimum(of_week, holiday), of_week)


def rates(
    rng: Rng,
    calendar: Calendar,
    a_day: float,
    profile: list[float],
    week: list[float] = EVERY_DAY,
    holiday: float = 0.7,
    noise: float = 0.25,
) -> Rates:
    """Calls expected in each minute, with noise by day and by hour."""
    of_day = a_day * calendar.factors(week, holiday) * rng.lognormal(-(noise**2) / 2, noise, calendar.days)
    of_hour = rng.lognormal(-(noise**2) / 2, noise, calendar.days * 24)
    return numpy.repeat(of_day, DAY) / DAY * numpy.tile(of_hours(profile), calendar.days) * numpy.repeat(of_hour, 60)


def with_pauses(rng: Rng, calls: Counts) -> Counts:
    """The provider pauses for 3 to 10 minutes, forty times a year; what it held back comes at the end."""
    for at in rng.integers(0, len(calls) - 20, round(40 * len(calls) / DAY / 365)):
        length = rng.integers(3, 11)
        calls[at + length] += calls[at : at + length].sum()
        calls[at : at + length] = 0
    return calls


def poisson(rng: Rng, rate: Rates) -> Counts:
    return with_pauses(rng, rng.poisson(rate))


def steady(rng: Rng, calendar: Calendar) -> Counts:
    return poisson(rng, rates(rng, calendar, 30000, FLAT, [1] * 7, 1))


def day_night(a_day: float) -> Callable[[Rng, Calendar], Counts]:
    return lambda rng, calendar: poisson(rng, rates(rng, calendar, a_day, NIGHT_AND_DAY))


def trend(begin: float, end: float) -> Callable[[Rng, Calendar], Counts]:
    """By the same factor each day, over a year."""

    def stream(rng: Rng, calendar: Calendar) -> Counts:
        growth = (end / begin) ** (numpy.arange(calendar.days * DAY) / DAY / 365)
        return poisson(rng, rates(rng, calendar, begin, NIGHT_AND_DAY) * growth)

    return stream


def customer_leaves(rng: Rng, calendar: Calendar) -> Counts:
    rate = rates(rng, calendar, 3000, NIGHT_AND_DAY)
    rate[rng.integers(15 * 7, calendar.days - 28) * DAY + rng.integers(DAY) :] *= 0.3
    return poisson(rng, rate)


def office(rng: Rng, calendar: Calendar) -> Counts:
    weekend = rng.uniform(0.05, 0.08)
    return poisson(rng, rates(rng, calendar, 3000, OFFICE, [1] * 5 + [weekend] * 2, weekend))


def closed(rng: Rng, calendar: Calendar) -> Counts:
    return poisson(rng, rates(rng, calendar, 1000, OFFICE, [1] * 5 + [0] * 2, 0))


def clusters(rng: Rng, calendar: Calendar) -> Counts:
    """Each of 60 calls a day brings four more, within hours."""
    first = poisson(rng, rates(rng, calendar, 60, NIGHT_AND_DAY))
    at = numpy.repeat(numpy.arange(len(first)), first * 4)
    at = at + rng.exponential(90, len(at)).astype(int)
    return first + numpy.bincount(at[at < len(first)], minlength=len(first))


def add_campaigns(rng: Rng, calendar: Calendar, calls: Counts, a_week: float) -> Counts:
    """1,000 to 10,000 calls, half of them within 20 minutes, in the office hours of a working day."""
    working = numpy.flatnonzero((calendar.weekday < 5) & ~calendar.holiday)
    for day in rng.choice(working, rng.poisson(a_week * calendar.days / 7)):
        size = int(numpy.exp(rng.uniform(numpy.log(1000), numpy.log(10000))))
        at = day * DAY + rng.integers(9 * 60, 18 * 60) + rng.exponential(30, size).astype(int)
        calls = calls + numpy.bincount(at[at < len(calls)], minlength=len(calls))
    return calls


def campaigns(rng: Rng, calendar: Calendar) -> Counts:
    return add_campaigns(rng, calendar, poisson(rng, rates(rng, calendar, 150, NIGHT_AND_DAY)), 3)


def campaigns_only(rng: Rng, calendar: Calendar) -> Counts:
    return add_campaigns(rng, calendar, numpy.zeros(calendar.days * DAY, int), 8)


STREAMS = {
    "steady, 30,000 a day": steady,
    "day-night, 3,000 a day": day_night(3000),
    "day-night, 300 a day": day_night(300),
    "growing fivefold a year": trend(1000, 5000),
    "shrinking to a fifth": trend(5000, 1000),
    "a customer with 70 % leaves": customer_leaves,
    "office hours, 5-8 % at weekends": office,
    "office hours, closed at weekends": closed,
    "clusters": clusters,
    "campaigns over 150 a day": campaigns,
    "5 a day": day_night(5),
    "campaigns only, 8 a week": campaigns_only,
}
