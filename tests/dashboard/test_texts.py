# SPDX-License-Identifier: MIT
"""The page's texts: each in both languages, none that is not used, and a word for all that the query API may name."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from support import builds

pytestmark = pytest.mark.quick

SOURCE = builds.ROOT / "dashboard" / "src"
LANGUAGES = sorted(path.stem for path in (SOURCE / "texts").glob("??.json"))


@cache
def texts(language: str) -> dict[str, str]:
    return json.loads((SOURCE / "texts" / f"{language}.json").read_text("utf-8"))


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_each_text_is_in_each_language_with_the_same_places() -> None:
    assert LANGUAGES == ["en", "ko"]
    assert list(texts("ko")) == list(texts("en"))
    for key, english in texts("en").items():
        for form in texts("ko")[key].split("|"):
            assert form.strip(), key
            # what counts one thing may leave the number out; Korean has one form for all
            assert placeholders(form) == placeholders(english.split("|")[-1]), key
        assert len(english.split("|")) <= 2 and "|" not in texts("ko")[key], key


def test_korean_is_written_in_korean() -> None:
    """But for names of ours, which are the same in every language."""
    same = {key for key, text in texts("ko").items() if not re.search("[가-힣]", text)}
    assert same == {"door.front.ok.detail", "door.ingress", "scope.ingress"} | same & {"thousand"}, same


def test_no_text_is_left_over_and_none_is_missing() -> None:
    source = "\n".join(path.read_text("utf-8") for path in SOURCE.rglob("*.ts*"))
    named = set(re.findall(r"""['"`]([a-z][\w.]*(?:\.[\w]+)*)['"`]""", source))
    named |= set(re.findall(r"\]\.(\w+)", source))
    groups = set(re.findall(r"word\('([\w.]+)'", source)) | set(re.findall(r"`([a-z_.]+)\.\$\{", source))
    groups |= {"verdict", "incident"}  # keyOf() in incident.tsx
    unused = [key for key in texts("en") if key not in named and not any(key.startswith(f"{group}.") for group in groups)]
    assert not unused, unused
    missing = [name for name in re.findall(r"\bt\('([\w.]+)'", source) if name not in texts("en")]
    assert not missing, missing


def contract(*path: str) -> dict:
    node = yaml.safe_load((builds.ROOT / "schemas" / "openapi-processor.yaml").read_text("utf-8"))["components"]["schemas"]
    for name in path:
        node = node[name]
    return node


@pytest.mark.parametrize(
    ("group", "path"),
    [
        ("message", ["Status"]),
        ("kind", ["IncidentKind"]),
        ("state", ["IncidentKind"]),
        ("verdict", ["IncidentKind"]),
        ("incident", ["IncidentKind"]),
        ("status", ["Incident", "properties", "status"]),
        ("outcome", ["Notification", "properties", "outcome"]),
        ("outcome", ["Story", "properties", "receipts", "items", "properties", "outcome"]),
        ("outcome", ["CodeStats", "properties", "codes", "items", "properties", "outcome"]),
        ("alert", ["AlertKind"]),
        ("kind", ["AlertKind"]),
        ("contact", ["ContactStatus"]),
        ("door.front", ["Overview", "properties", "front_door", "properties", "result"]),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_there_is_a_word_for_each_value_of_the_api(group: str, path: list[str]) -> None:
    values = [value for value in contract(*path)["enum"] if value]
    assert [value for value in values if f"{group}.{value}" not in texts("en")] == []


def c_strings(path: Path, pattern: str) -> list[str]:
    """What stands between quotes, pieces beside each other put together."""
    found = re.search(pattern, path.read_text("utf-8"), re.DOTALL)
    pieces = re.findall(r'((?:"(?:[^"\\]|\\.)*"\s*)+)', found[1])
    return ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', piece)) for piece in pieces]


def test_each_check_to_look_at_first_is_in_korean() -> None:
    """dashboard/src/texts/checks.ko.json has those of check_first.c and of the shipped provider files, and no other."""
    tables = r"our_side\[INCIDENT_KIND_COUNT\](.*)\nstatic const struct row \*find"
    said = [text for text in c_strings(builds.ROOT / "processor/rules/check_first.c", tables) if " " in text]
    for path in (builds.ROOT / "schemas" / "providers").glob("*.json"):
        for checks in json.loads(path.read_text("utf-8")).get("check_first", {}).values():
            said += checks
    korean = json.loads((SOURCE / "texts" / "checks.ko.json").read_text("utf-8"))
    assert set(said) == set(korean)
    assert all(re.search("[가-힣]", text) for text in korean.values())
