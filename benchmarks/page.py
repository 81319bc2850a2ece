"""What the page costs: bytes, time until a browser shows the exposure, and CPU of its process with four viewers.

The desk is a demo; the page's process is measured by the CPU time that the system has counted for it.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from playwright.sync_api import Response, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
VIEWERS = 4
LOADS = 10
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Memory of a process that is in RAM."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


async def share_of_a_core(url: str, pid: int, viewers: int, seconds: float) -> float:
    """CPU of the page while ``viewers`` follow its stream, as percent of one core."""

    async def view(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{url}/api/stream") as answer:
            async for _ in answer.content.iter_any():
                pass

    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
        tasks = [group.create_task(view(session)) for _ in range(viewers)]
        await asyncio.sleep(2)
        began, before = time.monotonic(), cpu_seconds(pid)
        await asyncio.sleep(seconds)
        share = 100 * (cpu_seconds(pid) - before) / (time.monotonic() - began)
        for task in tasks:
            task.cancel()
    return share


def loads(url: str) -> tuple[list[float], int]:
    """Seconds from asking until the exposure stands there, and the bytes of all that is loaded."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        sys.exit(f"no browser: install one of {', '.join(PROGRAMS)}")
    times, total = [], 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for _ in range(LOADS):
            page = browser.new_context().new_page()
            answers: list[Response] = []

            def note(answer: Response, answers: list[Response] = answers) -> None:
                answers.append(answer)

            page.on("response", note)
            began = time.monotonic()
            page.goto(url, wait_until="commit")
            page.locator(".word.hedged, .word.hedging, .word.unhedged").wait_for()
            times.append(time.monotonic() - began)
            total = sum(len(answer.body()) for answer in answers if "stream" not in answer.url)
            page.close()
        browser.close()
    return sorted(times), total


def main() -> None:
    """Measure and print; with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each CPU measurement")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder) / "desk"
        argv = [sys.executable, "-m", "lighter_hedge.cli.main", "demo", "--keep", str(desk)]
        with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as demo:
            try:
                assert demo.stderr is not None
                url = next(found[1] for line in demo.stderr if (found := re.match(r"page: (\S+)", line)))
                pid = json.loads((desk / "run" / "web.json").read_text())["pid"]
                times, size = loads(url)
                idle = asyncio.run(share_of_a_core(url, pid, 0, wanted.seconds))
                watched = asyncio.run(share_of_a_core(url, pid, VIEWERS, wanted.seconds))
                body = {
                    "bytes": size,
                    "load_ms_p50": round(1000 * times[len(times) // 2], 1),
                    "load_ms_max": round(1000 * times[-1], 1),
                    "cpu_percent_no_viewer": round(idle, 2),
                    "cpu_percent_four_viewers": round(watched, 2),
                    "resident_mb": round(resident_mb(pid), 1),
                }
            finally:
                demo.terminate()
    print(json.dumps(body) if wanted.json else "\n".join(f"{name:<26} {value}" for name, value in body.items()))


if __name__ == "__main__":
    main()
