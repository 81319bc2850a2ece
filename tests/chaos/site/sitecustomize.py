"""Python loads this at the start of every process of a desk under chaos (``PYTHONPATH`` names this folder)."""

import os

if os.environ.get("CHAOS_FOLDER"):
    from tests.chaos import inside

    inside.install()
