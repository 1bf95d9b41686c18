# SPDX-License-Identifier: MIT
"""HTTP as our callers speak it: whole requests, and bytes as they come for what no client library would send."""

import errno
import http.client
import json
import math
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import HTTPServer

from support import builds
from support.wait import until_equal

IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, ALL_STATES = 4, 20, 0xFFFFFFFF  # linux/sock_diag.h


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    def __post_init__(self) -> None:
        # Some providers take a 4xx for final, and none of these is the sender's fault.
        assert self.status not in (408, 425, 429), self

    def json(self):
        return json.loads(self.body)


def request(
    port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, timeout: float = 15
) -> Answer:
    """One request on a connection of its own. A reset or a lack of an answer is an OSError or an HTTPException."""
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout * builds.patience())
    try:
        conn.request(method, path, body, headers or {})
        return _read(conn.getresponse())
    finally:
        conn.close()


def _read(response: http.client.HTTPResponse) -> Answer:
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


KEEP_ALIVE_SECONDS = 1.4  # ingress closes a connection on which no request comes for 1.5 s


class Connection:
    """Several requests on one connection. On a busy machine there may be so long between two that ingress has closed it; then the second
    one is sent on a new connection, as HTTP clients do."""

    def __init__(self, port: int, timeout: float = 15):
        self.conn = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout * builds.patience())
        self._began = math.inf  # when the last request that was answered was sent: ingress's clock starts later, ours may be late

    def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> Answer:
        try:
            return self._post(path, body, headers or {})
        except (ConnectionResetError, BrokenPipeError):
            if time.monotonic() - self._began < KEEP_ALIVE_SECONDS:
                raise
            self.close()
            return self._post(path, body, headers or {})

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        began = time.monotonic()
        self.conn.request("POST", path, body, headers)
        answer = _read(self.conn.getresponse())
        self._began = began
        return answer

    def close(self) -> None:
        self.conn.close()


def raw(port: int, data: bytes, timeout: float = 15, half_close: bool = False) -> bytes:
    """What the server says to these bytes until it closes the connection. half_close: we say nothing more afterwards."""
    with socket.create_connection(("127.0.0.1", port), timeout * builds.patience()) as sock:
        try:
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        except OSError:  # reset, broken pipe, not connected any more: it has said enough, and that is still to be read
            pass
        said = b""
        try:
            while chunk := sock.recv(65536):
                said += chunk
        except ConnectionResetError:
            pass
        return said


def status_of(said: bytes) -> int:
    """The status of a raw answer; 0 for none."""
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/1.1 ") else 0


def connect(port: int, source: str = "127.0.0.1", timeout: float = 15) -> socket.socket:
    """From an address of this machine. Its port is chosen late, by both ends: among thousands the kernel searches long for one of its own."""
    sock = socket.socket()
    sock.settimeout(timeout * builds.patience())
    sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    sock.bind((source, 0))
    sock.connect(("127.0.0.1", port))
    return sock


class Wire:
    """One connection, byte by byte: what is sent goes out as it stands, and each answer has to be well-formed to the letter."""

    def __init__(self, port: int, source: str = "127.0.0.1", timeout: float = 15):
        self.sock = connect(port, source, timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._said = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_) -> None:
        self.sock.close()

    def send(self, data: bytes) -> "Wire":
        """All of it, unless the server has heard enough."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def half_close(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:  # not connected any more
            pass

    def answer(self, to_head: bool = False) -> Answer | None:
        """The next one, 100 included; None if the server has closed instead."""
        head = self._take_until(b"\r\n\r\n")
        if head is None:
            assert self._said == b"", f"an answer breaks off: {self._said!r}"
            return None
        status, headers = _parse_head(head)
        if status == 100:
            assert headers == {}, head
            return Answer(status, headers, b"")
        return Answer(status, headers, b"" if to_head else self._take(int(headers["content-length"])))

    def is_closed(self) -> bool:
        """The server says nothing more and will read nothing more. Waits for the one or the other."""
        return self._said == b"" and not self._receive()

    def wait_taken(self) -> None:
        """Until the server has read all that was sent."""
        until_equal("the server has read what was sent", lambda: _unread(self.sock), 0, every=0)

    def _receive(self) -> bool:
        try:
            chunk = self.sock.recv(65536)
        except ConnectionResetError:
            return False
        self._said += chunk
        return chunk != b""

    def _take_until(self, end: bytes) -> bytes | None:
        while end not in self._said:
            if not self._receive():
                return None
        head, _, self._said = self._said.partition(end)
        return head

    def _take(self, n: int) -> bytes:
        while len(self._said) < n:
            assert self._receive(), f"a body breaks off after {len(self._said)} of {n} bytes: {self._said!r}"
        taken, self._said = self._said[:n], self._said[n:]
        return taken


def _parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("ascii").split("\r\n")
    status = re.fullmatch(r"HTTP/1\.1 ([1-5][0-9][0-9]) [A-Za-z -]+", first)
    assert status, head
    headers = {}
    for line in lines:
        field = re.fullmatch(r"([A-Za-z-]+): ([!-~]|[!-~][ -~]*[!-~])", line)
        assert field and field[1].lower() not in headers, head
        headers[field[1].lower()] = field[2]
    assert status[1] == "100" or re.fullmatch("[0-9]+", headers.get("content-length", "")), head
    return int(status[1]), headers


def _unread(sock: socket.socket) -> int:
    """How many bytes of ours wait in the kernel for the server to read them, as the kernel tells it (sock_diag(7)): both ends are here."""
    (our_host, our_port), (host, port) = sock.getsockname(), sock.getpeername()
    ends = struct.pack("!HH16s16s", port, our_port, socket.inet_aton(host), socket.inet_aton(our_host))
    query = struct.pack("=BBxxI", socket.AF_INET, socket.IPPROTO_TCP, ALL_STATES) + ends + struct.pack("=III", 0, ALL_STATES, ALL_STATES)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as netlink:
        netlink.send(struct.pack("=IHHII", 16 + len(query), SOCK_DIAG_BY_FAMILY, 1, 0, 0) + query)
        told = netlink.recv(4096)
    (kind,) = struct.unpack_from("=H", told, 4)
    if kind == SOCK_DIAG_BY_FAMILY:
        return struct.unpack_from("=I", told, 16 + 56)[0]
    assert struct.unpack_from("=i", told, 16)[0] == -errno.ENOENT, told
    return 0  # the server has closed


# --- a server of a test's own


@contextmanager
def serving(server: HTTPServer) -> Iterator[int]:
    """Its port. It answers in a thread of its own, and is closed at the end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
