# SPDX-License-Identifier: MIT
"""Small disks of our own, which can be full: a tmpfs each, where root may mount one."""

import os
import subprocess
from pathlib import Path


class Disk:
    def __init__(self, folder: Path, megabytes: int):
        self.folder = folder
        self._megabytes = megabytes
        self._balloon = folder / "of others"
        self.is_small = False  # else a plain folder, on whatever disk there is

    def mount(self) -> "Disk":
        self.folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={self._megabytes}m,mode=755", "dochak", str(self.folder)]
        self.is_small = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
        return self

    def umount(self) -> None:
        if self.is_small:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)

    def fill(self) -> None:
        """To the last byte."""
        with self._balloon.open("ab", buffering=0) as balloon:
            at = 0
            for step in (1 << 20, 1 << 12):
                try:
                    while True:
                        os.posix_fallocate(balloon.fileno(), at, step)
                        at += step
                except OSError:
                    pass

    def empty(self) -> None:
        self._balloon.unlink()
