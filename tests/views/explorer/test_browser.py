"""The explorer in a real browser, opened from disk: what a person does with it, in one sitting after another."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

import outlast
from outlast.plan import Plan
from outlast.run import System
from outlast.views.explorer import explorer
from outlast.views.theme import THEMES, contrast
from tests.conftest import ROOT
from tests.run.worlds import bundled_plans, plan_of

pytestmark = pytest.mark.needs("chromium")
Open = Callable[..., Page]
BOTH_OFF = "#story=both-switches-off"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium that is installed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages on disk, by system; that of `bare` has no picture and no story."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name in ("sagemaker", "tour"):
        plan, home = bundled_plans()[name], ROOT / "diagrams" / name
        pictures = {machine: (home / f"{machine}.svg").read_text("utf-8") for machine in plan.machines}
        found[name] = folder / f"{name}.html"
        found[name].write_text(explorer(plan, outlast.scenarios(name).values(), pictures), "utf-8")
    found["bare"] = folder / "bare.html"
    found["bare"].write_text(explorer(_bare()), "utf-8")
    return found


def _bare() -> Plan:
    return plan_of(
        "machine: lamp\nevents: {flip: {by: guest}, dim: {payload: {to: {type: int, min: 1, max: 5}}}}\nfields: {light: {type: int, default: 0}}\n"
        "states: {off: {}, on: {}}\ntransitions:\n"
        "  - {id: flip, from: off, event: flip, to: on}\n  - {id: dim, from: on, event: dim, do: [{set: {light: event.to}}]}"
    )


@pytest.fixture
def opened(browser: Browser, files: dict[str, Path]) -> Iterator[Open]:
    """Opens a system's page at a link; nothing may go wrong in it, and nothing may be fetched."""
    with _opening(browser, files) as open_page:
        yield open_page


@contextmanager
def _opening(browser: Browser, files: dict[str, Path]) -> Iterator[Open]:
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])

    def open_page(system: str, link: str = "") -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith("file:") else None)
        page.goto(files[system].as_uri() + link)
        return page

    yield open_page
    context.close()
    assert wrong == []


def where(page: Page) -> dict[str, str]:
    """Instance -> its states, as the cards say."""
    cards = page.locator(".card").all()
    return {
        str(card.get_attribute("data-instance")): " + ".join(card.locator(".chip").all_inner_texts()) for card in cards
    }


def test_a_story_is_told(opened: Open) -> None:
    """From its beginning, step by step, to its end; what happens is said, marked in the pictures, and in the log."""
    page = opened("sagemaker")
    page.locator("#story").select_option("the-job-outlives-its-user")
    assert where(page)["train"] == "Pending"

    page.locator("#next").click()
    page.keyboard.press("ArrowRight")

    expect(page.locator("#now")).to_have_text("1h · step 2 of 6")
    expect(page.locator("#said")).to_contain_text("ana: Signed out")
    assert where(page)["train"] == "Background session"
    here = page.locator('[data-instance="train"] .here')
    assert here.get_attribute("data-state") == "running-background"
    expect(here.locator(".mark")).to_have_count(1)
    expect(page.locator('[data-instance="ana"] .arrow.hot [data-row="sign-out"]')).to_have_count(1)
    expect(page.locator("#log .last")).to_contain_text("outlives-user")
    page.keyboard.press("End")
    assert where(page)["train"] == "Completed"
    expect(page.locator("#next")).to_be_disabled()
    page.keyboard.press("Home")
    expect(page.locator("#said")).to_have_text("The beginning.")


def test_settings_are_flipped_and_a_job_fails(opened: Open) -> None:
    """Both switches off, the user gone: the job is in its grace period, and time alone ends it; undo brings it back."""
    page = opened("sagemaker", "#story=the-job-outlives-its-user&at=2")
    for event, instance in (("disable-background", "acme"), ("disable-tip", "ds")):
        page.get_by_role("button", name=f"{event} to {instance}").click()
    assert where(page)["train"] == "Grace period"

    page.locator('[data-key="until:train:grace-over"]').click()

    assert where(page)["train"] == "Failed"
    expect(page.locator("#now")).to_have_text(re.compile("^1h 15m"))
    page.keyboard.press("ArrowLeft")
    assert where(page)["train"] == "Grace period"
    page.locator("#for").fill("5m")
    page.get_by_role("button", name="Wait").click()
    assert where(page)["train"] == "Grace period"
    page.locator('[data-key="now:train:grace-over"]').click()
    assert where(page)["train"] == "Failed"
    expect(page.locator("#now")).to_have_text(re.compile("^1h 5m"))


def test_why_not(opened: Open) -> None:
    """Why `restart` is refused: where it would be heard, which guard fails having seen what, which row says no; and it can be said all the same."""
    page = opened("sagemaker", BOTH_OFF + "&at=5")
    page.keyboard.press("w")
    restart = page.locator('[data-refused="of-ana:restart"]')
    expect(restart).to_contain_text("nothing listens for it here; heard in Resumable")

    page = opened("sagemaker", "#story=a-living-session-keeps-its-length&at=99")
    assert where(page)["again"] == "Resumable"
    page.keyboard.press("w")
    refused = page.locator('[data-refused="again:restart"]')
    expect(refused).to_contain_text("restart-background needs session is signed-in, but session is expired")
    expect(refused).to_contain_text("restart-unsigned says no: nobody is signed in")
    refused.get_by_role("button").click()
    expect(page.locator("#log .last")).to_contain_text("refused: nobody is signed in")
    assert where(page)["again"] == "Resumable"


def test_a_link_leads_to_the_same_moment(opened: Open) -> None:
    """Story, what was said, readings and position: all of it is in the address."""
    page = opened("sagemaker", BOTH_OFF + "&at=3")
    page.get_by_role("button", name="set-background-duration to acme").locator("xpath=..").locator("input").fill("20m")
    page.get_by_role("button", name="set-background-duration to acme").click()
    page.get_by_role("button", name="disable-tip to ds").click()
    page.locator('[data-key="read:A-02"]').select_option("pin")
    page.locator('[data-key="within"]').select_option("earliest")
    page.keyboard.press("l")
    expect(page.locator("#said")).to_have_text("The link is copied.")
    link = page.evaluate("navigator.clipboard.readText()")

    other = opened("sagemaker", "#" + link.split("#")[1])

    assert where(page) == where(other)
    assert other.locator("#log").inner_text() == page.locator("#log").inner_text()
    assert other.locator('[data-key="read:A-02"]').input_value() == "pin"
    expect(other.locator('[data-instance="acme"] .facts')).to_contain_text("background-duration 20m")
    other.locator("#back").click()
    assert other.evaluate("location.hash") != "#" + link.split("#")[1]


@pytest.mark.parametrize(
    "link", ["#story=nothing", "#story=both-switches-off&said=x,y;1,ana,nonsense,,{}&at=99&read=A-02:what", "#%%%"]
)
def test_a_broken_link_does_no_harm(opened: Open, link: str) -> None:
    """What cannot be understood is left out, what cannot happen is told."""
    page = opened("sagemaker", link)

    assert "acme" in where(page)
    if "nonsense" in link:
        expect(page.locator("#said")).to_have_text("`ana` knows no event called `nonsense`")


def test_readings(opened: Open) -> None:
    """The same history under another reading; the page says where it matters and where that leads."""
    page = opened("sagemaker", BOTH_OFF + "&at=5")
    question = page.locator(".open", has=page.locator('[data-key="read:A-02"]'))
    expect(question).to_have_class(re.compile("matters"))
    expect(question).to_contain_text("of-ana: Background session instead of Grace period")
    expect(page.locator(".open", has=page.locator('[data-key="read:A-08"]'))).not_to_have_class(re.compile("matters"))

    page.locator('[data-key="read:A-02"]').select_option("pin")

    assert where(page)["of-ana"] == "Background session"
    expect(page.locator("#now")).to_have_text("3h · step 5 of 11")


def test_payloads(opened: Open) -> None:
    """Values are asked for; one outside its bounds is refused with the bounds and their clauses."""
    page = opened("sagemaker")
    event = page.get_by_role("button", name="set-interactive-duration to acme")
    event.locator("xpath=..").locator("input").fill("14m")
    event.click()
    expect(page.locator("#said")).to_contain_text("`duration` is from 15m to 90d in steps of 1m, not 14m")
    event.locator("xpath=..").locator("input").fill("16m")
    event.click()
    expect(page.locator('[data-instance="acme"] .facts')).to_contain_text("interactive-duration 16m")


def test_playing(opened: Open) -> None:
    """All that lies ahead, one step after the other; anything that is done stops it."""
    page = opened("tour", "#story=one-cup&at=0")
    page.clock.install()
    page.keyboard.press(" ")
    page.clock.run_for(2500)
    expect(page.locator("#now")).to_have_text(re.compile("step 2 of"))
    page.locator("#first").click()
    page.clock.run_for(5000)
    expect(page.locator("#now")).to_have_text(re.compile("step 0 of"))


def test_regions_and_history(opened: Open) -> None:
    """Several states are marked at once, and history brings back what was."""
    page = opened("tour", "#story=tank-lifted-out&at=99")
    page.locator("#slider").focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name="press to kitchen").click()
    assert where(page)["kitchen"] == "grinding + heating"
    expect(page.locator(".here .mark")).to_have_count(2)
    page.locator('[data-key="until:kitchen:grind"]').click()
    page.locator('.may[data-row="lift-tank"]').click()
    assert where(page)["kitchen"] == "tank-out"
    page.get_by_role("button", name="return-tank to kitchen").click()
    assert where(page)["kitchen"] == "ground + heating"


def test_without_pictures_and_stories(opened: Open) -> None:
    """One of each machine, its states as a list."""
    page = opened("bare")
    assert where(page) == {"lamp": "off"}
    page.keyboard.press("1")
    assert where(page) == {"lamp": "on"}
    expect(page.locator(".tree .here")).to_have_text("on")
    page.get_by_role("button", name="dim to lamp").locator("xpath=..").locator("input").fill("4")
    page.get_by_role("button", name="dim to lamp").click()
    expect(page.locator(".facts")).to_contain_text("light 4")


def test_the_walker_in_the_page_is_the_engine(opened: Open) -> None:
    """What one says by hand ends where the engine ends."""
    page = opened("sagemaker", "#story=the-job-outlives-its-user&at=0")
    system = System(bundled_plans()["sagemaker"])
    system.begin({part: (machine, values, state) for part, machine, values, state in _stage()})
    for instance, event in (
        ("train", "start"),
        ("acme", "disable-background"),
        ("ana", "sign-out"),
        ("ds", "disable-tip"),
    ):
        page.get_by_role("button", name=f"{event} to {instance}").first.click()
        system.send(instance, event)
    page.locator("#quick button", has_text="+15m").click()
    system.advance("15m")
    plan = bundled_plans()["sagemaker"]

    for there in system.instances:
        titles = [plan.machines[there.snapshot.machine].state(name).title for name in there.state.split(" + ")]
        assert where(page)[there.id] == " + ".join(titles)


def _stage() -> list[tuple[str, str, dict[str, str], str | None]]:
    return [
        ("acme", "identity-center", {}, None),
        ("studio", "studio-application", {}, None),
        ("ds", "studio-domain", {"center": "acme", "application": "studio"}, "tip-enabled"),
        ("ana", "interactive-session", {"center": "acme"}, "signed-in"),
        ("train", "job", {"kind": "training", "max-runtime": "28d", "domain": "ds", "session": "ana"}, None),
    ]


# ---- seeing it


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_sticks_out(opened: Open, width: int) -> None:
    """At the width of a telephone and of a screen the page is as wide as its window; what is wider scrolls in its card."""
    page = opened("sagemaker", BOTH_OFF + "&at=5")
    page.set_viewport_size({"width": width, "height": 900})
    page.keyboard.press("w")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sticking = page.evaluate(
        "width => [...document.querySelectorAll('button, select, .card, section')]"
        ".filter(each => each.getBoundingClientRect().right > width + 1).map(each => each.outerHTML)",
        width,
    )
    assert sticking == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read(opened: Open, theme: str) -> None:
    """Every text has enough contrast with what is behind it, whichever theme the reader prefers or chooses."""
    page = opened("sagemaker", BOTH_OFF + "&at=5")
    page.emulate_media(color_scheme="dark")
    if theme == "light":
        page.keyboard.press("t")
    colour, ground = page.evaluate(
        "['color', 'backgroundColor'].map(name => getComputedStyle(document.body.parentElement)[name])"
    )

    assert [_hex(colour), _hex(ground)] == [THEMES[theme]["ink"], THEMES[theme]["bg"]]
    for ink in ("ink", "mut", "hot"):
        assert contrast(THEMES[theme][ink], THEMES[theme]["bg"]) >= 4.5


def _hex(colour: str) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])


def test_it_can_be_used_without_a_mouse(opened: Open) -> None:
    """Every control has a name; the focus stays where it was when all is shown anew, and can be seen; the keys are documented."""
    page = opened("sagemaker", BOTH_OFF + "&at=2")
    nameless = page.locator("button, select, input, summary").evaluate_all(
        "all => all.filter(each => !(each.innerText || each.ariaLabel || each.labels?.length || each.title)).map(each => each.outerHTML)"
    )
    assert nameless == []
    page.get_by_role("button", name="view-console to ds").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.key") == "say:ds:view-console:administrator"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    documented = set(page.locator("#keys kbd").all_inner_texts())
    assert {"←", "→", "Home", "End", "space", "n", "w", "s", "l", "t", "?"} <= documented
