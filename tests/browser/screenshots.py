"""Pictures of the page for the documents, taken of a demo that runs: ``make screenshots``."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from tests.browser.conftest import PROGRAMS

IMAGES = Path(__file__).parents[2] / "docs" / "images"
ROUNDS_SECONDS = 45.0
"""What a picture needs to have something to show."""
DESKTOP = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}


def main() -> None:
    """Write every picture."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        sys.exit(f"no browser: install one of {', '.join(PROGRAMS)}")
    argv = [sys.executable, "-m", "lighter_hedge.cli.main", "demo"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as demo, sync_playwright() as playwright:
        try:
            assert demo.stderr is not None
            url = next(found[1] for line in demo.stderr if (found := re.match(r"page: (\S+)", line)))
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            time.sleep(ROUNDS_SECONDS)
            shoot(browser, url, "page.png", viewport=DESKTOP)
            shoot(browser, url, "page-dark.png", viewport=DESKTOP, color_scheme="dark")
            shoot(browser, url, "page.zh-CN.png", viewport=DESKTOP, locale="zh-CN")
            shoot(browser, url, "page-phone.png", viewport=PHONE)
            browser.close()
        finally:
            demo.terminate()


def shoot(browser: Browser, url: str, name: str, **visitor: object) -> None:
    """One picture."""
    context = browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC", **visitor})  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    page.locator("#rounds tr").first.wait_for()
    page.wait_for_timeout(1_500)
    IMAGES.mkdir(exist_ok=True)
    page.screenshot(path=IMAGES / name, full_page="phone" not in name)
    context.close()


if __name__ == "__main__":
    main()
