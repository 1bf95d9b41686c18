# SPDX-License-Identifier: MIT
"""The two programs as a person meets them: settings, --check, --help, migrate, and what they say when something is wrong."""

import json
import subprocess
import time

import pytest

from support import builds, http, payloads
from support.service import run_once
from support.wait import until
from support.world import World

BOTH = ["ingress", "processor"]


def run(name: str, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    return run_once(name, {**builds.base_environment(), **(env or {})}, *args, timeout=20)


@pytest.fixture
def settings(tmp_path) -> dict[str, str]:
    """Enough to start with; nobody is there at these addresses."""
    endpoints = tmp_path / "endpoints.json"
    endpoints.write_text('{"endpoints":[{"endpoint":"bizgo/alimtalk","provider":"bizgo","secret_path":["DOCHAK_SECRET_BIZGO_PATH"]}]}')
    return {
        "DOCHAK_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "DOCHAK_ENDPOINTS_FILE": str(endpoints),
        "DOCHAK_INGRESS_KEY": "ingress-secret-0123456789",
        "DOCHAK_RECIPIENT_KEY": "recipient-secret-0123456789",
        "DOCHAK_SECRET_BIZGO_PATH": "path-secret-0123456789",
        "PGHOST": "127.0.0.1",
        "PGPORT": "1",
        "PGPASSWORD": "postgres-secret-0123456789",
    }


def refused(done: subprocess.CompletedProcess, *parts: str) -> str:
    """It ended with one line on stderr that says what is wrong, beside warnings, and without a secret."""
    assert done.returncode not in (0, 134, 139) and done.stdout == "", done
    assert len([line for line in done.stderr.splitlines() if ": warning: " not in line]) == 1, done.stderr
    for part in parts:
        assert part in done.stderr, done.stderr
    assert "secret-0123456789" not in done.stderr
    return done.stderr


# --- what it tells


@pytest.mark.parametrize("name", BOTH)
def test_help_needs_no_settings_and_names_them_all(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0 and done.stderr == ""
    for setting in ("DOCHAK_KAFKA_BOOTSTRAP", "DOCHAK_TOPIC_PREFIX", "--check", "--print-config"):
        assert setting in done.stdout
    assert ("DOCHAK_INGRESS_KEY" in done.stdout) == (name == "ingress")
    assert ("migrate" in done.stdout.split("--check")[0]) == (name == "processor")


@pytest.mark.parametrize("name", BOTH)
def test_version_and_markdown_need_no_settings(name: str) -> None:
    done = run(name, "--version")
    assert done.returncode == 0 and done.stdout.startswith(f"dochak-{name} ")
    done = run(name, "--help-markdown")
    assert done.returncode == 0 and "| `DOCHAK_INGRESS_KEY`" in done.stdout and "DOCHAK_RECIPIENT_KEY" in done.stdout


@pytest.mark.parametrize("name", BOTH)
def test_check_says_that_all_is_well_without_calling_anybody(name: str, settings: dict[str, str]) -> None:
    done = run(name, "--check", env=settings)
    assert done.returncode == 0 and done.stdout and done.stderr == "", done


@pytest.mark.parametrize("name", BOTH)
def test_print_config_masks_every_secret(name: str, settings: dict[str, str]) -> None:
    done = run(name, "--print-config", env=settings)
    assert done.returncode == 0 and done.stderr == "", done
    assert "secret-0123456789" not in done.stdout
    assert "DOCHAK_KAFKA_BOOTSTRAP=127.0.0.1:1" in done.stdout
    assert f"DOCHAK_{'INGRESS' if name == 'ingress' else 'RECIPIENT'}_KEY=********" in done.stdout
    # What it prints can be given to it again.
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines())
    again = run(name, "--print-config", env={**settings, **{k: v for k, v in lines.items() if v and v != "********"}})
    assert again.stdout == done.stdout, again


@pytest.mark.parametrize("name", BOTH)
def test_both_read_one_environment(name: str, settings: dict[str, str]) -> None:
    """A deployment hands both the same: what belongs to the other is no error, nor is it read."""
    done = run(name, "--check", env={**settings, "DOCHAK_WORKERS": "1", "DOCHAK_INGRESS_THREADS": "16"})
    assert done.returncode == 0, done


# --- what it refuses


@pytest.mark.parametrize("name", BOTH)
def test_an_unknown_setting_is_named(name: str, settings: dict[str, str]) -> None:
    refused(run(name, "--check", env={**settings, "DOCHAK_WROKERS": "1"}), "DOCHAK_WROKERS")
    refused(run(name, env={**settings, "DOCHAK_WROKERS": "1"}), "DOCHAK_WROKERS")


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("ingress", "DOCHAK_INGRESS_THREADS", "many"),
        ("ingress", "DOCHAK_INGRESS_THREADS", "0"),
        ("ingress", "DOCHAK_INGRESS_THREADS", "16 "),
        ("ingress", "DOCHAK_INGRESS_THREADS", "99999999999999999999"),
        ("ingress", "DOCHAK_BODY_MAX_BYTES", "900001"),
        ("ingress", "DOCHAK_INGRESS_LISTEN", "8080"),
        ("ingress", "DOCHAK_INGRESS_LISTEN", "127.0.0.1:8443s"),
        ("ingress", "DOCHAK_INGRESS_LISTEN", "127.0.0.1:99999"),
        ("ingress", "DOCHAK_INGRESS_OPS_LISTEN", "localhost:80"),
        ("ingress", "DOCHAK_INGRESS_KEY", "short"),
        ("ingress", "DOCHAK_INGRESS_KEY", "ingress-secret-0123456789,short"),
        ("ingress", "DOCHAK_LOG_LEVEL", "loud"),
        ("processor", "DOCHAK_WORKERS", "0"),
        ("processor", "DOCHAK_WORKERS", "-1"),
        ("processor", "DOCHAK_RECIPIENT_KEY", "short"),
        ("processor", "DOCHAK_BATCH_MAX_RECORDS", "10001"),
        ("processor", "DOCHAK_TOPIC_REPLICATION", "-2"),
    ],
)
def test_an_ill_formed_value_is_refused_by_name(settings: dict[str, str], name: str, setting: str, value: str) -> None:
    refused(run(name, "--check", env={**settings, setting: value}), setting)


@pytest.mark.parametrize(
    ("name", "setting"), [("ingress", "DOCHAK_INGRESS_KEY"), ("ingress", "DOCHAK_ENDPOINTS_FILE"), ("processor", "DOCHAK_RECIPIENT_KEY")]
)
def test_a_required_setting_that_is_missing_is_named(settings: dict[str, str], name: str, setting: str) -> None:
    del settings[setting]
    refused(run(name, "--check", env=settings), setting)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("argument", ["--chekc", "serve", "-v", ""])
def test_an_unknown_argument_is_named(name: str, argument: str, settings: dict[str, str]) -> None:
    done = run(name, argument, env=settings)
    assert done.returncode == 2 and f'"{argument}"' in done.stderr and "--help" in done.stderr, done


# --- values from files


def test_every_setting_may_stand_in_a_file(settings: dict[str, str], tmp_path) -> None:
    for setting in ("DOCHAK_INGRESS_KEY", "DOCHAK_SECRET_BIZGO_PATH", "DOCHAK_KAFKA_BOOTSTRAP"):
        file = tmp_path / setting
        file.write_text(settings.pop(setting) + "\n")
        settings[f"{setting}_FILE"] = str(file)
    assert run("ingress", "--check", env=settings).returncode == 0
    assert "DOCHAK_KAFKA_BOOTSTRAP=127.0.0.1:1\n" in run("ingress", "--print-config", env=settings).stdout


def test_a_value_and_its_file_at_once_are_refused(settings: dict[str, str], tmp_path) -> None:
    (tmp_path / "key").write_text("another-secret-0123456789")
    refused(run("ingress", "--check", env={**settings, "DOCHAK_INGRESS_KEY_FILE": str(tmp_path / "key")}), "DOCHAK_INGRESS_KEY")


@pytest.mark.parametrize("setting", ["DOCHAK_INGRESS_KEY", "DOCHAK_SECRET_BIZGO_PATH"])
def test_a_file_that_cannot_be_read_is_named(settings: dict[str, str], tmp_path, setting: str) -> None:
    del settings[setting]
    refused(run("ingress", "--check", env={**settings, f"{setting}_FILE": str(tmp_path / "nowhere")}), setting, "nowhere")


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ("", "endpoints.json"),
        ("{", "endpoints.json"),
        ("{}", "endpoints"),
        ('{"endpoints":[]}', "/endpoints"),
        ('{"endpoints":[{"endpoint":"a","provider":"nobody"}]}', "nobody"),
        ('{"endpoints":[{"endpoint":"a","provider":"bizgo","secret":"inline-secret-0123456789"}]}', "/endpoints/0"),
        ('{"endpoints":[{"endpoint":"a","provider":"bizgo","secret_path":["DOCHAK_SECRET_NONE"]}]}', "DOCHAK_SECRET_NONE"),
        ('{"endpoints":[{"endpoint":"a","provider":"bizgo"},{"endpoint":"a","provider":"blux"}]}', "/endpoints/1"),
        ('{"endpoints":[{"endpoint":"../a","provider":"bizgo"}]}', "/endpoints/0/endpoint"),
    ],
)
def test_a_bad_endpoints_file_is_refused_with_the_place(settings: dict[str, str], tmp_path, document: str, part: str) -> None:
    (tmp_path / "endpoints.json").write_text(document)
    refused(run("ingress", "--check", env=settings), "endpoints.json", part)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda d: d.update(provider="Bizgo"), "/provider"),
        (lambda d: d["outcomes"].update({"1": "delivered"}), "/outcomes/1"),
        (lambda d: d["webhook"]["kinds"][0].update(id="msgKey"), "/webhook/kinds/0/id"),
        (lambda d: d.pop("webhook"), "webhook"),
    ],
)
@pytest.mark.parametrize("name", BOTH)
def test_a_bad_provider_file_is_refused_with_file_and_place(settings: dict[str, str], tmp_path, name: str, change, part: str) -> None:
    document = json.loads((builds.ROOT / "schemas/providers/bizgo.json").read_text())
    change(document)
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "mine.json").write_text(json.dumps(document))
    refused(run(name, "--check", env={**settings, "DOCHAK_PROVIDERS_DIR": str(tmp_path / "providers")}), "mine.json", part)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    "line",
    ["acks=1", "topic.acks=1", "nonsense", "no.such.property=1", "enable.auto.commit=true", "isolation.level=read_uncommitted", "group.id=x"]
    + ["delivery.report.only.error=true", "message.timeout.ms=0", "linger.ms=2000", "allow.auto.create.topics=true", "topic.auto.offset.reset=latest"],
)
def test_a_line_of_kafka_properties_that_breaks_a_promise_is_refused_by_name(settings: dict[str, str], tmp_path, name: str, line: str) -> None:
    properties = tmp_path / "kafka.properties"
    properties.write_text(f"# a comment\n\nclient.rack=a\n{line}\n")
    refused(run(name, "--check", env={**settings, "DOCHAK_KAFKA_PROPERTIES": str(properties)}), "kafka.properties:4", *line.split("=")[:-1])


def test_a_provider_of_ones_own_needs_no_release(world: World) -> None:
    """Written by hand from a document, read by both services."""
    folder = world.folder / "providers"
    folder.mkdir()
    (folder / "pigeon.json").write_text(
        json.dumps(
            {
                "provider": "pigeon",
                "webhook": {
                    "elements": "/results",
                    "kinds": [
                        {
                            "name": "result",
                            "kind": "receipt",
                            "id": "/no",
                            "code": "/state",
                            "channel": {"value": "PIGEON"},
                            "dedupe": ["/no", "/state"],
                        }
                    ],
                    "ack": {"status": 202, "body": {"ok": True}},
                    "refused": {"status": 403},
                    "budget_ms": 1000,
                },
                "outcomes": {"1": {"outcome": "delivered"}, "2": {"outcome": "failed", "reason": "eaten by a hawk"}},
            }
        )
    )
    world.endpoints_file.write_text(json.dumps({"endpoints": [{"endpoint": "birds", "provider": "pigeon"}]}))
    settings = {"DOCHAK_PROVIDERS_DIR": str(folder)}
    world.new_ingress(**settings).start().wait_ready()
    world.new_processor(**settings).start()
    answer = run_post(world, "/webhook/birds", {"results": [{"no": 1, "state": 1}, {"no": 2, "state": 2}]})
    assert (answer.status, answer.json()) == (202, {"ok": True})
    world.wait_row("pigeon", "1", status="SENT", channel="PIGEON")
    world.wait_row("pigeon", "2", status="DEAD_LETTER", reason="eaten by a hawk")
    world.settle()


def run_post(world: World, path: str, body: dict) -> http.Answer:
    return http.request(world.ingress.ports["public"], "POST", path, payloads.to_bytes(body))


# --- all of it at once


def test_check_reports_all_faults_at_once(settings: dict[str, str], tmp_path) -> None:
    (tmp_path / "endpoints.json").write_text(
        '{"endpoints":[{"endpoint":"/a","provider":"bizgo"},{"endpoint":"b","provider":"bizgo","secert_path":["DOCHAK_SECRET_BIZGO_PATH"]}]}'
    )
    document = json.loads((builds.ROOT / "schemas/providers/blux.json").read_text())
    document["webhook"]["kinds"][0]["id"] = "/results/*/id"
    document["webhook"]["ack"] = {"status": 200, "body": {"result": "id=${/x}"}}
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "mine.json").write_text(json.dumps(document))
    (tmp_path / "providers" / "other.json").write_text("{")
    (tmp_path / "kafka.properties").write_text("acks=1\nclient.rack=a\nnonsense\n")
    faults = {
        "DOCHAK_WROKERS": "unknown setting",
        "DOCHAK_INGRESS_LISTEN": "IPv4-address:port",
        "DOCHAK_INGRESS_KEY": "shorter than 16",
        "mine.json: /webhook/kinds/0/id": "expected a JSON Pointer",
        "mine.json: /webhook/ack/body/result": "expected ${/pointer}",
        "other.json": "",
        "endpoints.json: /endpoints/0/endpoint": "expected one to four",
        "endpoints.json: /endpoints/1": 'did you mean "secret_path"?',
        "kafka.properties:1": "acks",
        "kafka.properties:3": "not name=value",
    }
    env = {**settings, "DOCHAK_WROKERS": "1", "DOCHAK_INGRESS_LISTEN": "8080", "DOCHAK_INGRESS_KEY": "short", "DOCHAK_PROVIDERS_DIR": str(tmp_path / "providers"),
           "DOCHAK_KAFKA_PROPERTIES": str(tmp_path / "kafka.properties")}  # fmt: skip
    for arguments in (["--check"], []):
        done = run("ingress", *arguments, env=env)
        assert done.returncode == 1 and done.stdout == "", done
        lines = done.stderr.splitlines()
        assert len(lines) == len(faults), done.stderr
        for (where, what), line in zip(faults.items(), lines, strict=True):
            assert where in line and what in line, done.stderr
    done = run("processor", "--check", env={**env, "DOCHAK_RETENTION_DAYS": "-1"})
    assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 9, done.stderr
    read_by_both = [where for where in faults if not where.startswith("DOCHAK_INGRESS_")]
    assert all(place in done.stderr for place in [*read_by_both, "DOCHAK_RETENTION_DAYS"]), done.stderr


def test_check_looks_at_the_parts_whatever_else_is_wrong(settings: dict[str, str], tmp_path) -> None:
    (tmp_path / "kafka.properties").write_text("acks=1\n")
    env = {**settings, "DOCHAK_INGRESS_THREADS": "many", "DOCHAK_KAFKA_PROPERTIES": str(tmp_path / "kafka.properties"), "DOCHAK_ACK_SURVIVES": "rack",
           "DOCHAK_SPOOL_DIR": str(tmp_path / "nowhere" / "spool")}  # fmt: skip
    done = run("ingress", "--check", env=env)
    places = ("DOCHAK_INGRESS_THREADS", "kafka.properties:1", "DOCHAK_ACK_SURVIVES", "DOCHAK_SPOOL_DIR")
    assert done.returncode == 1 and done.stderr.count("\n") == len(places), done.stderr
    assert all(place in line for place, line in zip(places, done.stderr.splitlines(), strict=True)), done.stderr


@pytest.mark.parametrize(
    ("endpoint", "warning"),
    [
        ({}, "everyone can post to it"),
        ({"checks": {"ip": {"allow": ["0.0.0.0/0"]}}}, "refuses nobody"),
        ({"checks": {"query_token": {"secrets": ["DOCHAK_SECRET_TWIN"]}}}, "DOCHAK_SECRET_TWIN holds the same secret as DOCHAK_SECRET_BIZGO_PATH"),
    ],
)
def test_check_warns_of_what_was_hardly_meant(settings: dict[str, str], tmp_path, endpoint: dict, warning: str) -> None:
    endpoints = [{"endpoint": "a", "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_BIZGO_PATH"]}, {"endpoint": "b", "provider": "blux", **endpoint}]
    (tmp_path / "endpoints.json").write_text(json.dumps({"endpoints": endpoints}))
    if "TWIN" in warning:
        settings["DOCHAK_SECRET_TWIN"] = settings["DOCHAK_SECRET_BIZGO_PATH"]
    done = run("ingress", "--check", env=settings)
    assert done.returncode == 0 and "endpoints: ok, 2" in done.stdout, done
    assert done.stderr.count("\n") == 1 and "warning: " in done.stderr and warning in done.stderr, done.stderr
    assert "secret-0123456789" not in done.stderr


def test_a_warning_is_logged_once_at_start(world: World) -> None:
    world.endpoints_file.write_text(json.dumps({"endpoints": [{"endpoint": "open", "provider": "bizgo"}]}))
    ingress = world.new_ingress().start().wait_ready()
    lines = [line for line in ingress.log_lines("^configuration: probable mistake") if "everyone can post" in line["warning"]]
    assert len(lines) == 1 and "/endpoints/0" in lines[0]["warning"]


# --- starting


def test_a_port_that_is_taken_is_named(world: World) -> None:
    first = world.new_ingress().start().wait_ready()
    settings = {**world.env(), "DOCHAK_INGRESS_LISTEN": f"127.0.0.1:{first.ports['public']}", "DOCHAK_INGRESS_OPS_LISTEN": "127.0.0.1:0"}
    done = run_once("ingress", settings)
    assert done.returncode == 1 and str(first.ports["public"]) in done.stderr, done
    done = run_once("processor", {**world.env(), "DOCHAK_PROCESSOR_OPS_LISTEN": f"127.0.0.1:{first.ports['public']}"})
    assert done.returncode == 1 and str(first.ports["public"]) in done.stderr, done


def test_port_zero_takes_a_free_one_and_logs_it(world: World) -> None:
    ingress = world.new_ingress(DOCHAK_INGRESS_LISTEN="127.0.0.1:0", DOCHAK_INGRESS_OPS_LISTEN="127.0.0.1:0").start()
    (line,) = until("it says where it listens", lambda: ingress.log_lines("^listening"))
    ingress.ports.update(public=line["port"], ops=line["ops_port"])
    ingress.wait_ready()
    world.bizgo(payloads.bizgo("x", "10000"))


# --- migrate


def test_migrate_beside_a_running_processor_disturbs_nothing(dochak: World) -> None:
    for _ in range(3):
        dochak.migrate()
        id_ = payloads.new_id()
        dochak.bizgo(payloads.bizgo(id_, "10000"))
        dochak.wait_row("bizgo", id_, status="SENT")


def test_migrate_without_postgres_or_kafka_says_which(world: World) -> None:
    done = run_once("processor", world.owner_env() | {"PGPORT": "1"}, "migrate")
    assert done.returncode == 1 and "Postgres" in done.stderr, done
    done = run_once("processor", world.owner_env() | {"PGDATABASE": "nowhere"}, "migrate")
    assert done.returncode == 1 and "nowhere" in done.stderr, done


def test_every_table_and_column_is_commented(world: World) -> None:
    bare = world.sql(
        """SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
             AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)"""
    )
    assert bare == []


def test_a_processor_without_tables_says_what_to_run_and_goes_on_once_it_was_run(worlds, kafka, postgres) -> None:
    world = worlds.new(kafka, postgres, migrated=False)
    processor = world.new_processor().start()
    until("it says what to run", lambda: "dochak-processor migrate" in processor.log_text())
    assert processor.get("/readyz").status == 503
    assert processor.get("/livez").status == 200
    world.migrate()
    processor.wait_ready(30)


def test_a_processor_without_topics_says_what_to_run_and_can_be_stopped_meanwhile(worlds, kafka, postgres) -> None:
    world = worlds.new(kafka, postgres)
    processor = world.new_processor(DOCHAK_TOPIC_PREFIX=f"{world.name}-none.").start()
    until("it lives", lambda: processor.log_lines("^started"))
    time.sleep(0.5)  # into the midst of its looking for them; there is nothing to see from outside
    began = time.monotonic()
    processor.stop()
    print(f"stopped in {time.monotonic() - began:.1f} s while it looked for its topics")
    processor.start()
    began = time.monotonic()
    until("a worker says what to run", lambda: [w for w in processor.log_lines("^worker starts over") if "dochak-processor migrate" in w["error"]], 40)
    print(f"said what to run after {time.monotonic() - began:.1f} s")
    assert processor.get("/readyz").status == 503
