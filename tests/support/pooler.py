# SPDX-License-Identifier: MIT
"""A real pgbouncer in front of Postgres."""

import os
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from support.servers import Server
from support.wait import until
from support.world import OWNER, RUNTIME_ROLE, free_port

PROGRAM = "/usr/sbin/pgbouncer"
CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = {mode}
{more}
"""


class Pooler:
    """Runs within `with`."""

    def __init__(self, folder: Path, server: Server, mode: str, more: str = ""):
        self.port = free_port()
        self._file = folder / f"pgbouncer-{self.port}.ini"
        self._log = self._file.with_suffix(".log")
        users = self._file.with_suffix(".users")
        users.write_text(f'"{OWNER}" ""\n"{RUNTIME_ROLE}" ""\n')
        self._file.write_text(CONFIGURATION.format(server=server.port, port=self.port, users=users, mode=mode, more=more))

    def __enter__(self) -> "Pooler":
        # It refuses to run as root, as Postgres does.
        who = ["-u", "postgres"] if os.geteuid() == 0 else []
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([PROGRAM, *who, self._file], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until("pgbouncer accepts connections", self._accepts)
        return self

    def _accepts(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
