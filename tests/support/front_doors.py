# SPDX-License-Identifier: MIT
"""A server in place of what stands at our public URL: it answers GET /v1/ping as the test says, with TLS or without."""

import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from support import http

PING_KEY = "ping-key-0123456789"


@dataclass
class Answer:
    status: int = 200
    body: bytes | Callable[[str], bytes] = b""  # or made of the nonce
    headers: tuple[tuple[str, str], ...] = ()
    pause: float = 0


def ours(key: str | None = PING_KEY, **members) -> Callable[[str], bytes]:
    def body(nonce: str) -> bytes:
        proof = {"proof": hmac.new(key.encode(), nonce.encode(), hashlib.sha256).hexdigest()} if key else {}
        return json.dumps({"dochak": "ingress", "version": "0.1.0", "instance": "i", "address": "203.0.113.7", **proof, **members}).encode()

    return body


@contextmanager
def server(answer: Answer, certificate: Path | None = None) -> Iterator[int]:
    """Its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            assert parts.path == "/v1/ping"
            released.wait(answer.pause)
            body = answer.body(parse_qs(parts.query)["nonce"][0]) if callable(answer.body) else answer.body
            self.send_response(answer.status)
            for name, value in (*answer.headers, ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_) -> None:  # a client that goes away, or does not take the certificate
            pass

    released = threading.Event()
    listening = Quiet(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
    with http.serving(listening) as port:
        try:
            yield port
        finally:
            released.set()
