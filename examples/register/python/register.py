# SPDX-License-Identifier: MIT
"""Tells dochak what a send API has answered. Copy register() into your application; it needs no package.

echo '{"provider": "bizgo", "response": {"code": "A000", "msgKey": "key-17"}, "recipient": "+821012345678"}' |
DOCHAK_INGRESS_URL=http://localhost:8080 DOCHAK_INGRESS_KEY=… python register.py
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request


def register(registrations: dict | list[dict]) -> list[dict]:
    """One registration or up to 500. Returns what dochak has read from them, when they are durable. The same acceptance twice is one
    acceptance, so this asks again where no answer came."""
    request = urllib.request.Request(
        f"{os.environ['DOCHAK_INGRESS_URL']}/v1/notifications",
        json.dumps(registrations).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ['DOCHAK_INGRESS_KEY']}"},
    )
    for pause in (0.2, 1, 5, None):
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)["notifications"]
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError) and error.code != 503:
                raise ValueError(error.read().decode()) from error  # what is wrong with which of them
            if pause is None:
                raise
        time.sleep(pause)


def main() -> None:
    for notification in register(json.load(sys.stdin)):
        print(json.dumps(notification, ensure_ascii=False))


if __name__ == "__main__":
    main()
