"""What a person sees and can do, in a real browser."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.browser.conftest import Site
from tests.page_story import Story

from lighter_hedge.dashboard.guard import Guard
from lighter_hedge.domain.states import Mode, Pause

PHONE = {"viewport": {"width": 360, "height": 740}}
TOKEN = "a-long-random-word"


def pause(site: Site) -> None:
    stands = Pause(id=7, reason="by a person", code="PAUSED", since_ms=1)
    site.tell(lambda story: story.a(mode=Mode.PAUSED, pause=stands, acks=("1",)))
    site.tell(lambda story: story.b(acks=("1",)))


def whole_round(site: Site, number: int) -> None:
    site.tell(lambda story: story.round(number))


def test_a_round_goes_by_without_a_reload(page: Page, site: Site) -> None:
    expect(page.locator("#net")).to_have_text("0.00000")
    expect(page.locator("#word")).to_have_text("hedged")
    site.tell(lambda story: story.quote(1), lambda story: story.fill(1))
    expect(page.locator("#net")).to_have_text("0.00020")
    expect(page.locator("#usd")).to_have_text("20.00 USD")
    expect(page.locator("#word")).to_have_text("hedging")
    site.tell(lambda story: story.hedge(1), lambda story: story.say("ROUND_HEDGED", "round 1 hedged"))
    expect(page.locator("#word")).to_have_text("hedged")
    expect(page.locator("#steps .done")).to_have_count(5)
    expect(page.locator("#events tr").first).to_contain_text("ROUND_HEDGED")
    expect(page.locator("#stages .stage")).to_have_count(5)
    site.tell(lambda story: story.quote(2))
    expect(page.locator("#rounds tr")).to_have_count(1)
    expect(page.locator("#t-rounds")).to_have_text("1")
    expect(page.locator("#t-volume")).to_have_text("39.99 USD")
    expect(page.locator("#exposure-chart path.net")).to_have_count(1)


def test_pause_is_sent_then_acknowledged(page: Page, site: Site) -> None:
    expect(page.get_by_role("status")).to_have_text("running")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("dialog")).to_contain_text("what is open stays hedged")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert site.sent.asked == []
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.locator("#asked")).to_contain_text("sent, waiting for A and B")
    assert [ask.verb for ask in site.sent.asked] == ["pause"]
    pause(site)
    expect(page.locator("#asked")).to_contain_text("acknowledged by A and B")
    expect(page.get_by_role("status")).to_have_text("paused")
    expect(page.get_by_role("alert")).to_have_text("paused: by a person [PAUSED]")
    page.get_by_role("button", name="Resume").click()
    page.get_by_label("let B try again what is missing").check()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.locator("#asked li")).to_have_count(2)
    assert (site.sent.asked[-1].verb, site.sent.asked[-1].hedge_now) == ("resume", True)


def test_clear_wants_the_markets_name(page: Page, site: Site) -> None:
    expect(page.get_by_role("status")).to_have_text("running")
    page.get_by_role("button", name="Clear").click()
    go = page.get_by_role("dialog").get_by_role("button", name="Clear")
    expect(go).to_be_disabled()
    page.get_by_label("Type BTC to confirm").fill("ETH")
    expect(go).to_be_disabled()
    page.get_by_label("Type BTC to confirm").fill("BTC")
    go.click()
    expect(page.locator("#asked")).to_contain_text("Clear: sent")
    assert [(ask.verb, ask.confirm) for ask in site.sent.asked] == [("clear", "BTC")]


def test_old_data_are_greyed_and_come_back(page: Page, site: Site) -> None:
    expect(page.locator("#net")).to_have_text("0.00000")
    site.stop()
    expect(page.get_by_role("alert")).to_contain_text("The page's server does not answer")
    expect(page.locator("body")).to_have_class(re.compile("stale"))
    expect(page.get_by_role("button", name="Clear")).to_be_enabled()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.locator("#asked")).to_contain_text("failed")
    site.start()
    site.tell(Story.a, Story.b)
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("body")).not_to_have_class(re.compile("stale"))


def test_a_redis_that_is_gone_is_told(page: Page, site: Site) -> None:
    site.tell(lambda story: story.projection.reached(redis=False))
    expect(page.get_by_role("alert")).to_have_text("Redis does not answer")


def test_events_can_be_filtered(page: Page, site: Site) -> None:
    site.tell(lambda story: story.say("ONE", "x"), lambda story: story.say("TWO", "y", level="error", source="B"))
    expect(page.locator("#events tr")).to_have_count(2)
    page.get_by_label("Level").select_option("error")
    expect(page.locator("#events tr")).to_have_count(1)
    page.get_by_label("B", exact=True).uncheck()
    expect(page.get_by_text("No event yet.")).to_be_visible()


def test_what_the_desk_says_is_never_markup(page: Page, site: Site) -> None:
    site.tell(lambda story: story.say("X", "<img src=x onerror=alert(1)>"))
    expect(page.locator("#events")).to_contain_text("<img src=x")
    expect(page.locator("#events img")).to_have_count(0)


@pytest.mark.parametrize("context", [{"locale": "zh-CN"}], indirect=True)
def test_chinese(page: Page, site: Site) -> None:
    expect(page.get_by_role("heading", name="净敞口")).to_be_visible()
    expect(page.locator("#word")).to_have_text("已对冲")
    page.get_by_role("button", name="平仓").click()
    expect(page.get_by_label("输入 BTC 以确认")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="EN").click()
    expect(page.get_by_role("heading", name="Net exposure")).to_be_visible()
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Net exposure")).to_be_visible()


@pytest.mark.parametrize("context", [PHONE], indirect=True)
def test_on_a_phone_nothing_is_wider_than_the_screen(page: Page, site: Site) -> None:
    whole_round(site, 1)
    expect(page.locator("#steps .done")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("button", name="Clear")).to_be_visible()


@pytest.mark.parametrize("guard", [Guard(read_only=True)])
def test_a_page_that_only_shows(page: Page, site: Site) -> None:
    expect(page.get_by_text("This page only shows.")).to_be_visible()
    for name in ("Pause", "Resume", "Drain", "Clear"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()


@pytest.mark.parametrize("guard", [Guard(token=TOKEN)])
def test_a_token_is_asked_for_once(page: Page, site: Site) -> None:
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("wrong token")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#net")).to_have_text("0.00000")
    assert TOKEN not in page.evaluate("document.cookie")


def test_another_page_of_the_same_browser_can_ask_for_nothing(page: Page, site: Site) -> None:
    expect(page.locator("#net")).to_have_text("0.00000")
    elsewhere = page.context.new_page()
    elsewhere.route("http://evil.example/", lambda route: route.fulfill(body="<p>evil</p>", content_type="text/html"))
    elsewhere.goto("http://evil.example/")
    script = """async (url) => {
        const send = (options) => fetch(url, { method: "POST", ...options }).then((a) => a.status, () => "blocked");
        const body = JSON.stringify({ verb: "pause" });
        return [await send({ body, mode: "no-cors" }), await send({ body, headers: { "X-Asked-By": "page" } })];
    }"""
    assert elsewhere.evaluate(script, f"{site.url}/api/command") in ([0, "blocked"], ["blocked", "blocked"])
    assert site.sent.asked == []


@pytest.mark.parametrize("context", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
def test_accessible_and_nothing_from_outside(page: Page, site: Site) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    whole_round(site, 1)
    site.tell(
        lambda story: story.quote(2),
        lambda story: story.say("X", "wrong", level="error"),
        lambda story: story.say("Y", "odd", level="warning"),
    )
    expect(page.locator("#rounds tr")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.reload()
    expect(page.locator("#net")).to_have_text("0.00020" if site.story.maker["position"] == 40 else "0.00000")
    assert asked
    assert all(url.startswith(site.url) for url in asked)
