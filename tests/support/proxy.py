# SPDX-License-Identifier: MIT
"""nginx in front of ingresses, configured as docs/webhooks.md says."""

import itertools
import os
import shutil
import socket
import subprocess
from pathlib import Path

from support import builds
from support.wait import until

# What nginx needs to run here, beside what it has to do.
AROUND = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 16384; }}
http {{
client_body_temp_path {folder}/body;
proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi;
scgi_temp_path {folder}/scgi;
{configuration}
}}
"""


def documented() -> str:
    """The configuration that we advise, from the document that does."""
    blocks = [
        text.partition("```nginx\n")[2].partition("```")[0]
        for name in ("docs/webhooks.md", "README.md")
        if (file := builds.ROOT / name).exists() and "```nginx\n" in (text := file.read_text("utf-8"))
    ]
    assert len(blocks) == 1, f"{len(blocks)} documents hold a configuration for nginx"
    return blocks[0]


def advised(port: int, upstreams: list[int], certificate: Path | None) -> str:
    """It, at our addresses: the upstreams take turns at the document's two. Without a certificate it speaks no TLS."""
    configuration = documented()
    ours = itertools.cycle(upstreams)
    tls = f" ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate}" if certificate else ""
    for theirs, address in {"443 ssl": f"{port}{tls}", **{f"10.0.0.{number}:8080": next(ours) for number in (1, 2)}}.items():
        assert configuration.count(theirs) == 1, f"{theirs} in {configuration}"
        configuration = configuration.replace(theirs, f"127.0.0.1:{address}")
    return configuration


def program() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, "nginx is not installed"
    return found


class Proxy:
    """`certificate` is a file that holds the key, too."""

    def __init__(self, folder: Path, port: int, upstreams: list[int], certificate: Path | None = None):
        self.port = port
        self._folder = folder
        self._conf = folder / "nginx.conf"
        self._conf.write_text(AROUND.format(folder=folder, configuration=advised(port, upstreams, certificate)))
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Proxy":
        errors = self._folder / "error.log"
        self._process = subprocess.Popen([program(), "-p", self._folder, "-e", errors, "-c", self._conf], stdin=subprocess.DEVNULL)
        until("nginx listens", self._listens)
        return self

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self._process.wait(10)

    def errors(self) -> str:
        """What nginx logged; at its default level, error, a client that goes away is not among it."""
        return (self._folder / "error.log").read_text()

    def _listens(self) -> bool:
        assert self._process.poll() is None, self.errors()
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0
