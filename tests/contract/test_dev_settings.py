# SPDX-License-Identifier: MIT
"""What `./dev up` takes from the caller's shell reaches the services whole, and a change of it starts them anew."""

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
