"""What every trial starts from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.desk import Desk, folder_of_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk of the test's own, not up yet."""
    with folder_of_desk(tmp_path) as made:
        yield made


@pytest.fixture
def lasting_desk(tmp_path: Path) -> Iterator[Desk]:
    """The same, with an exchange that a kill does not make forget."""
    with folder_of_desk(tmp_path, keeps=True) as made:
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed trial shows the last lines of its logs."""
    report = yield
    desk = getattr(item, "funcargs", {}).get("desk") or getattr(item, "funcargs", {}).get("lasting_desk")
    if report.when == "call" and report.failed and isinstance(desk, Desk):  # type: ignore[attr-defined]
        for log in sorted(desk.root.glob("logs/*.log")):
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
            report.sections.append((log.name, tail))  # type: ignore[attr-defined]
    return report
