# SPDX-License-Identifier: MIT
"""What `./dev up` takes from the caller's shell reaches the services whole, and a change of it starts them anew."""

import socket
import subprocess
from pathlib import Path

import pytest
from support import builds

LIBRARIES = "source scripts/lib.sh; source scripts/settings.sh; source scripts/services.sh; "


def run(script: str, **settings: str) -> str:
    env = {"PATH": "/usr/bin:/bin", **settings}
    return subprocess.run(["bash", "-c", LIBRARIES + script], cwd=builds.ROOT, env=env, capture_output=True, text=True, check=True).stdout


def fingerprint(**settings: str) -> str:
    return run("service_fingerprint nothing 2>/dev/null || true", **settings)


@pytest.mark.parametrize("setting", ["DOCHAK_ENDPOINTS_FILE", "DOCHAK_SECRET_ASK_BIZGO_KEY_FILE", "DOCHAK_SECRETS_DIR", "DOCHAK_PUBLIC_CA"])
def test_a_file_that_has_changed_starts_a_service_anew(tmp_path: Path, setting: str) -> None:
    file = tmp_path / "DOCHAK_SECRET_ASK_BIZGO_KEY"
    settings = {setting: str(tmp_path if setting.endswith("_DIR") else file)}
    file.write_text("first")
    before = fingerprint(**settings)
    assert before == fingerprint(**settings)
    file.write_text("second")
    assert before != fingerprint(**settings)


@pytest.mark.parametrize("setting", ["DOCHAK_ENDPOINTS_FILE", "DOCHAK_SECRETS_DIR", "DOCHAK_PUBLIC_CA"])
def test_a_path_means_the_callers_folder(tmp_path: Path, setting: str) -> None:
    (tmp_path / "here").write_text("")
    script = f'cd "{tmp_path}"; anchor_paths; echo "${setting}"'
    assert run(script, **{setting: "here"}) == f"{tmp_path}/here\n"


def test_only_webhooks_of_the_endpoints_file_are_handed_out(tmp_path: Path) -> None:
    """A URL of an endpoint that the caller's file does not list would be answered 404."""
    (tmp_path / "endpoints.json").write_text('{"endpoints": [{"endpoint": "bizgo/alimtalk", "provider": "bizgo"}]}')
    settings = {
        "DOCHAK_ENDPOINTS_FILE": str(tmp_path / "endpoints.json"),
        "DOCHAK_KAFKA_BOOTSTRAP": "k:1",
        "DOCHAK_INGRESS_LISTEN": "127.0.0.1:7",
        "DOCHAK_INGRESS_KEY": "key",
        "DOCHAK_API_KEY": "key",
        "DOCHAK_SECRET_BIZGO_PATH": "secret",
        "DOCHAK_SECRET_BLUX_PATH": "secret",
    }
    run(f'RUN="{tmp_path}"; PGHOST=h PGPORT=1 PGUSER=u PGDATABASE=d; write_env', **settings)
    webhooks = [line for line in (tmp_path / "env").read_text().splitlines() if "WEBHOOK" in line]
    assert webhooks == ["DOCHAK_WEBHOOK_BIZGO=http://127.0.0.1:7/webhook/bizgo/alimtalk/secret"]


def test_a_service_does_not_start_on_a_port_that_another_program_has() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        said = run("(need_ports ingress) 2>&1 || true", DOCHAK_INGRESS_LISTEN="127.0.0.1:0", DOCHAK_INGRESS_OPS_LISTEN=listen)
    assert f"another program listens on {listen} (DOCHAK_INGRESS_OPS_LISTEN)" in said
    assert run("need_ports ingress", DOCHAK_INGRESS_LISTEN=listen, DOCHAK_INGRESS_OPS_LISTEN="127.0.0.1:0") == ""
