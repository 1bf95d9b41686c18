# SPDX-License-Identifier: MIT
"""The table of what may arrive at the public listener, byte by byte, with the answers that are allowed. Most rows are bad requests.
Beside each limit stands a request that is just good, so that a listener which refuses everything fails too.

RFC 9112 and 9110 are the measure. civetweb reads heads more leniently than they ask for, and the proxy in front normalises heads anyway.
So a row allows what civetweb does wherever that harms nobody; the sets below name each such kind and say why it is harmless.
No set allows these: a 2xx for a body that was not kept whole, a request read out of the body of a refused one, a 4xx for slowness.

@bizgo@, @blux@ and @key@ stand for the paths of the test's own endpoints, secrets included, and for its bearer key.
"""

import gzip
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from support import payloads

BODY_MAX = 16384  # DOCHAK_BODY_MAX_BYTES of the ingress that gets the table
HEAD_GOOD, HEAD_MAX = 15_000, 16_384  # bytes: served in any case; civetweb's buffer, beyond which a head is refused
FIELDS_MAX = 63  # civetweb keeps the first 64 headers and drops the rest without a word, so 64 and more are refused

# --- what else is allowed, and why

# civetweb reads it as it was meant: the method, target, version, headers and length that it finds are those that every other reader
# finds, or the difference lies in a header that ingress does not read. A proxy refuses or normalises it.
READ_AS_MEANT = {200, 400}
# The same of a body that keeps its connection waiting where the head's end is not recognised: the head's clock runs out.
READ_OR_WAITED_FOR = {0, 200, 400, 503}
# civetweb knows some 20 methods and calls a head with any other ill-formed.
UNKNOWN_METHOD = {400, 405}
# civetweb compares the version's text with 1.0 and 1.1 and does not parse it.
UNKNOWN_VERSION = {400, 505}
# civetweb's mg_read() tells an ill-formed chunk like a peer that has gone. The sender may send again; nothing was kept.
BAD_CHUNK = {400, 503}
# civetweb refuses chunk extensions, and accepts a body at its last chunk whatever the trailer is. Every byte of the body was there.
CHUNK_EXTENSION, TRAILER = {200, 400, 503}, {200, 400, 503}
# civetweb closes without an answer where the target names another authority, or is "*". A sender sees a lost connection and sends again.
NOT_LOCAL = {0, 400}
# civetweb's own error for a head that is too large is that for an ill-formed one.
HEAD_TOO_LARGE = {400, 413, 414, 431}
# Whoever does not read a request's body to its end closes: part of the answer may be lost with the connection.
LOST = 0

HOST = b"Host: x"
REPORT, SECOND = (payloads.to_bytes(payloads.bizgo(id_, "10000")) for id_ in ("edge", "edge-second"))
EVENTS = b'{"events":[]}'
REGISTRATION = payloads.to_bytes(payloads.accepted("bizgo", "edge"))
BEARER = b"Authorization: Bearer @key@"
JSON = b"Content-Type: application/json"
CHUNKED = b"Transfer-Encoding: chunked"
CLOSE = b"Connection: close"


@dataclass(frozen=True)
class Row:
    group: str
    name: str
    data: bytes
    answers: tuple[frozenset[int], ...]  # in this order; one of several where more than one is right; 0: closed without an answer
    code: str | None = None  # of the last answer's error; "": it has no body, as the provider file says
    # The connection after the last answer: closed, open; either: as the answer's Connection header says; unsaid: that may be wrong.
    after: str = "either"
    quarantined: int = 0  # how many of its 2xx are for a body that went to quarantine,
    empty: bool = False  # all of them are for a body without any element to keep; every other 2xx is for one event
    headers: dict[str, str] = field(default_factory=dict)  # that the last answer has
    continued: bool | None = None  # False: no "100 Continue" may come first
    half_close: bool = False  # the client sends FIN behind it
    until_closed: bool = False  # all that the server answers until it closes is one of the last set


TABLE: list[Row] = []
CLOSING = {0, 400, 411, 413, 414, 417, 431, 503, 505}  # after one of these the rest of the bytes has no meaning


def row(group: str, name: str, data: bytes, *answers: int | Iterable[int], **more) -> None:
    """after and headers follow from the answers where they are not given."""
    sets = tuple(frozenset([answer] if isinstance(answer, int) else answer) for answer in answers)
    if sets[-1] <= CLOSING:
        more.setdefault("after", "closed")
    if sets[-1] == {405}:
        more.setdefault("headers", {"allow": "POST"})
    if sets[-1] == {401}:
        more.setdefault("headers", {"www-authenticate": 'Bearer realm="dochak"'})
    TABLE.append(Row(group, name, data, sets, **more))


Add = Callable[..., None]  # row() for one group


def request(line: bytes, *fields: bytes, body: bytes = b"") -> bytes:
    """As it stands: no field is added."""
    return b"\r\n".join([line, *fields, b"", b""]) + body


def length(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


def webhook(*fields: bytes, body: bytes = REPORT, path: bytes = b"@bizgo@", version: bytes = b"HTTP/1.1") -> bytes:
    """Good but for what is asked for."""
    return request(b"POST %s %s" % (path, version), HOST, *fields, length(body), body=body)


def registration(*fields: bytes, body: bytes = REGISTRATION) -> bytes:
    return request(b"POST /v1/notifications HTTP/1.1", HOST, *fields, length(body), body=body)


def to(target: bytes, method: bytes = b"POST") -> bytes:
    """With an empty body."""
    return request(b"%s %s HTTP/1.1" % (method, target), HOST, *([b"Content-Length: 0"] if method == b"POST" else []))


GOOD = webhook()
CONTROLS = [*range(0x20), 0x7F]
SEPARATORS = b'"(),/:;<=>?@[\\]{}'
TOKEN_SIGNS = b"!#$%&'*+-.^_`|~"
EIGHT_BIT = [0x80, 0xA0, 0xC3, 0xFF]


# fmt: off
# --- the request line


def request_lines(row: Add) -> None:
    row("good", GOOD, 200, after="open")
    row("an empty line before it", b"\r\n" + GOOD, 200)
    # civetweb takes the second empty line for the end of a head and the real head for the body's first bytes.
    for name, lines in {"two empty lines": b"\r\n\r\n", "three empty lines": b"\r\n\r\n\r\n", "two bare LF": b"\n\n", "a space and two empty lines": b" \r\n\r\n",
                "empty lines as long as a head": b"\r\n" * 60}.items():
        row(f"{name} before it", lines + GOOD, 400)
        row(f"{name} before one in chunks", lines + chunked(chunks(REPORT)), {400, 503})
        row(f"{name} before a registration", lines + registration(BEARER, JSON), {400, 401, 415}, until_closed=True)
        row(f"{name} before one with a body of four bytes", lines + webhook(body=b"null"), {400, 503})
        row(f"{name} and nothing else", lines, {0, 400, 503}, half_close=True)
        row(f"{name} between two", GOOD + lines + GOOD, 200, 400)
    row("a bare LF before it", b"\n" + GOOD, READ_AS_MEANT, after="either")
    for name, line in {
        "a space before it": b" POST @bizgo@ HTTP/1.1",
        "two spaces before the target": b"POST  @bizgo@ HTTP/1.1",
        "two spaces behind the target": b"POST @bizgo@  HTTP/1.1",
        "a line break before the target": b"POST \r\n@bizgo@ HTTP/1.1",
        "a line break before the version": b"POST @bizgo@ \r\nHTTP/1.1",
        "a line of a space behind it": b"POST @bizgo@ HTTP/1.1\r\n ",
    }.items():
        row(name, request(line, HOST, length(REPORT), body=REPORT), READ_AS_MEANT)
    for name, line in {
        "one word": b"hello",
        "two words": b"POST @bizgo@",
        "four words": b"POST @bizgo@ x HTTP/1.1",
        "no method": b" @bizgo@ HTTP/1.1",
        "no target": b"POST HTTP/1.1",
        "an empty target": b"POST  HTTP/1.1",
        "a tab before it": b"\tPOST @bizgo@ HTTP/1.1",
        "a space behind it": b"POST @bizgo@ HTTP/1.1 ",
        "a tab behind it": b"POST @bizgo@ HTTP/1.1\t",
        "tabs for spaces": b"POST\t@bizgo@\tHTTP/1.1",
        "a tab beside a space": b"POST \t@bizgo@ HTTP/1.1",
        "vertical tabs for spaces": b"POST\x0b@bizgo@\x0bHTTP/1.1",
        "no-break spaces for spaces": b"POST\xa0@bizgo@\xa0HTTP/1.1",
        "a space in the target": b"POST @bizgo@/a b HTTP/1.1",
        "a quoted target": b'POST "@bizgo@" "HTTP/1.1"',
        "a field": b"Host: x",
        "an answer": b"HTTP/1.1 200 OK",
    }.items():
        row(name, request(line, HOST, length(REPORT), body=REPORT), UNKNOWN_VERSION)
    for name, old, new in [
        ("a bare LF behind the request line", b"HTTP/1.1\r\n", b"HTTP/1.1\n"),
        ("a bare LF behind a field", b"Host: x\r\n", b"Host: x\n"),
        ("a bare LF for the empty line", b"\r\n\r\n", b"\r\n\n"),
        ("LF only", b"\r\n", b"\n"),
        ("a bare CR behind the request line", b"HTTP/1.1\r\n", b"HTTP/1.1\r"),
        ("a bare CR behind a field", b"Host: x\r\n", b"Host: x\r"),
        ("CR CR LF behind the request line", b"HTTP/1.1\r\n", b"HTTP/1.1\r\r\n"),
        ("CR CR LF behind a field", b"Host: x\r\n", b"Host: x\r\r\n"),
        ("LF CR behind a field", b"Host: x\r\n", b"Host: x\n\r"),
        ("a bare LF and CR LF behind a field", b"Host: x\r\n", b"Host: x\n\r\n"),
        ("a bare LF and CR LF behind the last field", b"\r\n\r\n", b"\n\r\n"),
        ("a bare LF and CR LF behind the request line", b"HTTP/1.1\r\n", b"HTTP/1.1\n\r\n"),
    ]:
        row(name, GOOD.replace(old, new), READ_OR_WAITED_FOR | {411}, half_close=True)
        # The next request's bytes must not become part of this one.
        row(f"{name}, and another", GOOD.replace(old, new) + webhook(CLOSE, body=SECOND), READ_OR_WAITED_FOR | {411}, until_closed=True, half_close=True)
    row("a greeting of TLS", bytes.fromhex("16030100a5010000a10303") + b"\x00" * 150 + b"\r\n\r\n", 400)
    row("a greeting of SSH", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", 400)
    row("a greeting of SMTP", b"EHLO example.com\r\n\r\n", 400)
    row("a greeting of SOCKS", b"\x05\x01\x00\r\n\r\n", 400)
    row("the PROXY protocol", b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" + GOOD, 400)
    row("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", UNKNOWN_VERSION)
    row("broken off", b"POST /nowh", (0, 400, 503), half_close=True)


def versions(row: Add) -> None:
    row("HTTP/1.1", webhook(version=b"HTTP/1.1"), 200, after="open")
    for version in (b"HTTP/1.2", b"HTTP/1.9"):
        row(version.decode(), webhook(version=version), {200, 505})
    row("HTTP/1.0", webhook(version=b"HTTP/1.0"), 200, after="closed")
    for version in (b"HTTP/0.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/9.9"):
        row(version.decode(), webhook(version=version), UNKNOWN_VERSION)
    for version in (b"http/1.1", b"Http/1.1", b"HTTPS/1.1", b"HTP/1.1", b"XHTTP/1.1", b"HTTP1.1", b"HTTP/11", b"HTTP/1", b"HTTP/1.",
                b"HTTP/.1", b"HTTP/", b"HTTP", b"HTTP/1.1.1", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/10.1", b"HTTP/1.1x", b"HTTP/1,1",
                b"HTTP/-1.1", b"HTTP/+1.1", b"HTTP/1.-1", b"HTTP/a.b", b"HTTP/1.a", b"HTTP//1.1", b"HTTP\\1.1", b"HTTP/1.1\0",
                b"HTTP/\xb9.1", b"SIP/2.0", b"RTSP/1.0", b"1.1"):
        row(repr(version)[2:-1], webhook(version=version), UNKNOWN_VERSION)


def methods(row: Add) -> None:
    routes = {"the registration": b"/v1/notifications", "a webhook": b"@bizgo@"}
    for where, path in routes.items():
        for method in (b"GET", b"HEAD", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"PROPFIND"):
            row(f"{method.decode()} of {where}", to(path, method), 405, code="method_not_allowed")
        for method in (b"TRACE", b"BREW", b"M-SEARCH", b"post", b"Post", b"POSTS", b"POS", b"X" * 32, b"X" * 33):
            row(f"{method.decode()} of {where}", to(path, method), UNKNOWN_METHOD, after="either")
        row(f"PUT of {where} with a body", request(b"PUT %s HTTP/1.1" % path, HOST, length(REPORT), body=REPORT), 405, after="closed")
        row(f"GET of {where} with a body", request(b"GET %s HTTP/1.1" % path, HOST, length(GOOD), body=GOOD), 405, after="closed")
        row(f"GET of {where} with a body in chunks", request(b"GET %s HTTP/1.1" % path, HOST, CHUNKED, body=chunks(GOOD)), 405, after="closed")
    row("8,000 letters", to(b"/", b"X" * 8000), 400)
    row("GET of nothing", to(b"/", b"GET"), 404, code="not_found")
    row("HEAD of nothing", to(b"/", b"HEAD"), 404)
    row("OPTIONS of all", to(b"*", b"OPTIONS"), {0, 404})
    row("CONNECT to a host", to(b"example.com:443", b"CONNECT"), 400)
    for sign in TOKEN_SIGNS:
        row(f"{chr(sign)} in a method", to(b"@bizgo@", b"PO%cST" % sign), UNKNOWN_METHOD, after="either")
    for byte in [*CONTROLS, *SEPARATORS, *EIGHT_BIT]:
        row(f"0x{byte:02x} in a method", to(b"@bizgo@", b"PO%cST" % byte), 400)


# --- the target


def targets(row: Add) -> None:
    for byte in [*CONTROLS, *EIGHT_BIT]:
        row(f"0x{byte:02x} in a path", to(b"@bizgo@%c" % byte), 400)
        row(f"0x{byte:02x} in a query", to(b"@blux@?a=%c" % byte), 400)
    row("UTF-8", to("/webhook/알림".encode()), 400)
    row("a fragment", to(b"@blux@#x"), (400, 404), after="either")
    row("a fragment in a query", webhook(path=b"@bizgo@?a=b#x"), READ_AS_MEANT)
    for byte in b"\"$&'()*+,-.:;<=>@[\\]^_`{|}~!%":
        row(f"{chr(byte)} in a path", to(b"/webhook/no%cbody" % byte), 404, code="not_found")
    for target in (b"x", b"v1/notifications", b"**", b"x:443", b"?a=b", b"#", b"%2f", b"\\v1\\notifications", b"mailto:x",
                b"ftp://x/v1/notifications"):
        row(f"{target.decode()} is no path", to(target), 400)
    row("*", to(b"*"), {0, 404})
    row("a query on a webhook", webhook(path=b"@bizgo@?a=b&c=%00"), 200)
    row("an empty query", webhook(path=b"@bizgo@?"), 200)
    row("question marks in a query", webhook(path=b"@bizgo@???"), 200)
    row("a query on the registration", registration(BEARER, JSON).replace(b"ions HTTP", b"ions?a=b HTTP"), 202)
    for name, target in {"": b"http://x@bizgo@", " with a port": b"http://x:8080@bizgo@", " of another host": b"http://example.com@bizgo@",
                " of an IPv6 address": b"http://[::1]:80@bizgo@", " in capitals": b"HTTP://X@bizgo@", " of another scheme": b"https://x@bizgo@",
                " of a websocket": b"ws://x@bizgo@", " with a bad port": b"http://x:0x50@bizgo@", " with a port of 6 digits": b"http://x:808080@bizgo@"}.items():
        row(f"an absolute one{name}", webhook(path=target), NOT_LOCAL | {200}, after="either")
    for name, target in {" without a path": b"http://x", " without a path, with a query": b"http://x?a=b",
                " without a host": b"http:///v1/notifications", " without anything": b"http://",
                " inside an absolute one": b"http://x/http://x/v1/notifications"}.items():
        row(f"an absolute one{name}", to(target), NOT_LOCAL | {401, 404}, after="either")
    row("an absolute one with a control character", to(b"http://x\x01@bizgo@"), 400)


def routes(row: Add) -> None:
    for target in (b"/", b"//", b"/.", b"/..", b"/webhook", b"/webhook/", b"/webhook//", b"/webhook/nobody", b"/webhook/bizgo",
                b"/webhook/bizgo/", b"/webhook/bizgo/alimtalks", b"/webhook/../v1/notifications", b"/v1/../v1/notifications",
                b"/v1/./notifications", b"/./v1/notifications", b"//v1/notifications", b"/v1//notifications", b"/v1/notifications//",
                b"/v1/notifications/x", b"/v1/notifications/..", b"/v1/notifications;x", b"/v1/notifications.", b"/v1/notifications%20",
                b"/v1/notifications%00", b"/v1/notification%73", b"/%76%31/notifications", b"/v1%2fnotifications",
                b"/v1%2Fnotifications", b"/v1/..%2fv1/notifications", b"/%2e%2e/v1/notifications", b"/v1/%2e/notifications",
                b"/v1\\notifications", b"/V1/notifications", b"/v1/Notifications", b"/v1", b"/v1/", b"/v1/notification",
                b"/v2/notifications", b"/api/v1/notifications", b"/webhook/blux%2fsms", b"/webhook/./blux/sms",
                b"/webhook/x/../blux/sms", b"/webhook//blux/sms", b"/Webhook/blux/sms", b"/webhook/BLUX/sms", b"/webhook/blux/sms%00",
                b"/webhook/%62lux/sms", b"/webhook/blux;/sms", b"/webhook/%", b"/webhook/%zz", b"/livez", b"/readyz", b"/metrics",
                b"/favicon.ico", b"/robots.txt", b"/.env", b"/.git/config", b"/index.html", b"/cgi-bin/sh", b"/../../../../etc/passwd",
                b"/%2e%2e%2f%2e%2e%2fetc/passwd"):
        # With all that the registration asks for: only the path is wrong.
        data = registration(BEARER, JSON).replace(b"/v1/notifications", target, 1)
        row(target.decode(), data, 404, code="not_found", after="closed")
    row("a wrong secret", webhook(path=b"/webhook/blux/sms/wrong", body=EVENTS), 404, code="")
    row("no secret", webhook(path=b"/webhook/blux/sms", body=EVENTS), 404, code="")
    row("something behind the secret", webhook(path=b"@blux@x", body=EVENTS), 404, code="")
    row("a slash and something behind the secret", webhook(path=b"@blux@/x", body=EVENTS), 404, code="")
    row("a slash behind the secret", webhook(path=b"@blux@/", body=EVENTS), 200, empty=True)
    row("a slash behind the secret and a query", webhook(path=b"@blux@/?a=b", body=EVENTS), 200, empty=True)
    row("two slashes behind the secret", webhook(path=b"@blux@//", body=EVENTS), 404, code="")
    row("a slash behind a path that is no webhook", registration(BEARER, JSON).replace(b"/v1/notifications", b"/v1/notifications/", 1), (202, 404), after="either")
    row("dots behind the secret", webhook(path=b"@blux@/.", body=EVENTS), 404, code="")
    row("a percent-encoded letter behind the secret", webhook(path=b"@blux@%61", body=EVENTS), 404, code="")
    row("the secret in the query", webhook(path=b"/webhook/blux/sms?@blux@", body=EVENTS), 404, code="")
    row("the right secret", webhook(path=b"@blux@", body=EVENTS), 200, empty=True)
    row("no such path, with an empty body", to(b"/nowhere"), 404)


# --- the fields of the head


def headers(row: Add) -> None:
    for byte in CONTROLS:
        # civetweb takes a tab for a control character wherever it stands in a head.
        row(f"0x{byte:02x} in a value", webhook(b"X: a%cb" % byte), READ_AS_MEANT if byte == 0x09 else 400)
        if byte != 0x09:
            row(f"0x{byte:02x} at the start of a value", webhook(b"X: %cb" % byte), 400)
        row(f"0x{byte:02x} in a name", webhook(b"X%cY: a" % byte), 400)
    for byte in EIGHT_BIT:
        row(f"0x{byte:02x} in a value", webhook(b"X: a%cb" % byte), 200)
        row(f"0x{byte:02x} in a name", webhook(b"X%cY: a" % byte), 400)
    for byte in SEPARATORS.replace(b":", b""):
        row(f"{chr(byte)} in a name", webhook(b"X%cY: a" % byte), READ_AS_MEANT)
    for byte in TOKEN_SIGNS:
        row(f"{chr(byte)} in a name", webhook(b"X%cY: a" % byte), 200)
    row("a value in UTF-8", webhook("X: 알림".encode()), 200)
    row("an empty value", webhook(b"X:"), 200)
    row("a value of spaces", webhook(b"X:   "), 200)
    row("a value of spaces and a tab", webhook(b"X:   \t "), READ_AS_MEANT)
    row("no space before a value", webhook(b"X:a"), 200)
    row("spaces around a value", webhook(b"X:   a   "), 200)
    row("tabs around a value", webhook(b"X: \t a \t "), READ_AS_MEANT)
    row("colons in a value", webhook(b"X: :a:b:"), 200)
    row("one field twice", webhook(b"X: a", b"X: b"), 200)
    row("a space before the colon", webhook(b"X : a"), READ_AS_MEANT)
    row("a tab before the colon", webhook(b"X\t: a"), 400)
    row("a space in a name", webhook(b"X Y: a"), 400)
    row("no colon", webhook(b"X"), 400)
    # civetweb ends the headers at a line that begins with a space, a colon or a byte that is no letter: what stands behind it,
    # a length too, is in no list of its. So such a line is refused wherever it stands, and nothing behind it is read.
    for name, line in {"a folded value": b"X: a\r\n b", "a folded value behind a tab": b"X: a\r\n\tb", "an empty name": b": a", "a colon only": b":",
                "a line of a space": b" ", "a line of a tab": b"\t", "a field behind a space": b" X: a", "a name of 8 bits": b"\xc3\x84: a",
                "a bare LF for an empty line": b"X: a\n"}.items():
        for where, fields, allowed in [
            ("before the length", [line, length(REPORT)], {400, 411}),
            ("behind the length", [length(REPORT), line], READ_AS_MEANT),
            ("before a second length", [b"Content-Length: 2", line, length(REPORT)], {400}),
            ("before a coding", [length(REPORT), line, CHUNKED], {400}),
        ]:
            row(f"{name} {where}", request(b"POST @bizgo@ HTTP/1.1", HOST, *fields, body=REPORT + GOOD), allowed, until_closed=200 in allowed)
        for method in (b"GET", b"POST", b"PUT"):
            row(f"{name} before the length of a {method.decode()} for no path of ours",
                request(b"%s /nowhere HTTP/1.1" % method, HOST, line, length(GOOD), body=GOOD), {0, 400, 404, 411, 503}, after="closed")
            row(f"{name} before the coding of a {method.decode()} for no path of ours",
                request(b"%s /nowhere HTTP/1.1" % method, HOST, line, CHUNKED, body=chunks(GOOD)), {0, 400, 404, 411, 503}, after="closed")
        row(f"{name} as the first field", request(b"GET /nowhere HTTP/1.1", line, HOST, length(GOOD), body=GOOD), {0, 400, 404, 503}, after="closed")
    row("no field at all", request(b"GET /nowhere HTTP/1.1"), (400, 404), after="either")
    row("no field at all, with a body", request(b"POST @bizgo@ HTTP/1.1", body=REPORT), (400, 411))
    row("a folded length", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Length:\r\n 2", body=b"{}"), 400)
    row("a folded coding", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"), 400)
    row("a space before the first field", request(b"POST @bizgo@ HTTP/1.1", b" Host: x", length(REPORT), body=REPORT), READ_AS_MEANT)
    row("a space before the colon of the length", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Length : %d" % len(REPORT), body=REPORT),
        READ_AS_MEANT)
    row("a space before the colon of the coding",
        request(b"POST @bizgo@ HTTP/1.1", HOST, b"Transfer-Encoding : chunked", body=chunks(REPORT)), READ_AS_MEANT)
    row("a space before the colons of length and coding",
        request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Length : 2", b"Transfer-Encoding : chunked", body=chunks(REPORT)), 400)
    row("broken off", b"POST @bizgo@ HTTP/1.1\r\nHost: x\r\nX: a", (0, 400, 503), half_close=True)


def hosts(row: Add) -> None:
    """civetweb does not look at Host, and ingress neither: no answer depends on it. The proxy refuses what is wrong."""
    line, tail = b"POST @bizgo@ HTTP/1.1", length(REPORT)
    for name, fields, status in [
        ("none", [], READ_AS_MEANT),
        ("twice the same", [HOST, HOST], READ_AS_MEANT),
        ("two that differ", [HOST, b"Host: y"], READ_AS_MEANT),
        ("twice, in another case", [HOST, b"hOST: x"], READ_AS_MEANT),
        ("three", [HOST] * 3, READ_AS_MEANT),
        ("a space inside", [b"Host: a b"], READ_AS_MEANT),
        ("a tab inside", [b"Host: a\tb"], 400),
        ("a list", [b"Host: a, b"], READ_AS_MEANT),
        ("a NUL inside", [b"Host: a\0b"], 400),
        ("a DEL inside", [b"Host: a\x7fb"], 400),
        ("empty", [b"Host:"], READ_AS_MEANT),
        ("in capitals", [b"HOST: x"], 200),
        ("with a port", [b"Host: example.com:8080"], 200),
        ("an IPv4 address", [b"Host: 127.0.0.1"], 200),
        ("an IPv6 address", [b"Host: [::1]:8080"], 200),
        ("another name of ours", [b"Host: hooks.example.com"], 200),
        ("spaces around it", [b"Host:  x  "], 200),
        ("in a field of a proxy only", [b"X-Forwarded-Host: x"], READ_AS_MEANT),
    ]:
        data = request(line, *fields, tail, body=REPORT)
        row(name, data, status)
        if len(fields) > 1:
            row(f"{name}, HTTP/1.0", data.replace(b"HTTP/1.1", b"HTTP/1.0"), READ_AS_MEANT)
    row("none, HTTP/1.0", request(b"POST @bizgo@ HTTP/1.0", tail, body=REPORT), 200)
    row("one, HTTP/1.0", request(b"POST @bizgo@ HTTP/1.0", HOST, tail, body=REPORT), 200)
    row("none beside an absolute target", request(b"POST http://x@bizgo@ HTTP/1.1", tail, body=REPORT), NOT_LOCAL | {200}, after="either")
    row("two beside an absolute target", request(b"POST http://x@bizgo@ HTTP/1.1", HOST, HOST, tail, body=REPORT), NOT_LOCAL | {200}, after="either")


# --- where a body ends


def framed(*fields: bytes, body: bytes = REPORT, version: bytes = b"HTTP/1.1") -> bytes:
    """A webhook call with only these fields beside Host, and behind it what a smuggler would want to see taken for a request."""
    return request(b"POST @bizgo@ %s" % version, HOST, *fields, body=body + GOOD)


def lengths(row: Add) -> None:
    n = b"%d" % len(REPORT)
    for name, value in {"negative": b"-2", "with a plus": b"+2", "in hex": b"0x2", "with a suffix": b"2;", "a fraction": b"2.0",
                "with an exponent": b"2e0", "in words": b"two", "empty": b"", "quoted": b'"2"', "in brackets": b"[2]",
                "with a space inside": b"2 2", "with a tab inside": b"2\t2", "with an underscore": b"2_0",
                "a list of one and nothing": b"2,", "a list of nothing and one": b",2", "a list of two": b"2, 2",
                "a list without spaces": b"2,2", "a list that differs": b"2, 400", "of 19 digits": b"0" * 18 + b"2",
                "beyond 64 bits": b"99999999999999999999", "2^64 + 2": b"18446744073709551618", "2^63": b"9223372036854775808",
                "a thousand digits": b"1" * 1000, "in Arabic digits": "٢".encode(), "in full-width digits": "２".encode(),
                "a superscript": b"\xb2", "minus zero": b"-0", "not a number": b"NaN", "with a percent sign": b"%32",
                "with a NUL": b"2\0", "a slash for a digit": b"/", "a colon for a digit": b":"}.items():
        # 411 is civetweb's own answer to a length that does not begin with digits.
        row(f"a length {name}", framed(b"Content-Length: " + value, body=b"{}"), (400, 411))
    row("a length of 18 digits", framed(b"Content-Length: " + b"9" * 18), 413, code="too_large")
    row("leading zeros", webhook().replace(b"Content-Length: ", b"Content-Length: 000"), 200)
    row("spaces before a length", webhook().replace(n + b"\r\n", b"  " + n + b"\r\n"), 200)
    row("spaces behind a length", webhook().replace(n + b"\r\n", n + b"  \r\n"), READ_AS_MEANT)
    row("a tab behind a length", webhook().replace(n + b"\r\n", n + b"\t\r\n"), READ_AS_MEANT)
    row("a length in capitals", webhook().replace(b"Content-Length", b"CONTENT-LENGTH"), 200)
    bare = request(b"POST @bizgo@ HTTP/1.1", HOST)
    row("none", bare, 411, code="length_required")
    row("none, with a body", bare + REPORT, 411, code="length_required")
    row("none, with a body that is a request", bare + GOOD, 411, code="length_required")
    row("none, and closing", request(b"POST @bizgo@ HTTP/1.1", HOST, CLOSE, body=REPORT), 411, code="length_required")
    row("none in HTTP/1.0", request(b"POST @bizgo@ HTTP/1.0", HOST, body=REPORT), 411, half_close=True)
    row("none, of a registration", request(b"POST /v1/notifications HTTP/1.1", HOST, BEARER, JSON, body=REGISTRATION), 411)
    row("none, of a registration without a key", request(b"POST /v1/notifications HTTP/1.1", HOST, JSON, body=REGISTRATION), (401, 411),
        after="closed")
    row("none, for no path of ours", request(b"POST /nowhere HTTP/1.1", HOST), (404, 411), after="either")
    row("none, with the body's encoding", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Encoding: gzip", body=gzip.compress(REPORT)), 411)
    row("none, waiting to go on", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Expect: 100-continue"), 411, continued=False)
    row("none, misspelt", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Lenght: %d" % len(REPORT), body=REPORT), 411)
    row("none, with underscores", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content_Length: %d" % len(REPORT), body=REPORT), 411)
    row("zero", webhook(body=b""), 200, quarantined=1, after="open")
    for name, fields in {
        "the same twice": [b"Content-Length: " + n] * 2,
        "two that differ": [b"Content-Length: 2", b"Content-Length: " + n],
        "two that differ, the other way round": [b"Content-Length: " + n, b"Content-Length: 2"],
        "two in different cases": [b"Content-Length: " + n, b"content-length: " + n],
        "three": [b"Content-Length: 2"] * 3,
        "a good one and an empty one": [b"Content-Length: " + n, b"Content-Length:"],
        "a good one and a bad one": [b"Content-Length: " + n, b"Content-Length: x"],
        "two with something between": [b"Content-Length: 2", b"X: a", b"Content-Length: 2"],
        "length and chunks": [b"Content-Length: " + n, CHUNKED],
        "chunks and length": [CHUNKED, b"Content-Length: " + n],
        "chunks and a length of zero": [CHUNKED, b"Content-Length: 0"],
        "chunks and a bad length": [CHUNKED, b"Content-Length: x"],
        "chunks between two lengths": [b"Content-Length: 2", CHUNKED, b"Content-Length: 2"],
        "a length in another case and chunks": [b"content-length: " + n, b"TRANSFER-ENCODING: chunked"],
        "identity and a length": [b"Transfer-Encoding: identity", b"Content-Length: " + n],
        "a length and identity": [b"Content-Length: " + n, b"Transfer-Encoding: identity"],
    }.items():
        row(name, framed(*fields), 400)
        row(f"{name}, for no path of ours", framed(*fields).replace(b"@bizgo@", b"/nowhere", 1), (400, 404), after="closed")
        row(f"{name}, GET", b"GET" + framed(*fields)[4:], (400, 405), after="closed")
        row(f"{name}, the body in chunks", framed(*fields, body=chunks(REPORT)), 400)
    for value in (b"chunked, chunked", b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, identity", b"identity",
                b"identity, chunked", b"deflate", b"xchunked", b"chunkedx", b"chunke", b"chun ked", b'"chunked"', b"chunked;q=1",
                b"chunked;", b"", b",", b"chunked,", b",chunked", b", chunked", b"chunked\x0b", b"\x0bchunked", b"chunked\0",
                b"c\xa8unked", b"trailers", b"none", b"2"):
        row(f"the coding {value.decode('latin-1')!r}", framed(b"Transfer-Encoding: " + value, body=b"0\r\n\r\n"), (400, 501), after="closed")
        if value:
            row(f"the coding {value.decode('latin-1')!r} beside a length",
                framed(b"Transfer-Encoding: " + value, b"Content-Length: 5", body=b"0\r\n\r\n"), (400, 501), after="closed")
    for value in (b"chunked", b"CHUNKED", b"Chunked", b"   chunked"):
        row(f"the coding {value.decode()!r}", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Transfer-Encoding:" + value, body=chunks(REPORT)), 200)
    for value in (b"chunked ", b"\tchunked"):
        row(f"the coding {value.decode()!r}", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Transfer-Encoding:" + value, body=chunks(REPORT)),
            READ_AS_MEANT)
    row("the coding twice", framed(CHUNKED, CHUNKED, body=chunks(REPORT)), 400)
    row("the coding twice, one identity", framed(b"Transfer-Encoding: identity", CHUNKED, body=chunks(REPORT)), 400)
    row("the coding in HTTP/1.0", framed(CHUNKED, body=chunks(REPORT), version=b"HTTP/1.0"), 400)
    row("the coding on a path that is nobody's", to(b"/nowhere").replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: gzip\r\n\r\n"), (400, 404),
        after="closed")
    row("a bad length on a path that is nobody's", to(b"/nowhere").replace(b"\r\n\r\n", b"\r\nContent-Length: 2, 2\r\n\r\n"), (400, 404),
        after="closed")
    row("a body that breaks off", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Length: 400", body=b"{"), (0, 503), half_close=True)
    row("a body that never begins", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Length: 400"), (0, 503), half_close=True)


def chunks(body: bytes, size: int = 0, end: bytes = b"0\r\n\r\n") -> bytes:
    """In chunks of that size, else in one."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)] if size else [body]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def chunked(body: bytes) -> bytes:
    return request(b"POST @bizgo@ HTTP/1.1", HOST, CHUNKED, body=body)


def chunk_rows(row: Add) -> None:
    n = b"%x" % len(REPORT)
    one = REPORT + b"\r\n0\r\n\r\n"  # what follows the size of the only chunk
    row("good", chunked(chunks(REPORT)), 200)
    row("no chunk but the last: an empty body", chunked(b"0\r\n\r\n"), 200, quarantined=1)
    for name, size in {"in capitals": n.upper(), "with leading zeros": n.rjust(8, b"0")}.items():
        row(f"a size {name}", chunked(size + b"\r\n" + one), 200)
    for name, size in {"with an extension": n + b";a",
                "with a named extension": n + b";a=b", "with a quoted extension": n + b';a="b"', "with two extensions": n + b";a=b;c=d",
                "with an extension of 1,000 bytes": n + b";" + b"a" * 1000}.items():
        row(f"a size {name}", chunked(size + b"\r\n" + one), CHUNK_EXTENSION, after="either")
    for name, size in {"none": b"", "an extension only": b";a", "of 16 digits": b"f" * 16,
                "of 17 digits": b"1" + b"0" * 16, "of 17 digits that wrap around": b"1" + n.rjust(16, b"0"),
                "of 16 digits below zero": b"f" * 14 + b"00", "2^63": b"8" + b"0" * 15, "2^63 + a little": b"8" + n.rjust(15, b"0"),
                "of 60 digits": b"f" * 60, "of 100 digits": n.rjust(100, b"0"), "negative": b"-" + n, "with a plus": b"+" + n, "in C": b"0x" + n,
                "with an h": n + b"h", "quoted": b'"' + n + b'"', "behind a space": b" " + n, "before a space": n + b" ",
                "behind a tab": b"\t" + n, "before a tab": n + b"\t", "behind a line break": b"\r\n" + n, "with a comma": n + b",",
                "with a NUL": n + b"\0", "with 8 bits": n + b"\xb2", "with an extension of 1,100 bytes": n + b";" + b"a" * 1100,
                "with an extension without end": n + b";" + b"a" * 20_000, "with a bare LF in an extension": n + b";a\nb",
                "with a bare CR in an extension": n + b";a\rb", "with a bare LF in a quoted extension": n + b';a="\n"'}.items():
        row(f"a size {name}", chunked(size + b"\r\n" + one + GOOD), BAD_CHUNK | {413})
    row("a size of 9 digits", chunked(n.rjust(9, b"0") + b"\r\n" + one), READ_AS_MEANT | BAD_CHUNK, after="either")
    for byte in [*b"gGzZ/:@`._", 0x7F]:
        row(f"0x{byte:02x} for a digit", chunked(b"%c\r\n" % byte + one), BAD_CHUNK)
        row(f"0x{byte:02x} behind the digits", chunked(n + b"%c\r\n" % byte + one), BAD_CHUNK)
    row("a space before an extension", chunked(n + b" ;a\r\n" + one), CHUNK_EXTENSION, after="either")
    row("a NUL in an extension", chunked(n + b";\0\r\n" + one), CHUNK_EXTENSION, after="either")
    row("a size far over the limit", chunked(b"ffffffff\r\n" + b" " * (BODY_MAX + 1)), 413, code="too_large")
    row("one chunk over the limit", chunked(chunks(b" " * (BODY_MAX + 1))), 413, code="too_large")
    row("many chunks over the limit", chunked(chunks(b" " * (BODY_MAX + 1), 64)), 413, code="too_large")
    row("one chunk at the limit", chunked(chunks(REPORT.ljust(BODY_MAX))), 200)
    row("many chunks at the limit", chunked(chunks(REPORT.ljust(BODY_MAX), 64)), 200)
    row("one byte a chunk", chunked(chunks(REPORT, 1)), 200)
    for name, body in {
        "a bare LF behind a size": n + b"\n" + one,
        "a bare CR behind a size": n + b"\r" + one,
        "CR CR LF behind a size": n + b"\r\r\n" + one,
        "a bare LF behind a chunk": n + b"\r\n" + REPORT + b"\n0\r\n\r\n",
        "a bare CR behind a chunk": n + b"\r\n" + REPORT + b"\r0\r\n\r\n",
        "nothing behind a chunk": n + b"\r\n" + REPORT + b"0\r\n\r\n",
        "a chunk longer than its size": b"2\r\n" + one,
        "a chunk shorter than its size": b"%x\r\n" % (len(REPORT) + 1) + one + b"  " * 8,
        "a bare LF behind the last size": n + b"\r\n" + REPORT + b"\r\n0\n\r\n",
        "a bad size behind a good chunk": n + b"\r\n" + REPORT + b"\r\nx\r\n\r\n",
        "no chunks at all": REPORT + b"\r\n\r\n",
    }.items():
        row(name, chunked(body), BAD_CHUNK, half_close=True)
        row(f"{name}, another behind it", chunked(body + GOOD), BAD_CHUNK)
    row("the last chunk as 00", chunked(chunks(REPORT, end=b"00\r\n\r\n")), 200)
    row("an extension of the last chunk", chunked(chunks(REPORT, end=b"0;a=b\r\n\r\n")), CHUNK_EXTENSION, after="either")
    row("a bare LF at the end", chunked(chunks(REPORT, end=b"0\r\n\n")), TRAILER, after="unsaid", half_close=True)
    row("broken off in a chunk", chunked(n + b"\r\n{"), (0, 503), half_close=True)
    row("broken off behind a chunk", chunked(n + b"\r\n" + REPORT + b"\r\n"), (0, 503), half_close=True)
    row("broken off in the last chunk", chunked(n + b"\r\n" + REPORT + b"\r\n0\r\n"), TRAILER | {0}, after="unsaid", half_close=True)
    for name, trailer in [
        ("one", b"X: a\r\n"),
        ("several", b"X: a\r\nY: b\r\nX: c\r\n"),
        ("an empty value", b"X:\r\n"),
        ("4,000 bytes", b"X: " + b"a" * 3990 + b"\r\n"),
        ("5,000 bytes", b"X: " + b"a" * 5000 + b"\r\n"),
        ("5,000 bytes in many", b"X: aaaa\r\n" * 600),
        ("no colon", b"X\r\n"),
        ("an empty name", b": a\r\n"),
        ("a space before the colon", b"X : a\r\n"),
        ("a space in the name", b"X Y: a\r\n"),
        ("a folded one", b"X: a\r\n b\r\n"),
        ("a fold only", b" a\r\n"),
        ("a NUL in a value", b"X: \0\r\n"),
        ("a bare LF behind it", b"X: a\n"),
        ("a bare CR in it", b"X: a\rb\r\n"),
        ("8 bits in a name", b"X\xc3: a\r\n"),
    ]:
        row(f"a trailer: {name}", chunked(chunks(REPORT, end=b"0\r\n" + trailer + b"\r\n")), TRAILER, after="unsaid")
        row(f"a trailer: {name}, another request behind it", chunked(chunks(REPORT, end=b"0\r\n" + trailer + b"\r\n") + webhook(CLOSE, body=SECOND)), TRAILER,
            until_closed=True)
    for trailer in (b"Content-Length: 2", CHUNKED, HOST):
        row(f"a trailer that would be a field: {trailer.decode()}", chunked(chunks(REPORT, end=b"0\r\n" + trailer + b"\r\n\r\n")),
            TRAILER, after="unsaid")


def expectations(row: Add) -> None:
    expect = b"Expect: 100-continue"
    row("100-continue", webhook(expect), 200, after="open")
    row("in another case", webhook(b"expect: 100-Continue"), 200, after="open")
    row("before chunks", request(b"POST @bizgo@ HTTP/1.1", HOST, expect, CHUNKED, body=chunks(REPORT)), 200)
    row("in HTTP/1.0", webhook(expect, version=b"HTTP/1.0"), 200, continued=False)
    for value in (b"200-ok", b"100-continuex", b"100", b"continue", b"100-continue, x", b"x, 100-continue", b"100 continue",
                b"100-continue; a=b", b'"100-continue"'):
        row(value.decode(), webhook(b"Expect: " + value), 417, continued=False)
    for name, field_ in {"nothing": b"Expect:", "a space": b"Expect: ", "spaces": b"Expect:    "}.items():
        row(name, webhook(field_), 200, after="open", continued=False)
        row(f"{name}, of a registration", registration(BEARER, JSON, field_), 202, after="open", continued=False)
    row("nothing, HTTP/1.0", webhook(b"Expect:", version=b"HTTP/1.0"), 200, continued=False)
    row("twice", webhook(expect, expect), (200, 417), after="either")
    row("nothing and 100-continue", webhook(b"Expect:", expect), (200, 417), after="either")
    row("100-continue and another", webhook(expect, b"Expect: x"), (200, 417), after="either")
    row("of a GET", request(b"GET /nowhere HTTP/1.1", HOST, expect), 404, continued=False)
    row("with an empty body", webhook(expect, body=b""), 200, quarantined=1, after="either")
    # The body does not follow: the answer comes without it.
    for name, head, status in [
        ("nobody's path", request(b"POST /nowhere HTTP/1.1", HOST, expect, b"Content-Length: 2"), 404),
        ("nobody's path, chunked", request(b"POST /nowhere HTTP/1.1", HOST, expect, CHUNKED), 404),
        ("no such endpoint", request(b"POST /webhook/nobody HTTP/1.1", HOST, expect, b"Content-Length: 2"), 404),
        ("another method", request(b"PUT @bizgo@ HTTP/1.1", HOST, expect, b"Content-Length: 2"), 405),
        ("no key", request(b"POST /v1/notifications HTTP/1.1", HOST, JSON, expect, b"Content-Length: 2"), 401),
        ("a wrong key", request(b"POST /v1/notifications HTTP/1.1", HOST, BEARER + b"x", JSON, expect, b"Content-Length: 2"), 401),
        ("another content type", request(b"POST /v1/notifications HTTP/1.1", HOST, BEARER, b"Content-Type: text/plain", expect,
            b"Content-Length: 2"), 415),
        ("too large", request(b"POST @bizgo@ HTTP/1.1", HOST, expect, b"Content-Length: %d" % (BODY_MAX + 1)), 413),
        ("too large a registration", request(b"POST /v1/notifications HTTP/1.1", HOST, BEARER, JSON, expect,
            b"Content-Length: %d" % (BODY_MAX + 1)), 413),
        ("two lengths", request(b"POST @bizgo@ HTTP/1.1", HOST, expect, b"Content-Length: 2", b"Content-Length: 2"), 400),
        ("a length that is none", request(b"POST @bizgo@ HTTP/1.1", HOST, expect, b"Content-Length: x"), 400),
        ("no length", request(b"POST @bizgo@ HTTP/1.1", HOST, expect), 411),
        ("length and chunks", request(b"POST @bizgo@ HTTP/1.1", HOST, expect, b"Content-Length: 2", CHUNKED), 400),
        ("64 fields", request(b"POST @bizgo@ HTTP/1.1", HOST, expect, b"Content-Length: 2", *[b"X: a"] * 61), 431),
        ("another expectation", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Expect: x", b"Content-Length: 2"), 417),
    ]:
        row(f"refused before the body: {name}", head, status, after="closed", continued=False)


# --- limits


def limits(row: Add) -> None:

    def head(size: int) -> bytes:
        bare = to(b"/nowhere")
        return bare.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * (size - len(bare) - len(b"X: \r\n")) + b"\r\n\r\n")

    def fields(count: int, name: bytes = b"X") -> bytes:
        return request(b"GET /nowhere HTTP/1.1", HOST, *[b"%s-%d: a" % (name, i) for i in range(count - 1)])

    def target(size: int) -> bytes:
        return to(b"/" + b"a" * (size - 1))

    assert len(head(HEAD_MAX)) == HEAD_MAX
    row("a head of 15,000 bytes", head(HEAD_GOOD), 404)
    row("a head at the limit", head(HEAD_MAX), HEAD_TOO_LARGE | {404}, after="either")
    row("a head one over the limit", head(HEAD_MAX + 1), HEAD_TOO_LARGE)
    for size in (20_000, 40_000, 100_000, 1_000_000):
        row(f"a head of {size:,} bytes", head(size), HEAD_TOO_LARGE | {LOST})
    row("a head of one long name", webhook(b"X" * 20_000 + b": a"), HEAD_TOO_LARGE)
    row("a head of many lines", fields(5000), HEAD_TOO_LARGE)
    row("a head without end", b"POST /nowhere HTTP/1.1\r\nX: " + b"a" * 100_000, HEAD_TOO_LARGE | {LOST})
    row("a head over the limit with a good request inside", head(HEAD_MAX)[:-4] + b"\r\nX: " + GOOD, HEAD_TOO_LARGE)
    row("63 fields", fields(FIELDS_MAX), 404)
    row("63 fields of a webhook", webhook(*[b"X: a"] * (FIELDS_MAX - 2)), 200, after="open")
    for count in (64, 65, 66, 100, 500, 1000):
        row(f"{count} fields", fields(count), 431)
        row(f"{count} fields of a webhook", webhook(*[b"X: a"] * (count - 2)), 431)
        row(f"a second length behind {count} fields", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Length: 2", *[b"X: a"] * (count - 2),
            length(REPORT), body=REPORT + GOOD), 431)
        row(f"a length behind {count} fields", request(b"POST @bizgo@ HTTP/1.1", HOST, *[b"X: a"] * (count - 1), length(REPORT), body=REPORT + GOOD),
            (411, 431))
        row(f"a coding behind {count} fields", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Length: 2", *[b"X: a"] * (count - 2), CHUNKED,
            body=chunks(REPORT) + GOOD), 431)
        row(f"a length behind {count} fields of a GET", request(b"GET /nowhere HTTP/1.1", HOST, *[b"X: a"] * (count - 1), length(GOOD), body=GOOD),
            (404, 431), after="closed")
    row("a key behind 64 fields", registration(*[b"X: a"] * 64, BEARER, JSON), 431)
    for size in (8_192, 8_193, 12_000):
        row(f"a target of {size:,} bytes", target(size), {404, 414}, after="either")
    row("a query of 8,192 bytes", to(b"/nowhere?" + b"a" * 8_192), {404, 414}, after="either")
    row("a target of 100,000 bytes", target(100_000), HEAD_TOO_LARGE | {LOST})
    row("a target without end", b"POST /" + b"a" * 100_000, HEAD_TOO_LARGE | {LOST})
    row("an absolute target of 8,192 bytes", to(b"http://" + b"a" * 8_192 + b"/"), NOT_LOCAL | {404, 414}, after="either")
    row("a method without end", b"A" * 100_000, HEAD_TOO_LARGE | {LOST})
    row("a version without end", b"POST / HTTP/1." + b"1" * 100_000, HEAD_TOO_LARGE | {LOST})
    row("a body at the limit", webhook(body=REPORT.ljust(BODY_MAX)), 200, after="open")
    row("a body one over the limit", webhook(body=REPORT.ljust(BODY_MAX + 1)), 413, code="too_large")
    row("a body of a megabyte", webhook(body=b" " * 1_000_000), 413, code="too_large")
    row("a body over the limit of which nothing comes", request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Length: 1000000000000"), 413,
        code="too_large")
    # A refused sender's body is read only where the refusal may name something in it.
    row("a body over the limit from an unauthenticated sender",
        webhook(path=b"/webhook/blux/sms/wrong", body=b" " * (BODY_MAX + 1)), (404, 413), after="closed")
    row("a registration at the limit", registration(BEARER, JSON, body=REGISTRATION.ljust(BODY_MAX)), 202, after="open")
    row("a registration one over the limit", registration(BEARER, JSON, body=REGISTRATION.ljust(BODY_MAX + 1)), 413, code="too_large")
    row("a registration over the limit without a key", registration(JSON, body=b" " * (BODY_MAX + 1)), 401, after="closed")
    row("a body over the limit for nobody", webhook(path=b"/nowhere", body=b" " * (BODY_MAX + 1)), 404, after="closed")


# --- encodings of the body


def encodings(row: Add) -> None:
    zipped, zipped_registration = gzip.compress(REPORT), gzip.compress(REGISTRATION)
    bomb = gzip.compress(b" " * (BODY_MAX * 600))
    assert len(bomb) < BODY_MAX

    def hook(coding: bytes, body: bytes) -> bytes:
        return webhook(b"Content-Encoding: " + coding, body=body)

    def enter(coding: bytes, body: bytes) -> bytes:
        return registration(BEARER, JSON, b"Content-Encoding: " + coding, body=body)

    for coding in (b"", b"identity", b"Identity"):
        row(f"{coding.decode()!r}", hook(coding, REPORT), 200, after="open")
        row(f"{coding.decode()!r} of a registration", enter(coding, REGISTRATION), 202, after="open")
    # What is no coding at all: character sets (a habit of Java clients), media types, MIME's transfer encodings.
    for coding in (b"utf-8", b"UTF-8", b"utf8", b"'UTF-8'", b'"utf-8"', b"iso-8859-1", b"ISO8859_1", b"us-ascii", b"euc-kr", b"EUC_KR",
                b"ks_c_5601-1987", b"cp949", b"MS949", b"windows-1252", b"charset=utf-8", b"application/json; charset=UTF-8", b"8bit", b"none",
                b"utf-8, identity", b" , utf-8 ,", b","):
        row(f"{coding.decode()!r}", hook(coding, REPORT), 200, after="open")
        row(f"{coding.decode()!r} of a registration", enter(coding, REGISTRATION), 202, after="open")
    for coding in (b"gzip, utf-8", b"utf-8,gzip", b"UTF-8 , x-GZIP", b"identity, gzip", b"gzip,"):
        row(coding.decode(), hook(coding, zipped), 200, after="open")
        row(f"{coding.decode()} of a registration", enter(coding, zipped_registration), 202, after="open")
    row("gzip and a character set", webhook(b"Content-Encoding: utf-8", b"Content-Encoding: gzip", body=zipped), 200, after="open")
    row("utf-8 of gzip", hook(b"utf-8", zipped), 200, quarantined=1, after="open")
    row("utf-8 of gzip, a registration", enter(b"utf-8", zipped_registration), 400, after="open", code="bad_json")
    for coding in (b"gzip", b"GZIP", b"Gzip"):
        row(coding.decode(), hook(coding, zipped), 200, after="open")
        row(f"{coding.decode()} of a registration", enter(coding, zipped_registration), 202, after="open")
    row("gzip at the limit", hook(b"gzip", gzip.compress(REPORT.ljust(BODY_MAX))), 200, after="open")
    row("gzip one over the limit", hook(b"gzip", gzip.compress(REPORT.ljust(BODY_MAX + 1))), 413, after="either", code="too_large")
    row("gzip of ten million bytes", hook(b"gzip", bomb), 413, after="either", code="too_large")
    row("gzip of ten million bytes, a registration", enter(b"gzip", bomb), 413, after="either", code="too_large")
    row("gzip in chunks", request(b"POST @bizgo@ HTTP/1.1", HOST, CHUNKED, b"Content-Encoding: gzip", body=chunks(zipped, 7)), 200,
        after="open")
    row("gzip of nothing", hook(b"gzip", gzip.compress(b"")), 200, quarantined=1)
    for name, how in {
        "no gzip": lambda good, body: body,
        "nothing": lambda good, body: b"",
        "one byte": lambda good, body: b"\x1f",
        "its mark only": lambda good, body: b"\x1f\x8b",
        "its head only": lambda good, body: good[:10],
        "cut in the middle": lambda good, body: good[: len(good) // 2],
        "cut before its sum": lambda good, body: good[:-8],
        "cut by a byte": lambda good, body: good[:-1],
        "with another method": lambda good, body: good[:2] + b"\x07" + good[3:],
        "with broken data": lambda good, body: good[:10] + b"\xff" * (len(good) - 18) + good[-8:],
        "with a wrong sum": lambda good, body: good[:-8] + bytes([good[-8] ^ 1]) + good[-7:],
        "with a wrong size": lambda good, body: good[:-4] + bytes([good[-4] ^ 1]) + good[-3:],
        "zlib": lambda good, body: b"x\x9c" + good[10:-8],
        "behind a space": lambda good, body: b" " + good,
    }.items():
        row(f"gzip: {name}", hook(b"gzip", how(zipped, REPORT)), 200, quarantined=1, after="open")
        row(f"gzip: {name}, a registration", enter(b"gzip", how(zipped_registration, REGISTRATION)), 400, after="either",
            code="bad_encoding")
    row("gzip of no JSON, a registration", enter(b"gzip", gzip.compress(b"hello")), 400, after="open", code="bad_json")
    row("gzip of no JSON", hook(b"gzip", gzip.compress(b"hello")), 200, quarantined=1, after="open")
    for coding in (b"br", b"deflate", b"zstd", b"compress", b"gzip, gzip", b"gzip, br", b"utf-8, br", b"br, utf-8", b"gzipx", b"x", b"gzip;q=1",
                b"*", b"'gzip'", b"aes128gcm"):
        row(coding.decode(), hook(coding, zipped), 200, quarantined=1, after="open")
        row(f"{coding.decode()} of a registration", enter(coding, zipped_registration), 415, code="unsupported_media_type")
    row("gzip twice", webhook(b"Content-Encoding: gzip", b"Content-Encoding: gzip", body=zipped), 200, quarantined=1)
    row("gzip twice, a registration", registration(BEARER, JSON, b"Content-Encoding: gzip", b"Content-Encoding: gzip",
        body=zipped_registration), 415)


# --- several on one connection


def connections(row: Add) -> None:
    for value in (b"close", b"Close", b"CLOSE", b" close ", b"close, x", b"x, close", b"x,close,y", b",close"):
        row(f"{value.decode()!r}", webhook(b"Connection: " + value), 200, after="closed")
    # To civetweb keep-alive wins over close. What the answer says has to be so.
    for value in (b"keep-alive, close", b"close,keep-alive"):
        row(f"{value.decode()!r}", webhook(b"Connection: " + value), 200)
    row("'x ,\\tclose'", webhook(b"Connection: x ,\tclose"), READ_AS_MEANT)
    for value in (b"keep-alive", b"Keep-Alive", b"", b"x", b"closed", b"close-x", b"xclose", b"clos e", b"upgrade", b"te, x"):
        # civetweb keeps a connection where the field says keep-alive or is not there.
        row(f"{value.decode()!r} does not close", webhook(b"Connection: " + value), 200)
    row("close in the second field", webhook(b"Connection: x", CLOSE), 200)
    row("close in the first field", webhook(CLOSE, b"Connection: keep-alive"), 200)
    row("close in a proxy's field", webhook(b"Proxy-Connection: close"), 200, after="open")
    row("an upgrade to HTTP/2", webhook(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"),
        200)
    row("an upgrade to a websocket", to(b"@bizgo@", b"GET").replace(b"\r\n\r\n",
        b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n"), 405,
        after="unsaid")
    row("an upgrade of a webhook to a websocket", webhook(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: eA=="), 200, after="unsaid")
    for value, after in [(None, "closed"), (b"close", "closed"), (b"x", "closed"), (b"keep-alive", "either"), (b"Keep-Alive", "either"),
        (b"x, keep-alive", "either"), (b"keep-alive, close", "either")]:
        fields = [] if value is None else [b"Connection: " + value]
        row(f"HTTP/1.0, {value}", webhook(*fields, version=b"HTTP/1.0"), 200, after=after)


def pipelines(row: Add) -> None:
    nowhere = to(b"/nowhere")
    row("good, good", GOOD * 2, 200, 200, after="open")
    row("good, good, good, the last of them closing", GOOD * 2 + webhook(CLOSE), 200, 200, 200, after="closed")
    row("an empty line between", GOOD + b"\r\n" + GOOD, 200, 200, after="open")
    # Behind a refusal without a body the connection may stay open or not.
    row("no such path, good", nowhere + GOOD, {200, 404}, until_closed=True, half_close=True)
    row("GET, good", to(b"@bizgo@", b"GET") + GOOD, {200, 405}, until_closed=True, half_close=True)
    row("OPTIONS, good", to(b"@bizgo@", b"OPTIONS") + GOOD, {200, 405}, until_closed=True, half_close=True)
    row("good, no such path", GOOD + nowhere, 200, 404)
    row("good, GET", GOOD + to(b"@bizgo@", b"GET"), 200, 405)
    row("chunks, good", chunked(chunks(REPORT)) + webhook(CLOSE, body=SECOND), 200, until_closed=True)
    row("good, chunks", GOOD + chunked(chunks(REPORT)), 200, 200)
    row("an empty body, good", to(b"@bizgo@") + GOOD, 200, 200, quarantined=1, after="open")
    row("webhook, registration, webhook", GOOD + registration(BEARER, JSON) + GOOD, 200, 202, 200, after="open")
    row("a bad registration, good", registration(BEARER, JSON, body=b"{}") + GOOD, 400, 200, after="open")
    # What stands behind one of these, or in its body, is no request.
    row("close, good", webhook(CLOSE) + GOOD, 200, after="closed")
    row("HTTP/1.0, good", webhook(version=b"HTTP/1.0") + GOOD, 200, after="closed")
    row("good, bad", GOOD + webhook(b"X Y: a"), 200, 400)
    row("bad, good", webhook(b"X Y: a") + GOOD, 400)
    row("good, bad, good", GOOD + b"hello\r\n\r\n" + GOOD, 200, 400)
    row("good, another version, good", GOOD + webhook(version=b"HTTP/2.0") + GOOD, 200, 505)
    row("another expectation, good", webhook(b"Expect: x") + GOOD, 417)
    row("too large, good", webhook(body=b" " * (BODY_MAX + 1)) + GOOD, 413)
    row("a bad chunk, good", chunked(b"x\r\n") + GOOD, BAD_CHUNK)
    row("a body longer than its length", GOOD + b"{}" + b"\r\n\r\n" + GOOD, 200, 400)
    row("a length that takes the next in",
        request(b"POST @bizgo@ HTTP/1.1", HOST, b"Content-Length: %d" % (len(REPORT) + 2), body=REPORT + b"\r\n"), 200, after="open")
    row("two lengths, good", framed(b"Content-Length: 2", b"Content-Length: 400"), 400)
    row("too many fields, good", webhook(*[b"X: a"] * 200) + GOOD, 431)
    # A refusal comes before the body; the body is a good request, small, larger than civetweb's buffer, and in chunks.
    for name, inside in {"a good request": GOOD, "many good requests": GOOD * 60, "a registration": registration(BEARER, JSON)}.items():
        bodies = {"": (length(inside), inside), ", in chunks": (CHUNKED, chunks(inside, 512)), ", its length twice as long": (length(inside * 2), inside)}
        for how, (framing, body) in bodies.items():
            for refused, line, fields, status in [
                ("no such path", b"POST /nowhere", [], 404),
                ("no such endpoint", b"POST /webhook/nobody", [], 404),
                ("another method", b"PUT @bizgo@", [], 405),
                ("another method of a registration", b"GET /v1/notifications", [], 405),
                ("no key", b"POST /v1/notifications", [JSON], 401),
                ("another media type", b"POST /v1/notifications", [BEARER, b"Content-Type: text/plain"], 415),
                ("another expectation", b"POST @bizgo@", [b"Expect: x"], {413, 417}),
                ("two lengths", b"POST @bizgo@", [b"Content-Length: 0"], 400),
                ("64 fields", b"POST @bizgo@", [b"X: a"] * 64, 431),
                ("HTTP/1.0", b"POST /nowhere HTTP/1.0\r\nX: a", [], {400, 404, 411}),
            ]:
                head = line if b"HTTP/" in line else line + b" HTTP/1.1"
                row(f"{refused}, the body {name}{how}", request(head, HOST, *fields, framing, body=body), status, after="closed", half_close=True)


# --- registrations


def with_(**changes) -> bytes:
    return payloads.to_bytes({**payloads.accepted("bizgo", "edge"), **changes})


def sent(response) -> bytes:
    return payloads.to_bytes(payloads.sent("bizgo", response))


def registrations(row: Add) -> None:
    def refused(name: str, body: bytes, code: str = "bad_registration") -> None:
        row(name, registration(BEARER, JSON, body=body), 400, after="open", code=code)

    def taken(name: str, body: bytes) -> None:
        row(name, registration(BEARER, JSON, body=body), 202, after="open")

    for field_, fits in {"provider": 32, "notification_id": 255, "channel": 64, "recipient": 254, "reference": 255}.items():
        for name, value in {"null": None, "a number": 7, "a truth": True, "an array": [], "an object": {}, "empty": "",
                    "one too long": "a" * (fits + 1)}.items():
            refused(f"{field_} {name}", with_(**{field_: value}))
        for name, value in {"a NUL": "a\0", "a line break": "a\nb", "a DEL": "a\x7f"}.items():
            code = "bad_json" if name == "a NUL" else "bad_registration"
            refused(f"{field_} with {name}", with_(**{field_: value}), code)
        if field_ != "provider":
            taken(f"{field_} as long as it may be", with_(**{field_: "a" * fits}))
    for value in ("Bizgo", "BIZGO", "bizgo ", " bizgo", "biz-go", "../bizgo", "bizgo.json", "7"):
        refused(f"the provider {value!r}", with_(provider=value))
    for value in (None, 7, 1768183203, True, [], {}, "", "now", "2026-01-12", "11:00:03", "2026-01-12T11:00:03", "2026-01-12 11:00:03Z",
                "2026-01-12T11:00Z", "2026-1-12T11:00:03Z", "2026-13-12T11:00:03Z", "2026-02-29T11:00:03Z", "2026-01-12T25:00:03Z",
                "2026-01-12T11:60:03Z", "2026-01-12T11:00:03+0900", "2026-01-12T11:00:03+24:00", "2026-01-12T11:00:03.Z",
                "2026-01-12t11:00:03z", "-2026-01-12T11:00:03Z", "2026-01-12T11:00:03Z "):
        refused(f"accepted_at {value!r}", with_(accepted_at=value))
    for value in ("2026-01-12T11:00:03Z", "2026-01-12T11:00:03.123456789+09:00", "2024-02-29T23:59:59-14:00"):
        taken(f"accepted_at {value!r}", with_(accepted_at=value))
    for response in (None, True, 7, "A000", [], {}, {"msgKey": [7], "code": "A000"}, {"msgKey": "", "code": "A000"}, {"code": "A000"},
                {"code": "A000", "msgKey": "a" * 256}):
        name = str(response)[:40]
        refused(f"the response {name}", sent(response))
    taken("a response whose id is a number", sent({"msgKey": 7, "code": "A000"}))
    good = payloads.accepted("bizgo", "edge")
    for name, body in {"a number": 7, "a text": "bizgo", "an array of null": [None], "an array of texts": ["bizgo"],
                "a good one and null": [good, None], "null and a good one": [None, good], "a good one and an empty one": [good, {}],
                "another field": {**good, "x": 1}, "the answer's field": {**good, "accepted": True},
                "inside an object": {"notifications": [good]}, "an array in an array": [[good]]}.items():
        refused(name, payloads.to_bytes(body))
    for name, body in {"nothing": b"", "no JSON": b"hello", "a form": b"provider=bizgo&notification_id=x",
                "cut": REGISTRATION[:-1], "twice": REGISTRATION * 2, "a name twice": REGISTRATION[:-1] + b',"provider":"blux"}',
                "a NUL behind it": REGISTRATION + b"\0", "a byte order mark": b"\xef\xbb\xbf" + REGISTRATION,
                "in UTF-16": REGISTRATION.decode().encode("utf-16"), "in Latin-1": with_(reference="é").decode().encode("latin-1"),
                "70 levels": b"[" * 70 + b"]" * 70}.items():
        refused(name, body, "bad_json")
    row("a line break", registration(BEARER, JSON, body=b"\r\n"), 400, after="either")
    taken("an array of one", b"[" + REGISTRATION + b"]")
    taken("spaces around it", b" \r\n" + REGISTRATION + b"\t\n")


def registration_heads(row: Add) -> None:
    row("no content type", registration(BEARER), 202, after="open")
    for value in (b"application/json", b"APPLICATION/JSON", b"application/json;charset=utf-8", b"application/json ; charset=utf-8",
                b"application/json;"):
        row(value.decode(), registration(BEARER, b"Content-Type: " + value), 202, after="open")
    for value in (b"application/jsonx", b"application/json+x", b"application/x-json", b"application/", b"application", b"json",
                b"text/json", b"text/plain", b"text/plain; application/json", b"application/json, text/plain", b"application/xml",
                b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"*/*", b"application/json/x",
                b"application /json", b'"application/json"'):
        row(value.decode(), registration(BEARER, b"Content-Type: " + value), 415, code="unsupported_media_type")


def authorizations(row: Add) -> None:
    for name, fields in {
        "none": [],
        "empty": [b"Authorization:"],
        "the scheme only": [b"Authorization: Bearer"],
        "the scheme and a space": [b"Authorization: Bearer "],
        "the key only": [b"Authorization: @key@"],
        "a wrong key": [b"Authorization: Bearer wrong-key-wrong-key"],
        "a letter more": [BEARER + b"x"],
        "a letter before": [b"Authorization: Bearer x@key@"],
        "two keys": [BEARER + b",@key@"],
        "two keys with a space": [BEARER + b" @key@"],
        "two spaces": [b"Authorization: Bearer  @key@"],
        "a colon": [b"Authorization: Bearer: @key@"],
        "an equals sign": [b"Authorization: Bearer=@key@"],
        "quoted": [b'Authorization: Bearer "@key@"'],
        "a slash behind it": [BEARER + b"/"],
        "percent-encoded": [b"Authorization: Bearer %69@key@"],
        "eight bits behind it": [BEARER + b"\xff"],
        "another scheme": [b"Authorization: Basic @key@"],
        "the scheme misspelt": [b"Authorization: Bearers @key@"],
        "Basic": [b"Authorization: Basic aW5ncmVzczprZXk="],
        "Token": [b"Authorization: Token @key@"],
        "the scheme twice": [b"Authorization: Bearer Bearer @key@"],
        "a proxy's": [b"Proxy-Authorization: Bearer @key@"],
        "another field": [b"X-Api-Key: @key@"],
        "a cookie": [b"Cookie: Authorization=Bearer @key@"],
        "a field with an underscore": [b"X_Authorization: Bearer @key@"],
        "very long": [b"Authorization: Bearer " + b"a" * 8000],
    }.items():
        row(name, registration(*fields, JSON), 401, code="unauthorized", after="closed")
    row("a tab", registration(b"Authorization: Bearer\t@key@", JSON), (400, 401), after="closed")
    row("in the query", registration(JSON).replace(b"ions HTTP", b"ions?Authorization=Bearer%20@key@&key=@key@ HTTP"), 401, after="closed")
    row("in the target", registration(JSON).replace(b" /v1", b" http://user:@key@@x/v1"), NOT_LOCAL | {401}, after="closed")
    row("none and no body", to(b"/v1/notifications"), 401, code="unauthorized")
    row("a NUL behind it", registration(BEARER + b"\0", JSON), 400)
    # The first of several is the one that is read, as by every reader that keeps one.
    row("a good one and a bad one", registration(BEARER, b"Authorization: Bearer wrong-key-wrong-key", JSON), (202, 400, 401), after="either")
    row("a bad one and a good one", registration(b"Authorization: Bearer wrong-key-wrong-key", BEARER, JSON), (400, 401), after="closed")
    for scheme in (b"Bearer", b"bearer", b"BEARER"):
        row(f"good: {scheme.decode()}", registration(b"Authorization: %s @key@" % scheme, JSON), 202, after="open")
    row("good: spaces before it", registration(b"authorization:  Bearer @key@", JSON), 202, after="open")
    row("good: a tab behind it", registration(b"authorization: Bearer @key@\t", JSON), (202, 400), after="either")


for rows_of_group, name_of_group in {
    request_lines: "request line",
    versions: "version",
    methods: "methods",
    targets: "target",
    routes: "routes",
    headers: "headers",
    hosts: "host",
    lengths: "lengths",
    chunk_rows: "chunks",
    expectations: "expect",
    limits: "limits",
    encodings: "encodings",
    connections: "connection",
    pipelines: "pipelining",
    registrations: "registration bodies",
    registration_heads: "registration heads",
    authorizations: "authorization",
}.items():
    rows_of_group(partial(row, name_of_group))
