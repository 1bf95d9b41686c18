# SPDX-License-Identifier: MIT
"""schemas/openapi-*.yaml: OpenAPI 3.1 by its own schema, and what the programs' tables say. tests/integration/test_api.py asks a processor."""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from support import builds
from support.contract import ALERT_TYPES

pytestmark = pytest.mark.quick

FILES = sorted((builds.ROOT / "schemas").glob("openapi-*.yaml"))


@cache
def document(path: Path) -> dict:
    return yaml.safe_load(path.read_text("utf-8"))


def faults(spec: dict, path: Path) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in OpenAPIV31SpecValidator(spec, base_uri=path.as_uri()).iter_errors()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_is_openapi(path: Path) -> None:
    assert not faults(document(path), path)


def test_a_broken_contract_is_found() -> None:
    spec = {**document(FILES[0]), "paths": {"/v1/x": {"get": {"responses": {"200": {"content": {}}}}}}}
    assert faults(spec, FILES[0])


def test_the_paths_and_parameters_of_the_query_api_are_those_of_its_table() -> None:
    source = (builds.ROOT / "processor/api/routes.c").read_text("utf-8")
    spec = document(builds.ROOT / "schemas/openapi-processor.yaml")
    table = source[source.index("static const struct route routes[]") : source.index("const struct route *routes_at")]
    rows = {}
    for row in re.split(r"\{\.path = ", table)[1:]:
        shared = {"LISTED": {"cursor", "limit", "until"}, "{STATS": {"provider", "endpoint", "step", "since", "until"}}
        own = set(re.findall(r'\{"(\w+)", PARAMETER', row))
        rows[re.match('"([^"]+)"', row)[1]] = own.union(*(names for word, names in shared.items() if word in row))
    documented = {}
    for path, methods in spec["paths"].items():
        named = [spec["components"]["parameters"][p["$ref"].rsplit("/", 1)[1]] if "$ref" in p else p for p in next(iter(methods.values())).get("parameters", [])]
        documented[path] = {parameter["name"] for parameter in named if parameter["in"] == "query"}
    assert len(rows) > 5 and rows == documented


def test_choices_are_the_same() -> None:
    source = (builds.ROOT / "processor/api/routes.c").read_text("utf-8")
    schemas = document(builds.ROOT / "schemas/openapi-processor.yaml")["components"]["schemas"]
    for name, schema in (("STATUSES", "Status"), ("KINDS", "IncidentKind"), ("ALERT_KINDS", "AlertKind")):
        texts = re.search(rf"#define {name}\s(?:[^\n]*\\\n)*[^\n]*", source)[0]
        assert "".join(re.findall(r'"([^"]+)"', texts)).split(", ") == schemas[schema]["enum"]


def test_each_alert_has_a_kind_by_which_it_is_found() -> None:
    kinds = document(builds.ROOT / "schemas/openapi-processor.yaml")["components"]["schemas"]["AlertKind"]["enum"]
    assert {type_.split(".")[2] for type_ in ALERT_TYPES} == set(kinds)
