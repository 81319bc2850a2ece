"""A small file system of a desk's own, so that a disk can really be full. Needs root; without it there is none."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SIZE = "64m"
"""Much more than the journals of a run."""
BLOCK = b"\0" * 65_536


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A mounted one."""

    path: Path

    def fill(self) -> None:
        """Leave no byte free."""
        try:
            with (self.path / "filler").open("ab", buffering=0) as filler:
                block = BLOCK
                while filler.write(block):
                    pass
        except OSError:
            return

    def empty(self) -> None:
        """Free it again."""
        (self.path / "filler").unlink(missing_ok=True)


@contextmanager
def small_disk(path: Path, *, wanted: bool) -> Iterator[SmallDisk | None]:
    """Mount one at ``path``; None where it is not wanted or not allowed."""
    if not wanted or os.geteuid() != 0:
        yield None
        return
    path.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        yield None
        return
    try:
        yield SmallDisk(path)
    finally:
        keep = path.with_name("run-kept")
        subprocess.run(["cp", "-a", str(path), str(keep)], capture_output=True, check=False)
        subprocess.run(["umount", "-l", str(path)], capture_output=True, check=False)
