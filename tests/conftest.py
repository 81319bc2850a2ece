"""What holds for the whole suite."""

import os

import pytest

REAL_PROCESSES = ("tests/e2e/", "tests/chaos/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deal the tests that mostly wait for real processes out to every second worker, first in its share.

    Left where they are collected they stand in one worker's share, and the others are done long before it.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if item.nodeid.startswith(REAL_PROCESSES)]
    quick = [item for item in items if not item.nodeid.startswith(REAL_PROCESSES)]
    dealt = [slow[share :: (workers + 1) // 2] for share in range((workers + 1) // 2)]
    size, shares = len(items) / workers, list[pytest.Item]()
    for worker in range(workers):
        if worker % 2 == 0:
            shares += dealt[worker // 2]
        until = round(size * (worker + 1)) - len(shares)
        shares += quick[: max(0, until)]
        del quick[: max(0, until)]
    items[:] = shares + quick
