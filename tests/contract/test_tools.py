# SPDX-License-Identifier: MIT
"""The contracts by the tools of those who wrote the standards: JSON Schema by ajv, AsyncAPI by its own parser, OpenAPI by spectral, the rules
by promtool. Each tool finds a contract that was broken on purpose. tests/contract/test_live_contracts.py looks at what the programs write."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

from support import builds, cached, contract, prometheus

SCHEMAS = builds.ROOT / "schemas"
SCHEMA_FILES = sorted(SCHEMAS.glob("*.schema.json"))
OPENAPI_FILES = sorted(SCHEMAS.glob("openapi-*.yaml"))
ASYNCAPI = SCHEMAS / "asyncapi.yaml"


@pytest.fixture(scope="module")
def tools() -> Path:
    return cached.npm("tests/contract/tools")


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """All of schemas/, to be broken."""
    return Path(shutil.copytree(SCHEMAS, tmp_path / "schemas"))


def run(*command: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200)


def break_once(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


# --- JSON Schema


def ajv(tools: Path, schema: Path, *documents: Path) -> subprocess.CompletedProcess:
    return run("node", tools / "schemas.js", schema, *documents)


def examples(schema: Path, kind: str) -> list[Path]:
    return sorted((SCHEMAS / "examples" / schema.name.removesuffix(".schema.json") / kind).glob("*.json"))


@pytest.mark.quick
@pytest.mark.parametrize("schema", SCHEMA_FILES, ids=lambda path: path.name)
def test_ajv_accepts_a_schema_and_agrees_on_its_examples(tools: Path, schema: Path) -> None:
    valid, invalid = examples(schema, "valid"), examples(schema, "invalid")
    done = ajv(tools, schema, *valid, *invalid)
    assert (done.returncode, done.stderr) == (0, "")
    verdicts = [verdict == "valid" for verdict in done.stdout.splitlines()]
    assert verdicts == [True] * len(valid) + [False] * len(invalid), done.stdout


@pytest.mark.parametrize("schema", SCHEMA_FILES, ids=lambda path: path.name)
@pytest.mark.parametrize(("old", "new"), [('"type"', '"tipe"'), ('"object"', '"objekt"')], ids=["keyword", "type"])
def test_ajv_refuses_a_broken_schema(tools: Path, copies: Path, schema: Path, old: str, new: str) -> None:
    broken = copies / schema.name
    break_once(broken, old, new)
    done = ajv(tools, broken)
    assert done.returncode != 0 and ("tipe" in done.stderr or "type" in done.stderr), done


# --- AsyncAPI


@cache
def asyncapi() -> dict:
    return yaml.safe_load(ASYNCAPI.read_text("utf-8"))


def parse(tools: Path, document: Path) -> subprocess.CompletedProcess:
    return run("node", tools / "asyncapi.js", document)


@pytest.mark.quick
def test_asyncapi_accepts_the_topics(tools: Path) -> None:
    done = parse(tools, ASYNCAPI)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert not re.search("^(error|warning) ", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("action: send", "action: publish"),
        ('$ref: "#/components/messages/receipt"', '$ref: "#/components/messages/nothing"'),
        ("alert.schema.json#/$defs/incident", "alert.schema.json#/$defs/nothing"),
        ("event.accepted.schema.json", "event.nothing.schema.json"),
        ("    address: dochak.alerts", "    adress: dochak.alerts"),
        ("ce_specversion: { const", "ce_specversion: { type: text, const"),
    ],
    ids=["action", "message", "definition", "file", "keyword", "type"],
)
def test_asyncapi_refuses_a_broken_document(tools: Path, copies: Path, old: str, new: str) -> None:
    break_once(copies / ASYNCAPI.name, old, new)
    done = parse(tools, copies / ASYNCAPI.name)
    assert done.returncode == 1 and re.search("^error ", done.stdout, re.MULTILINE), done


def test_asyncapi_rejects_a_broken_schema_behind_it(tools: Path, copies: Path) -> None:
    break_once(copies / "event.accepted.schema.json", '"type": "object"', '"type": "objekt"')
    assert parse(tools, copies / ASYNCAPI.name).returncode == 1


@pytest.mark.quick
def test_asyncapi_names_every_type_and_the_schema_of_each() -> None:
    """As tests/support/contract.py, by which each record of each test is checked."""
    channels, messages = asyncapi()["channels"], asyncapi()["components"]["messages"]

    def named(channel: str) -> dict[str, str]:
        keys = [reference["$ref"].rsplit("/", 1)[1] for reference in channels[channel]["messages"].values()]
        return {messages[key]["name"]: messages[key]["payload"].get("$ref") for key in keys}

    alerts, events = named("alerts"), named("events")
    assert alerts.keys() == contract.ALERT_TYPES
    definitions = json.loads((SCHEMAS / "alert.schema.json").read_text("utf-8"))["$defs"]
    for name, reference in alerts.items():
        definition = "incident" if name in contract.INCIDENT_TYPES else name
        assert definition in definitions and reference == f"alert.schema.json#/$defs/{definition}"
    assert events.pop("dochak.provider.*.v1, dochak.endpoint.*.v1") == "event.incident.schema.json"
    assert events == {name: schema for name, schema in contract.EVENT_SCHEMAS.items() if name not in contract.INCIDENT_TYPES}
    assert named("quarantine").keys() == {"dochak.payload.quarantined.v1"}
    for message in messages.values():
        headers = json.dumps(message["headers"])
        assert message["name"] in headers or "*" in message["name"]


# --- OpenAPI


def spectral(tools: Path, *documents: Path) -> subprocess.CompletedProcess:
    """Warnings are faults."""
    program = tools / "node_modules" / ".bin" / "spectral"
    return run(program, "lint", "--ruleset", tools / "spectral.yaml", "--fail-severity", "warn", "--format", "text", *documents)


@pytest.mark.quick
def test_spectral_has_nothing_to_say(tools: Path) -> None:
    done = spectral(tools, *OPENAPI_FILES)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("document", OPENAPI_FILES, ids=lambda path: path.name)
@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("      responses:\n", "      answers:\n", "oas3-schema"),
        ("#/components/schemas/", "#/components/schemata/", "invalid-ref"),
        ("operationId: ", "operationid: ", "operation-operationId"),
    ],
    ids=["keyword", "reference", "name"],
)
def test_spectral_finds_a_broken_document(tools: Path, copies: Path, document: Path, old: str, new: str, rule: str) -> None:
    break_once(copies / document.name, old, new)
    done = spectral(tools, copies / document.name)
    assert done.returncode == 1 and rule in done.stdout, done


# --- rules; tests/contract/test_monitoring.py runs them as they are


@pytest.mark.parametrize(
    ("old", "new", "alert"),
    [
        ("== 0 and on", "== 2 and on", "DochakInstanceDown"),
        ("for: 5m", "for: 1m", "DochakProcessorDown"),
        ("changes(", "chances(", "DochakRestarting"),
    ],
    ids=["never fires", "fires too soon", "function"],
)
def test_promtool_finds_a_broken_rule(tmp_path: Path, old: str, new: str, alert: str) -> None:
    """By the tests that name the alert, which take a part of the time."""
    rules, tests = (Path(shutil.copy(prometheus.DEPLOY / "prometheus" / name, tmp_path)) for name in ("rules.yml", "rules_test.yml"))
    document = yaml.safe_load(tests.read_text("utf-8"))
    document["tests"] = [test for test in document["tests"] if alert in json.dumps(test)]
    tests.write_text(yaml.safe_dump(document), "utf-8")
    promtool = prometheus.program("promtool")
    assert run(promtool, "test", "rules", tests).returncode == 0
    break_once(rules, old, new)
    assert run(promtool, "test", "rules", tests).returncode == 1
