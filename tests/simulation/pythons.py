"""Whether the same seeds give the same traces on every Python, and under every hash seed.

python -m tests.simulation.pythons                    every interpreter from 3.11 on that this machine has
python -m tests.simulation.pythons /path/to/python    these, each with the pinned packages
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
HASH_SEEDS = ("0", "1")


def installed() -> dict[str, Path]:
    """Interpreters by version: on the search path, and those of pyenv."""
    command: list[str | Path] = [UV, "python", "list", "--only-installed", "--output-format", "json"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = {one["version"]: Path(one["path"]) for one in listed}
    for path in sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python3")):
        found.setdefault(path.parents[1].name, path)
    return {version: path for version, path in found.items() if tuple(map(int, version.split(".")[:2])) >= (3, 11)}


def digests(python: Path, folder: Path, seeds: str) -> tuple[str, set[str]]:
    """Version, and what each hash seed has printed."""
    subprocess.run([UV, "venv", "-q", "--clear", "-p", python, folder], check=True)
    inside = folder / "bin" / "python"
    pins: list[str | Path] = ["-c", ROOT / "constraints.txt", "-e", f"{ROOT}[dev]"]
    subprocess.run([UV, "pip", "install", "-q", "-p", inside, *pins], check=True)
    version = subprocess.run([inside, "-V"], check=True, capture_output=True, text=True).stdout.strip()
    said = set()
    for hash_seed in HASH_SEEDS:
        command: list[str | Path] = [inside, "-m", "tests.simulation", "world", seeds, "--hash"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        said.add(subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True, text=True).stdout)
    return version, said


def main() -> int:
    """Exit code 1 where two traces differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.pythons", description=__doc__)
    parser.add_argument("pythons", nargs="*", type=Path, help="interpreters; default: all that are found")
    parser.add_argument("--seeds", default="0:20", help="a range first:last of long worlds")
    arguments = parser.parse_args()
    everything = set()
    for python in arguments.pythons or installed().values():
        with tempfile.TemporaryDirectory() as folder:
            version, said = digests(python, Path(folder) / "venv", arguments.seeds)
        everything |= said
        alike = "alike" if len(said) == 1 else "DIFFERENT"
        print(f"{version:16} seeds {arguments.seeds}, hash seeds {' and '.join(HASH_SEEDS)}: {alike}", flush=True)
    print("every trace is the same" if len(everything) == 1 else "TRACES DIFFER")
    return 0 if len(everything) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
