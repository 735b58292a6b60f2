"""The explorer in a real browser, following a real instance of a service that is restarted meanwhile."""

from __future__ import annotations

import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.service.test_serving import PATIENCE, asked, running, say

pytestmark = pytest.mark.needs("chromium")
LAMP = """
machine: lamp
events: {switch: {}, dim: {}}
states: {dark: {}, bright: {}, dimmed: {}, resting: {}}
transitions:
  - {id: on, from: [dark, resting], event: switch, to: bright}
  - {id: dim, from: bright, event: dim, to: dimmed}
  - {id: rest, from: dimmed, after: 1s, to: resting}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium that is installed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def is_in(page: Page, state: str) -> None:
    """Wait until the lamp of the page is in a state, and the page says that it is live."""
    expect(page.locator('[data-instance="hall"] .chip')).to_have_text(state, timeout=1_000 * PATIENCE)
    expect(page.locator("#live")).to_have_text("● live", timeout=1_000 * PATIENCE)


def test_a_page_follows_an_instance(browser: Browser, tmp_path: Path) -> None:
    """Through two events and a timer, by itself; a what-if is left alone; and on from where it was when the service comes back."""
    lamp = tmp_path / "lamp.yaml"
    lamp.write_text(LAMP, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    words = ["--store", f"sqlite:///{tmp_path}/lamps.db", "--port", port]
    wrong: list[str] = []
    streams: list[Request] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    with running(*words, system=str(lamp)) as (process, address):
        asked(address, "/v1/instances", {"instances": [{"instance": "hall", "machine": "lamp"}]})
        page.goto(f"{address}/explorer?instance=hall")
        is_in(page, "dark")
        say(address, "hall", "switch", "1")
        is_in(page, "bright")
        say(address, "hall", "dim", "2")
        is_in(page, "resting")
        expect(page.locator("#log .last")).to_contain_text("dim")
        page.get_by_role("button", name="switch to hall").click()
        expect(page.locator('[data-instance="hall"] .chip')).to_have_text("bright")
        expect(page.locator("#live")).to_have_text("↩ back to live")
        page.locator("#live").click()
        is_in(page, "resting")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        expect(page.locator("#live")).to_have_text("○ connection lost: trying again")
    page.on("request", lambda asking: streams.append(asking) if asking.url.endswith("/stream") else None)
    with running(*words, system=str(lamp)) as (_, address):
        say(address, "hall", "switch", "3")
        is_in(page, "bright")
        page.locator("#first").click()
        expect(page.locator("#live")).to_have_text("↩ back to live")
        say(address, "hall", "dim", "4")
        expect(page.locator("#slider")).to_have_attribute("max", "5", timeout=1_000 * PATIENCE)
        expect(page.locator('[data-instance="hall"] .chip')).to_have_count(0)
        page.locator("#live").click()
        is_in(page, "resting")

        resumed = [asking.all_headers().get("last-event-id", "") for asking in streams]

    assert wrong == []
    assert any(text.isdecimal() for text in resumed)
    page.close()
