# SPDX-License-Identifier: MIT
"""A person's browser on the dashboard: Debian's Chromium. What goes wrong in the page, or is asked of another server, fails the test."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, Playwright
from support import builds
from support.api import Api

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
# It would look for updates and the like, which no test machine reaches.
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic", "--no-first-run", "--disable-gpu"]


def launch(playwright: Playwright) -> Browser:
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=builds.tool("chromium"), args=[*QUIET, *sandbox])


@dataclass
class Visit:
    page: Page
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    may_be_refused: bool = False  # a 401 is an error in Chromium's console

    def note(self, text: str) -> None:
        if not (self.may_be_refused and "401" in text):
            self.faults.append(text)


@contextmanager
def visit(browser: Browser, api: Api, place: str = "", with_key: bool = True, at: str | None = None, **options) -> Iterator[Visit]:
    """`at`: what the browser's clock says, and goes on saying."""
    context = browser.new_context(**{"locale": "en-GB", "viewport": DESK, **options})
    context.set_default_timeout(15_000 * builds.patience())
    try:
        visited = Visit(context.new_page(), may_be_refused=not with_key)
        page = visited.page
        page.on("request", lambda request: visited.requests.append(request.url))
        page.on("pageerror", lambda error: visited.note(str(error)))
        page.on("console", lambda message: visited.note(message.text) if message.type in ("error", "warning") else None)
        if with_key:
            page.add_init_script(f"sessionStorage.setItem('dochak.key', {json.dumps(api.key)})")
        if at:
            page.clock.set_fixed_time(at)
        page.goto(f"{address(api)}{place}")
        yield visited
        assert not visited.faults, visited.faults
        outside = [url for url in visited.requests if not url.startswith((address(api), "data:"))]
        assert not outside, outside
    finally:
        context.close()


def address(api: Api) -> str:
    return f"http://127.0.0.1:{api.port}/"
