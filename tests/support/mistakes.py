# SPDX-License-Identifier: MIT
"""Mistakes that people make in a provider file: each is a changed copy of a good one, and where the mistake is."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass

# Of their keys the provider file itself is the author: they are data of the provider.
OPEN = {"outcomes", "equals", "equals_any_case", "headers", "suffixes", "consents", "body", "element", "$comment"}
POINTERS = {"elements", "id", "code", "channel", "reason", "time", "recipient", "reference", "dedupe", "each", "shared_id", "shared_reference"}


@dataclass(frozen=True)
class Mistake:
    name: str
    place: str  # a JSON Pointer: there, or around it, it must be named
    document: dict


def escaped(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def walk(node: object, way: tuple = ()) -> Iterator[tuple[tuple, object]]:
    """Each value with its way from the top."""
    yield way, node
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, member in members:
        yield from walk(member, (*way, key))


def pointer(way: tuple) -> str:
    return "".join(f"/{escaped(key)}" for key in way)


def at(document: object, way: tuple) -> object:
    for key in way:
        document = document[key]
    return document


def with_value(document: dict, way: tuple, value: object) -> dict:
    changed = copy.deepcopy(document)
    at(changed, way[:-1])[way[-1]] = value
    return changed


def renamed(document: dict, way: tuple, name: str) -> dict:
    changed = copy.deepcopy(document)
    around = at(changed, way[:-1])
    members = [(name if key == way[-1] else key, value) for key, value in around.items()]
    around.clear()
    around.update(members)
    return changed


def is_ours(way: tuple) -> bool:
    """Its name is of our language."""
    return isinstance(way[-1], str) and way[-1] not in ("$schema", "$comment") and not any(key in OPEN for key in way[:-1])


def typed(name: str) -> Iterator[str]:
    """As it comes out of a hurried hand."""
    yield name[:-1]
    yield name + name[-1]
    yield name[:-2] + name[-1] + name[-2] if name[-2:] != name[-1] * 2 else name + "s"
    yield name[0].upper() + name[1:]


def of_keys(document: dict) -> Iterator[Mistake]:
    for way, _value in walk(document):
        if not way or not is_ours(way):
            continue
        for i, name in enumerate(typed(way[-1])):
            if name and name not in at(document, way[:-1]):
                yield Mistake(f"key {pointer(way)} typed as {name} ({i})", pointer(way[:-1]), renamed(document, way, name))


def of_types(document: dict) -> Iterator[Mistake]:
    others = {"a number": 7, "a list": [{}], "an object": {"x": 1}, "null": None, "a boolean": True, "an empty text": ""}
    for way, value in walk(document):
        if not way or not isinstance(way[-1], str) or not is_ours(way):
            continue
        for name, other in others.items():
            same = type(other) is type(value) or (value == other)
            if same or (name == "an empty text" and way[-1] in POINTERS):
                continue
            yield Mistake(f"{pointer(way)} is {name}", pointer(way), with_value(document, way, other))


def is_pointer(document: dict, way: tuple) -> bool:
    """Not one of several places, since any of them may be missing; nor one of `ask`, whose documents explain() does not read."""
    value, named = at(document, way), [key for key in way if isinstance(key, str)]
    is_alternative = isinstance(way[-1], int) and named[-1] != "dedupe" and len(at(document, way[:-1])) > 1
    is_open = bool(OPEN & set(named[:-1])) or way[0] == "ask"
    return isinstance(value, str) and value.startswith("/") and bool(POINTERS & set(named)) and not is_open and not is_alternative


def of_pointers(document: dict) -> Iterator[Mistake]:
    """Such that no file looks wrong, or that one does."""
    for way, value in walk(document):
        if not way or not is_pointer(document, way):
            continue
        head, _, last = value.rpartition("/")
        wrong = {
            "without its slash": value[1:],
            "with dots": "$" + value.replace("/", "."),
            "with a blank": value + " ",
            "in another case": f"{head}/{last.swapcase()}" if last.swapcase() != last else f"{head}/x{last}",
            "misspelled": f"{head}/{last}x",
            "one level too deep": f"{head}/data/{last}",
            "of a list": f"{value}/0",
        }
        for name, other in wrong.items():
            yield Mistake(f"{pointer(way)} {name}: {other}", pointer(way), with_value(document, way, other))


def of_outcomes(document: dict) -> Iterator[Mistake]:
    for code, row in list(document["outcomes"].items())[:12]:
        way = ("outcomes", code)
        for outcome in ("Delivered", "delivred", "success", "dead_letter"):
            yield Mistake(f"{pointer(way)}: {outcome}", pointer(way), with_value(document, (*way, "outcome"), outcome))
        yield Mistake(f"{pointer(way)}: a text", pointer(way), with_value(document, way, row["outcome"]))
    without = copy.deepcopy(document)
    without["outcomes"] = {code: row for code, row in without["outcomes"].items() if row["outcome"] != "delivered"}
    yield Mistake("no code is delivered", "/outcomes", without)


def of_kinds(document: dict) -> Iterator[Mistake]:
    kinds = document["webhook"]["kinds"]
    for i, kind in enumerate(kinds):
        way = ("webhook", "kinds")
        twice = copy.deepcopy(document)
        twice["webhook"]["kinds"].insert(i, copy.deepcopy(kind))
        yield Mistake(f"kind {i} twice", pointer((*way, i + 1)), twice)
        caught = copy.deepcopy(document)
        caught["webhook"]["kinds"][i].pop("when", None)
        if i < len(kinds) - 1:
            yield Mistake(f"kind {i} without its when", pointer((*way, i + 1)), caught)
        wider = copy.deepcopy(document)
        same = copy.deepcopy(kind) | {"name": "wider"}
        if kind.get("when", {}).get("equals"):
            same["when"] = {"equals": {place: [*values, "one more"] for place, values in kind["when"]["equals"].items()}}
            wider["webhook"]["kinds"].insert(i, same)
            yield Mistake(f"kind {i} behind a wider one", pointer((*way, i + 1)), wider)


def of_numbers(document: dict) -> Iterator[Mistake]:
    for way, value in walk(document):
        if way and is_ours(way) and isinstance(value, int) and not isinstance(value, bool):
            for other in (0, -1, 10**12, str(value), value + 0.5):
                if (way[-1] in ("failed_a_day", "failed_in_a_row") and other == 0) or way[-1] == "per_second":
                    continue
                yield Mistake(f"{pointer(way)} is {other!r}", pointer(way), with_value(document, way, other))


def of_answers(document: dict) -> Iterator[Mistake]:
    for answer in ("ack", "refused"):
        for body in ("{{id}}", "${id}", "id=${/id}", "$/id", "${/id", "{/id}", "$.id"):
            way = ("webhook", answer, "body")
            if isinstance(document["webhook"].get(answer), dict):
                changed = copy.deepcopy(document)
                changed["webhook"][answer]["body"] = {"id": body}
                yield Mistake(f"{pointer(way)}: {body}", pointer(way), changed)


def of_zones(document: dict) -> Iterator[Mistake]:
    for i, kind in enumerate(document["webhook"]["kinds"]):
        if "time" in kind:
            for zone in ("KST", "+9", "0900", "+25:00", "Asia/Seoul"):
                yield Mistake(f"kind {i}: zone {zone}", pointer(("webhook", "kinds", i, "zone")), with_value(document, ("webhook", "kinds", i, "zone"), zone))
            way = ("webhook", "kinds", i, "time_format")
            yield Mistake(f"kind {i}: a time format that is none", pointer(way), with_value(document, way, "YYYY-MM-DD"))


def mistakes(document: dict) -> list[Mistake]:
    made = [mistake for makes in (of_keys, of_types, of_pointers, of_outcomes, of_kinds, of_numbers, of_answers, of_zones) for mistake in makes(document)]
    different = {json.dumps(mistake.document): mistake for mistake in made}
    different.pop(json.dumps(document), None)
    return list(different.values())
