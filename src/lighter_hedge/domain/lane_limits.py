"""How long a lane waits for what, milliseconds, and how much it asks for at once."""

ANSWER_MS_MAX = 2_500
"""Silence after a send before the lane starts to ask."""

EVIDENCE_MS_MAX = 3_000
"""Silence after an accepted send before the lane starts to ask."""

POLL_MS = 500
"""Between the first two questions while something is unresolved; each further wait is twice as long …"""

POLL_MS_MAX = 8_000
"""… up to this: reads cost the account's request budget."""

PROBE_AFTER_MS = 2_000
"""How long a consumed nonce without a known consumer is looked up before the next nonce is used to prove it."""

THROTTLED_MS = 5_000
"""Before something is sent again that must be, where the venue said "too many requests"."""

SIGNATURE_MARGIN_MS = 20_000
"""A signature this close to its end is not sent any more."""

ORDERS_PER_READ_MAX = 20
"""Client order indices in one read of orders, by the venue's rule."""
