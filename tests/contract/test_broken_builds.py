# SPDX-License-Identifier: MIT
"""The builds that are broken on purpose, to see that chaos finds it, can be made of today's sources."""

import subprocess
from pathlib import Path

import pytest
from support import builds

PATCHES = sorted((builds.ROOT / "tests" / "chaos" / "broken").glob("*.patch"))


def test_there_are_some() -> None:
    assert len(PATCHES) >= 2


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_the_patch_applies(patch: Path) -> None:
    done = subprocess.run(["git", "apply", "--check", patch], cwd=builds.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
