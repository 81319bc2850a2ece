"""``python -m tests.paper [OPERATIONS] [SEED]``: the random walk, a million operations of seed 1 by default."""

import sys
import time

from tests.paper.walk import walk


def main() -> None:
    """Walk, and say what was met."""
    operations, seed = (int(text) for text in (*sys.argv[1:3], *("1000000", "1")[len(sys.argv) - 1 :]))
    began = time.process_time()
    seen = walk(operations, seed)
    seconds = time.process_time() - began
    for name, count in sorted(seen.items()):
        print(f"{name:32} {count}")
    print(f"{operations} operations, seed {seed}: lots, money and orders held after each; {seconds:.0f} s")


if __name__ == "__main__":
    main()
