"""Recordings of the venue, which are not part of the repository: ``LIGHTER_HEDGE_DATA`` says where they are."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("LIGHTER_HEDGE_DATA", ROOT / "../shared/data"))
