# SPDX-License-Identifier: MIT
"""HTTP as our callers speak it: whole requests, and bytes as they come for what no client library would send."""

import http.client
import json
import socket
from dataclasses import dataclass

from support import builds


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

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


class Connection:
    """Several requests on one connection, which the server may close between them."""

    def __init__(self, port: int, timeout: float = 15):
        self.conn = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout * builds.patience())

    def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> Answer:
        self.conn.request("POST", path, body, headers or {})
        return _read(self.conn.getresponse())

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
