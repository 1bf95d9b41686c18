# SPDX-License-Identifier: MIT
"""Documents that are almost right: one change each, drawn with a fixed seed, at every depth."""

import copy
import random
from collections.abc import Iterator

# What a wrong value is taken from: every type, and the edges of every range the schemas name.
STRINGS = ["", "/", "/a", "a", "/a~", "/a~0b~1", "/a~2", "Acme", "acme", "receipt", "other", "delivered", "failed", "+09:00", "+15:00", "KST",
           "${/msgKey}", "${}", "${msgKey}", "${/a", "x" * 64, "x" * 65, "x" * 256, "알림" * 32, "알림" * 60, "/" + "알" * 254, "/" + "알" * 255,
           "a\tb", "a\x85b", "/a/*", "/a/", "/a[0]", "/-", "/ a", "/a b", "id=${/x}", "$$ and {}", "${/a/}",
           "DOCHAK_SECRET_A", "a/b/c/d", "a/b/c/d/e", ".a", "2026-01-12T11:00:03Z", "2026-01-12 11:00:03", "SENT", "010****5678", "01012345678"]
NUMBERS = [0, 1, -1, 99, 100, 199, 200, 299, 300, 404, 499, 500, 30000, 30001, 2592000, 2592001, 1.0, 200.0, 1500.5, 1e300, 2**53 + 1, 2**63, -(2**70)]
OTHERS = [None, True, False, [], {}, [""], ["/a"], ["/a", "/a"], ["/a", "/b"], [1, 1.0], [[]], {"value": "SMS"}, {"value": ""}, {"value": 1}, {"a": 1},
          {"": ""}, {"status": 200}, {"status": 200, "body": {}}, {"present": ["/a"]}, {"equals": {"/a": ["b"]}}, {"equals": {"a": ["b"]}}, {"equals": {}},
          {"outcome": "delivered"}, {"outcome": "failed"}, {"outcome": "failed", "reason": "x"}, {"shapes": [{"id": "/id"}]}]
VALUES = STRINGS + NUMBERS + OTHERS
KEYS = ["", "id", "code", "kind", "when", "each", "accepted", "reason", "value", "$comment", "unknown", "/pointer", "x" * 64, "x" * 65, "키"]


def places(node: object, path: tuple = ()) -> Iterator[tuple]:
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(value, (*path, key))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from places(value, (*path, i))


def at(node: object, path: tuple) -> object:
    for step in path:
        node = node[step]
    return node


def replace(document: object, path: tuple, value: object) -> object:
    if not path:
        return value
    at(document, path[:-1])[path[-1]] = value
    return document


def change_object(rng: random.Random, node: dict) -> None:
    key = rng.choice(list(node)) if node else None
    how = rng.randrange(3)
    if how == 0 and key is not None:
        del node[key]
    elif how == 1 and key is not None:
        node[rng.choice(KEYS)] = node.pop(key)
    else:
        node[rng.choice(KEYS)] = copy.deepcopy(rng.choice(VALUES))


def change_array(rng: random.Random, node: list) -> None:
    how = rng.randrange(4)
    if how == 0:
        node.clear()
    elif how == 1 and node:
        node.append(copy.deepcopy(rng.choice(node)))
    elif how == 2 and node:
        del node[rng.randrange(len(node))]
    else:
        node.extend(copy.deepcopy(rng.choices(VALUES, k=rng.choice([1, 1, 20]))))


def change_string(rng: random.Random, text: str) -> str:
    i = rng.randrange(len(text) + 1)
    return rng.choice([text[:i] + rng.choice("~/ A.0{}$-é알") + text[i:], text[:i] + text[i + 1 :], text * rng.choice([2, 300]), text.upper(), "/" + text])


def mutations(document: object, n: int, seed: str) -> Iterator[object]:
    """`n` copies of the document, each changed once or twice. Shallow places are drawn as often as deep ones are."""
    rng = random.Random(seed)
    by_depth: dict[int, list[tuple]] = {}
    for path in places(document):
        by_depth.setdefault(len(path), []).append(path)
    for _ in range(n):
        changed = copy.deepcopy(document)
        changed = mutate(rng, changed, rng.choice(by_depth[rng.choice(list(by_depth))]))
        if rng.randrange(4) == 0:
            changed = mutate(rng, changed, rng.choice(list(places(changed))))
        yield changed


def mutate(rng: random.Random, document: object, path: tuple) -> object:
    node = at(document, path)
    if rng.randrange(3) == 0:
        return replace(document, path, copy.deepcopy(rng.choice(VALUES)))
    if isinstance(node, dict):
        change_object(rng, node)
    elif isinstance(node, list):
        change_array(rng, node)
    elif isinstance(node, str):
        return replace(document, path, change_string(rng, node))
    else:
        return replace(document, path, copy.deepcopy(rng.choice(VALUES)))
    return document
