# SPDX-License-Identifier: MIT
"""The documents: every relative link, heading, path, metric and setting that they name exists, and README.md stays short."""

import json
import re
import subprocess
import textwrap
from functools import cache
from pathlib import Path

import jsonschema_rs
import pytest
from support import builds

README_MAX_LINES = 200
SCHEMAS = builds.ROOT / "schemas"
# Which schema a JSON example of a document is written for, by a member that only this kind has.
SCHEMA_OF = {"endpoints": "endpoints.schema.json", "webhook": "provider.schema.json"}

JSON_EXAMPLE = re.compile(r"^ *```json\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:")  # https:, mailto:
TOP_FOLDERS = ("bench", "common", "dashboard", "deploy", "docs", "ingress", "processor", "schemas", "scripts", "tests")
# In backquotes, from the top of the repository: `ingress/main.c`, `tests/unit/`. No placeholder in it.
PATH = re.compile(rf"`((?:{'|'.join(TOP_FOLDERS)})/[\w./-]*)`")
METRIC = re.compile(r"\bdochak_(?:ingress|processor)_[a-z_]+\b")
SETTING = re.compile(r"`(DOCHAK_[A-Z_]+)`")


def git(*arguments: str) -> list[str]:
    return subprocess.run(["git", *arguments], cwd=builds.ROOT, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()


def documents() -> list[str]:
    return sorted(name for name in git("ls-files", "--cached", "--others", "--exclude-standard", "*.md") if (builds.ROOT / name).exists())


@cache
def text(path: Path) -> str:
    return path.read_text("utf-8")


def prose(path: Path) -> str:
    return FENCE.sub("", text(path))


def anchor(heading: str) -> str:
    """As GitHub makes it from a heading: lower case, no punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)}


def fault_of(page: Path, link: str) -> str | None:
    """Why a link of a page leads nowhere."""
    if ELSEWHERE.match(link):
        return None
    target, _, fragment = link.partition("#")
    path = (page.parent / target).resolve() if target else page
    if not path.is_relative_to(builds.ROOT.resolve()):
        return f"{link}: outside of the repository"
    if not path.exists():
        return f"{link}: no such file"
    if fragment and fragment not in anchors(path):
        return f"{link}: no such heading"
    return None


def sources(*patterns: str) -> str:
    return "\n".join(text(builds.ROOT / name) for name in git("ls-files", "--cached", "--others", "--exclude-standard", *patterns) if (builds.ROOT / name).exists())


def test_there_are_documents():
    assert {"README.md", "docs/architecture.md", "docs/operations.md", "docs/webhooks.md"} <= set(documents())


@pytest.mark.parametrize("name", documents())
def test_every_relative_link_resolves(name: str):
    page = builds.ROOT / name
    assert not [fault for fault in (fault_of(page, link) for link in LINK.findall(prose(page))) if fault]


@pytest.mark.parametrize("name", documents())
def test_every_path_that_is_named_exists(name: str):
    assert not [path for path in PATH.findall(prose(builds.ROOT / name)) if not (builds.ROOT / path).exists()]


@pytest.mark.parametrize("name", documents())
def test_every_metric_that_is_named_exists(name: str):
    defined = set(METRIC.findall(sources("ingress/*.c", "processor/*.c")))
    assert defined
    assert not set(METRIC.findall(prose(builds.ROOT / name))) - defined


def test_every_setting_that_is_named_exists():
    """In README.md and docs/, which speak to those who run it; DOCHAK_SECRET_* are names of their own choice."""
    defined = set(re.findall(r'"(DOCHAK_\w+)"', text(builds.ROOT / "common" / "config" / "settings.c")))
    assert defined
    defined |= set(re.findall(r"^#(DOCHAK_\w+)=", text(builds.ROOT / ".env.example"), re.MULTILINE))  # of docker-compose.yml
    named = {name for page in documents() if page == "README.md" or page.startswith("docs/") for name in SETTING.findall(prose(builds.ROOT / page))}
    assert not {name for name in named - defined if not name.startswith("DOCHAK_SECRET_")}


def json_examples() -> list[tuple[str, object]]:
    found = [(name, json.loads(textwrap.dedent(example))) for name in documents() for example in JSON_EXAMPLE.findall(text(builds.ROOT / name))]
    return [(schema, example) for _, example in found for member, schema in SCHEMA_OF.items() if member in example]


def test_every_json_example_is_valid():
    checked = json_examples()
    assert {schema for schema, _ in checked} == set(SCHEMA_OF.values())
    for schema, example in checked:
        jsonschema_rs.Draft202012Validator(json.loads(text(SCHEMAS / schema))).validate(example)


def test_a_link_that_leads_nowhere_is_found():
    page = builds.ROOT / "README.md"
    assert fault_of(page, "docs/webhooks.md#nginx") is None
    assert fault_of(page, "docs/nothing.md") == "docs/nothing.md: no such file"
    assert fault_of(page, "docs/webhooks.md#nothing") == "docs/webhooks.md#nothing: no such heading"
    assert fault_of(page, "../elsewhere.md") == "../elsewhere.md: outside of the repository"
    assert fault_of(page, "https://example.org/") is None


def test_readme_is_short():
    assert len(text(builds.ROOT / "README.md").splitlines()) <= README_MAX_LINES
