# SPDX-License-Identifier: MIT
"""The query API of a processor, as its clients see it. Each answer has to be one that schemas/openapi-processor.yaml names."""

import re
import secrets
from functools import cache
from urllib.parse import quote, urlencode

import yaml
from jsonschema import Draft202012Validator

from support import builds, http
from support.service import Service
from support.wait import until
from support.world import World, free_port

ROLE = "dochak_api"
PROBLEM = "application/problem+json"


@cache
def contract() -> dict:
    return yaml.safe_load((builds.ROOT / "schemas" / "openapi-processor.yaml").read_text("utf-8"))


def _operation(path: str) -> dict | None:
    for template, methods in contract()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path.partition("?")[0]):
            return next(iter(methods.values()))
    return None


def _resolve(node: dict) -> dict:
    return contract()["components"][node["$ref"].split("/")[2]][node["$ref"].split("/")[3]] if "$ref" in node else node


def check_contract(path: str, answer: http.Answer) -> None:
    """Of a path that is there: the status is documented, and the body is what the contract says."""
    operation = _operation(path)
    documented = operation["responses"] if operation else {"401": _problem(), "404": _problem(), "413": _problem()}
    assert str(answer.status) in documented, f"{path}: {answer} is not documented"
    ((media, content),) = _resolve(documented[str(answer.status)])["content"].items()
    assert answer.headers["content-type"] == media, (path, answer)
    assert answer.headers["cache-control"] == "no-store", (path, answer)
    schema = {**content["schema"], "components": contract()["components"]}
    errors = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(answer.json())
    assert not (faults := [f"{error.json_path}: {error.message}" for error in errors]), (path, faults, answer.body)
    if media == PROBLEM:
        assert answer.json()["status"] == answer.status, answer


def _problem() -> dict:
    return {"content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


class Api:
    """A processor with a query API."""

    def __init__(self, world: World, **settings: str):
        self.key = world.keys.setdefault("API", f"api-{secrets.token_hex(16)}")
        self.port = free_port()
        given = {"DOCHAK_API_KEY": self.key, "DOCHAK_API_LISTEN": f"127.0.0.1:{self.port}", **settings}
        self.processor: Service = world.new_processor(**given)
        self.processor.secrets.append(self.key)

    def start(self) -> "Api":
        """It answers before the workers are ready, and does not need them."""
        self.processor.start()
        until("the query API answers", self._answers, 60, every=0.05)
        return self

    def _answers(self) -> bool:
        self.processor.check_alive()
        try:
            return http.request(self.port, "GET", "/v1/").status == 401
        except ConnectionRefusedError:
            return False

    def ask(self, path: str, headers: dict[str, str] | None = None, **parameters) -> http.Answer:
        """Parameters that are None are left out. An answer that the contract does not name fails the test."""
        given = {name: value for name, value in parameters.items() if value is not None}
        target = path + (f"?{urlencode(given)}" if given else "")
        answer = http.request(self.port, "GET", target, headers={"Authorization": f"Bearer {self.key}", **(headers or {})})
        check_contract(target, answer)
        return answer

    def post(self, path: str) -> http.Answer:
        answer = http.request(self.port, "POST", path, headers={"Authorization": f"Bearer {self.key}"}, timeout=60)
        check_contract(path, answer)
        return answer

    def get(self, path: str, headers: dict[str, str] | None = None, **parameters) -> dict:
        answer = self.ask(path, headers, **parameters)
        assert answer.status == 200, (path, parameters, answer)
        return answer.json()

    def pages(self, path: str, headers: dict[str, str] | None = None, between=lambda: None, **parameters) -> list[dict]:
        """All items of a list. `between` is called before each next page."""
        items, cursor = [], None
        while True:
            page = self.get(path, headers, cursor=cursor, **parameters)
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items
            assert len(page["items"]) == int(parameters.get("limit", 50)), "a page that is not the last one is full"
            between()

    def story(self, provider: str, id_: str) -> dict:
        return self.get(f"/v1/notifications/{quote(provider, safe='')}/{quote(id_, safe='')}")


def make_role(world: World) -> str:
    """A role that only reads, and the connection string with it."""
    world.sql(f"DO $$BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END$$")
    return f"postgresql://{ROLE}@127.0.0.1:{world.postgres.port}/{world.name}"
