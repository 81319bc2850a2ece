"""How many examples each property gets: few and always the same in ``make test``, many and new ones otherwise.

``make properties`` sets ``PROPERTIES_EXAMPLES``; a failure then prints what repeats it.
"""

import os

from hypothesis import HealthCheck, settings

EVERYDAY = 60
asked = int(os.environ.get("PROPERTIES_EXAMPLES", "0"))

examples = settings(
    max_examples=asked or EVERYDAY,
    derandomize=not asked,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
few = settings(examples, max_examples=max(1, (asked or EVERYDAY) // 4))
"""For machines of many steps, and for files."""
