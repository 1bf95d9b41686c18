# SPDX-License-Identifier: MIT
"""The provider-file loader and the JSON Schemas are one contract: whatever a document looks like, our C and a JSON Schema
library say the same of it, for the schemas that our programs read. Pure: no server, one run of one small program."""

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import jsonschema_rs
import pytest
from support import builds
from support.mutations import mutations

pytestmark = pytest.mark.quick
SCHEMAS = builds.ROOT / "schemas"
EXAMPLES = SCHEMAS / "examples"
PROGRAM = builds.BIN_DIR / "dochak-schema-check"
MUTATIONS = int(os.environ.get("DOCHAK_MUTATIONS", "400"))  # of each document

SCHEMA_FILES = sorted(SCHEMAS.glob("*.schema.json"))
BUILT_IN = ("provider.schema.json", "endpoints.schema.json", "registration.schema.json")
PROVIDER_FILES = sorted((SCHEMAS / "providers").glob("*.json"))


def read(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def library(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(read(SCHEMAS / schema))


def ours(lines: list[tuple[str, object]]) -> list[str]:
    """ "ok" or "no\\t<why>" for each (schema, document)."""
    assert PROGRAM.exists(), f"{PROGRAM} is not there: cmake --preset {builds.BUILD} && cmake --build --preset {builds.BUILD}"
    text = "".join(f"{schema}\t{json.dumps(document, ensure_ascii=False)}\n" for schema, document in lines)
    run = subprocess.run([PROGRAM], input=text, capture_output=True, encoding="utf-8", timeout=600, check=False)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    verdicts = run.stdout.splitlines()
    assert len(verdicts) == len(lines)
    return verdicts


def examples(kind: str) -> list[Path]:
    return sorted(EXAMPLES.glob(f"*/{kind}/*.json"))


def schema_of(example: Path) -> str:
    return f"{example.parent.parent.name}.schema.json"


@pytest.mark.parametrize("path", SCHEMA_FILES, ids=lambda p: p.name)
def test_every_schema_is_a_valid_schema(path):
    jsonschema_rs.meta.validate(read(path))


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_schema_that_our_programs_read_is_implemented_in_full(name):
    # The validator refuses to open a schema with any other keyword; then this would be its verdict.
    verdict = ours([(name, {})])[0]
    assert "not implemented" not in verdict and "no such schema" not in verdict, verdict


def described(node: object, where: str) -> list[str]:
    """The properties without a description."""
    if not isinstance(node, dict):
        return [fault for i, item in enumerate(node) for fault in described(item, f"{where}/{i}")] if isinstance(node, list) else []
    faults = []
    for name, rule in node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else []:
        if "description" not in rule and "$ref" not in rule:
            faults.append(f"{where}/properties/{name}")
    return faults + [fault for key, value in node.items() if key not in ("enum", "const") for fault in described(value, f"{where}/{key}")]


@pytest.mark.parametrize("path", SCHEMA_FILES, ids=lambda p: p.name)
def test_every_property_is_described_and_no_object_is_left_open(path):
    schema = read(path)
    assert described(schema, "") == []
    if path.name == "provider.schema.json":
        for name, node in schema["$defs"].items():
            if "properties" in node:
                assert node["additionalProperties"] is False, name


@pytest.mark.parametrize("path", examples("valid"), ids=lambda p: str(p.relative_to(EXAMPLES)))
def test_a_valid_example_is_valid_for_both(path):
    document = read(path)
    library(schema_of(path)).validate(document)
    assert schema_of(path) not in BUILT_IN or ours([(schema_of(path), document)]) == ["ok"]


@pytest.mark.parametrize("path", examples("invalid"), ids=lambda p: str(p.relative_to(EXAMPLES)))
def test_an_invalid_example_is_invalid_for_both_and_we_say_where(path):
    document = read(path)
    assert not library(schema_of(path)).is_valid(document)
    if schema_of(path) not in BUILT_IN:
        return
    verdict = ours([(schema_of(path), document)])[0]
    assert verdict.startswith("no\t") and ("expected" in verdict or "did you mean" in verdict), verdict


def test_every_schema_has_examples_of_both_kinds():
    for kind in ("valid", "invalid"):
        assert {schema_of(path) for path in examples(kind)} == {path.name for path in SCHEMA_FILES}


@pytest.mark.parametrize("path", PROVIDER_FILES, ids=lambda p: p.name)
def test_every_shipped_provider_file_is_valid_for_both(path):
    document = read(path)
    assert document["provider"] == path.stem
    library("provider.schema.json").validate(document)
    assert ours([("provider.schema.json", document)]) == ["ok"]


def test_the_example_in_the_readme_is_a_provider_file():
    readme = (SCHEMAS / "providers" / "README.md").read_text(encoding="utf-8")
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", readme, re.DOTALL)]
    files = [block for block in blocks if "provider" in block]
    assert len(files) == 1
    assert ours([("provider.schema.json", files[0])]) == ["ok"]


def small(document: dict) -> dict:
    """BizGo's 579 codes are one and the same rule: a dozen of them leave the changes to fall elsewhere, too."""
    return {**document, "outcomes": dict(list(document["outcomes"].items())[:12])} if "outcomes" in document else document


def mutated() -> list:
    sources = [("provider.schema.json", path) for path in PROVIDER_FILES]
    sources += [(schema_of(path), path) for path in examples("valid") if schema_of(path) in BUILT_IN]
    return [pytest.param(schema, path, id=f"{schema}-{path.stem}") for schema, path in sources]


@pytest.mark.parametrize(("schema", "path"), mutated())
def test_loader_and_library_agree_on_every_mutation(schema, path):
    documents = list(mutations(small(read(path)), MUTATIONS, seed=path.stem))
    verdicts = ours([(schema, document) for document in documents])
    theirs = [library(schema).is_valid(document) for document in documents]
    for document, verdict, valid in zip(documents, verdicts, theirs, strict=True):
        assert (verdict == "ok") == valid, f"{verdict}\n{json.dumps(document, ensure_ascii=False)}"
    if path in PROVIDER_FILES:  # the changes are neither all harmless nor all the same
        assert MUTATIONS // 20 < sum(theirs) < MUTATIONS * 3 // 4
        assert len({verdict.split(": ", 2)[-1] for verdict in verdicts}) > 15
