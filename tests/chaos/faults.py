# SPDX-License-Identifier: MIT
"""What is done to the system in a run, and when: a function of the seed and nothing else.

A fault strikes when so many receipts are acknowledged, never at a time; how long it lasts is part of the plan.
"""

import random
from dataclasses import dataclass

SESSION = 6.0  # seconds: session.timeout.ms, the least that a broker allows
TRANSACTION = 10.0  # seconds: transaction.timeout.ms of a processor; the broker ends the transaction of who is silent for longer
ALONE = 0.4  # of the faults strike when everything has come back from those before; the others join in


@dataclass(frozen=True)
class Kind:
    what: str
    target: str
    least: float  # seconds
    most: float

    def __str__(self) -> str:
        return f"{self.what} {self.target}"


@dataclass(frozen=True)
class Fault:
    at: int  # receipts acknowledged
    kind: Kind
    seconds: float
    alone: bool

    def __str__(self) -> str:
        return f"{self.at:>7}  {self.kind}, {self.seconds:.2f} s{', alone' if self.alone else ''}"


KINDS = [
    Kind("kill", "ingress", 0, 0.5),
    Kind("kill", "processor-1", 0, 1),
    Kind("kill", "processor-2", 0, 1),
    Kind("kill", "kafka", 0, 2),
    Kind("kill", "postgres", 0, 2),
    Kind("freeze", "ingress", 0.2, 3),
    Kind("freeze", "processor-1", SESSION + 1.5, SESSION + 3),  # the group gives its partitions away meanwhile
    Kind("freeze", "processor-2", SESSION + 1.5, SESSION + 3),
    Kind("freeze", "processor-1", 0.5, 3),
    Kind("freeze", "processor-2", TRANSACTION + 2, TRANSACTION + 15),  # the broker ends its transaction
    Kind("freeze", "kafka", 0.5, 8),
    Kind("freeze", "postgres", 0.5, 6),
    Kind("restart", "ingress", 0, 0.2),
    Kind("restart", "processor-1", 0, 0.5),
    Kind("restart", "processor-2", 0, 0.5),
    Kind("restart", "kafka", 0, 0.5),
    Kind("restart", "postgres", 0, 0.5),
    Kind("cut", "kafka-wire", 0, 0),
    Kind("cut", "postgres-wire", 0, 0),
    Kind("swallow", "kafka-wire", 0.5, 6),
    Kind("swallow", "postgres-wire", 0.5, 6),
    Kind("cut after COMMIT", "postgres-wire", 0, 0),
    Kind("cut after EndTxn", "kafka-wire", 0, 0),
    Kind("cut after TxnOffsetCommit", "kafka-wire", 0, 0),
    Kind("cut after Produce", "kafka-wire", 0, 0),
    Kind("fill", "kafka", 0.5, 3),
    Kind("fill", "postgres", 0.5, 3),
    Kind("fill", "spool", 0.5, 3),
]
BY_NAME = {str(kind): kind for kind in reversed(KINDS)}  # of two the first, which is the longer


def _deal(chance: random.Random, kinds: list[Kind], count: int) -> list[Kind]:
    """Each as often as the others, give or take one, in any order."""
    deck = [kind for _ in range(count // len(kinds)) for kind in kinds] + chance.sample(kinds, count % len(kinds))
    chance.shuffle(deck)
    return deck


def derive(seed: int, receipts: int, count: int, kinds: list[Kind] | None = None) -> list[Fault]:
    """In the order in which they strike, spread over the receipts; none before the first twentieth or in the last."""
    chance = random.Random(f"faults {seed}")
    dealt = _deal(chance, kinds or KINDS, count)
    first, last = receipts // 20, receipts - receipts // 20
    places = sorted(chance.randrange(first, last) for _ in dealt)
    return [Fault(at, kind, chance.uniform(kind.least, kind.most), chance.random() < ALONE) for at, kind in zip(places, dealt, strict=True)]
