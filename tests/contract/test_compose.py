# SPDX-License-Identifier: MIT
"""What docker-compose.yml promises, as far as reading it can tell: settings that exist, no secret in it, nothing of ours as
root, everything waited for. No Docker is needed; the keys' script runs for real."""

import json
import re
import stat
import subprocess
from functools import cache
from pathlib import Path

import pytest
from support import builds

yaml = pytest.importorskip("yaml")
pytestmark = pytest.mark.quick

KEYS = "/run/dochak"
COMPOSE = (builds.ROOT / "docker-compose.yml").read_text("utf-8")
DOCKERFILE = (builds.ROOT / "Dockerfile").read_text("utf-8")
SCRIPT = (builds.ROOT / "deploy" / "compose" / "secrets.sh").read_text("utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("dochak:")}
ONCE = {name for name, service in SERVICES.items() if service["restart"] == "no"}
ENVIRONMENT = sorted((name, key, value) for name, service in SERVICES.items() for key, value in service.get("environment", {}).items())


@cache
def settings() -> dict[str, str]:
    """Name to type, from the table that is the manual."""
    source = (builds.ROOT / "common" / "config" / "settings.c").read_text("utf-8")
    rows = re.findall(r'^    (ROW|NUMBER|SECRET)\(\w+, "(DOCHAK_\w+)", (\w+),', source, re.MULTILINE)
    assert len(rows) > 10
    types = {"NUMBER": "TYPE_INT", "SECRET": "TYPE_SECRET"}
    return {name: types.get(row, option) for row, name, option in rows}


def run_script(folder: Path, command: str) -> subprocess.CompletedProcess:
    script = SCRIPT.replace(KEYS, str(folder))
    return subprocess.run(["bash", "-s", command], input=script, capture_output=True, encoding="utf-8", timeout=30, check=True)


def keys_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


def test_ours_are_the_known_four():
    assert OURS.keys() == {"secrets", "migrate", "ingress", "processor"}
    assert ONCE == {"secrets", "roles", "migrate"}


def test_every_setting_is_known():
    named = {key for _, key, _ in ENVIRONMENT if key.startswith("DOCHAK_")} | set(re.findall(r"\$\{(DOCHAK_\w+)", COMPOSE))
    known = settings().keys() | {f"{name}_FILE" for name in settings()}
    assert named
    assert not {name for name in named - known if not name.startswith("DOCHAK_SECRET_")}


def test_no_secret_stands_in_it():
    secret = re.compile(r"PASSWORD|SECRET|_KEY|TOKEN|CREDENTIAL")
    for service, key, value in ENVIRONMENT:
        if secret.search(key) or settings().get(key.removesuffix("_FILE")) == "TYPE_SECRET":
            assert key.endswith("_FILE") and value.startswith(f"{KEYS}/"), f"{service}: {key}"
    assert not re.search(r"[0-9a-fA-F]{24}", COMPOSE + DOCKERFILE)
    assert not re.search(r"^\s*ENV ", DOCKERFILE, re.MULTILINE)


def test_every_key_that_is_read_is_made_once(tmp_path: Path):
    run_script(tmp_path, "make")
    made = keys_in(tmp_path)
    read = set(re.findall(rf"{KEYS}/(\w+)", COMPOSE))
    assert read == made.keys()
    assert len(set(made.values())) == len(made)
    run_script(tmp_path, "make")
    assert keys_in(tmp_path) == made


def test_keys_are_readable_by_their_reader_only(tmp_path: Path):
    run_script(tmp_path, "make")
    open_to_others = {path.name for path in tmp_path.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert open_to_others == {"postgres_password"}  # read by the Postgres image's own user
    assert stat.S_IMODE((tmp_path / "pgpass").stat().st_mode) == 0o600  # what libpq demands


def test_a_start_cut_short_leaves_no_half_key(tmp_path: Path):
    (tmp_path / "ingress_key.new").write_text("half")
    (tmp_path / "ingress_key.new").chmod(0o400)
    run_script(tmp_path, "make")
    assert re.fullmatch(r"[0-9a-f]{32}\n", keys_in(tmp_path)["ingress_key"])
    assert not list(tmp_path.glob("*.new"))


def test_show_says_what_run_env_says(tmp_path: Path):
    shown = dict(line.split("=", 1) for line in run_script(tmp_path, "show").stdout.splitlines())
    made = keys_in(tmp_path)
    assert shown["DOCHAK_INGRESS_KEY"] == made["ingress_key"].strip()
    assert shown["DOCHAK_WEBHOOK_BIZGO"].endswith(f"/webhook/bizgo/alimtalk/{made['bizgo_path'].strip()}")
    assert shown["DOCHAK_WEBHOOK_BLUX"].endswith(f"/webhook/blux/sms/{made['blux_path'].strip()}")
    dev = (builds.ROOT / "scripts" / "settings.sh").read_text("utf-8")
    assert not [name for name in shown if f"assignment {name} " not in dev]


def test_every_secret_of_the_endpoints_file_is_given():
    endpoints = json.loads((builds.ROOT / "deploy" / "dev" / "endpoints.json").read_text("utf-8"))
    named = set(re.findall(r"DOCHAK_SECRET_\w+", json.dumps(endpoints)))
    given = {key.removesuffix("_FILE") for key in SERVICES["ingress"]["environment"] if key.startswith("DOCHAK_SECRET_")}
    assert named == given


def test_what_lasts_has_a_health_check_and_comes_back():
    for name, service in SERVICES.items():
        if name not in ONCE:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_every_start_waits_for_what_it_needs():
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] == ("service_completed_successfully" if needed in ONCE else "service_healthy"), f"{name}: {needed}"
    assert SERVICES["migrate"]["depends_on"].keys() == {"secrets", "kafka", "postgres", "roles"}
    assert all("migrate" in SERVICES[name]["depends_on"] for name in ("ingress", "processor"))


def test_ours_need_no_right_at_all():
    for name, service in OURS.items():
        assert service["user"] == "10001:10001", name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_only_migrate_is_the_owner_of_the_tables():
    """The processor is the role that migrate grants its rights to, with a password of its own."""
    migrate, processor = (SERVICES[name]["environment"] for name in ("migrate", "processor"))
    assert (
        processor["PGUSER"] == migrate["DOCHAK_RUNTIME_ROLE"] != migrate["PGUSER"] == SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    )
    assert processor["PGPASSFILE"] != migrate["PGPASSFILE"]
    assert f"CREATE ROLE {processor['PGUSER']} LOGIN'" in SERVICES["roles"]["command"][-1]


def test_ports_are_bound_to_this_machine_only():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_kafka_is_the_one_that_dev_runs():
    version = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>([^<]+)<", (builds.ROOT / "scripts/kafka/pom.xml").read_text())
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version[1]}"
