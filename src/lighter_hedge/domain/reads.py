"""What is read from the venue by REST, and when: the third source, after the stream and the other side's words.

At a start all orders and both accounts; then both accounts regularly, by one side; an account sooner while its position
and the books differ; an order whose end is awaited until it is known. Reads cost the wallet's request budget: the same
one is repeated with growing waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lighter_hedge.domain.commands import Command, ReadAccount, ReadOrders
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.lane_limits import ORDERS_PER_READ_MAX
from lighter_hedge.domain.pair import PositionCheck
from lighter_hedge.domain.states import Role

READS_RESERVE = 10
"""With fewer requests left in this minute, accounts are not read: what resolves an order comes first …"""

AWAITED_RESERVE = 6
"""… but for a read that is awaited, before which nothing is opened: this many let an order be ended, or hedged."""

READ_AGAIN_MS = 1_000
"""Between two reads of the same thing while it is not settled …"""

READ_AGAIN_MS_MAX = 8_000
"""… growing up to this, for accounts."""

DIFFERS_GRACE_MS = 1_000
"""How long a position may differ from the books before somebody is told: its frame follows the trade's."""


@dataclass(slots=True, kw_only=True)
class Reads:
    """What is due to be read."""

    read_lag_ms: int
    orders_read: bool = False
    """All recent orders have been read since the start."""
    last: dict[Role, tuple[int, int]] = field(default_factory=dict)
    """Of each account's last read: when it was asked, and the position."""
    pressing: bool = False
    """A person waits for the accounts to be read: also with the last requests of the minute."""
    awaited: set[Role] = field(default_factory=set)
    """Accounts that must be read again before anything new is opened."""
    _watched: dict[int, int] = field(default_factory=dict)
    """Orders whose end is awaited: when to ask for them next."""
    _orders_due_ms: int = 0
    _due_ms: dict[Role, int] = field(default_factory=dict)
    _issued_ms: dict[Role, int] = field(default_factory=dict)
    _wait_ms: dict[Role, int] = field(default_factory=dict)

    @property
    def reserve(self) -> int:
        """How many requests must be left for an account to be read."""
        if self.pressing:
            return 1
        return AWAITED_RESERVE if self.awaited else READS_RESERVE

    def again(self, role: Role) -> None:
        """Ask for an account soon, and open nothing until it has been read."""
        self._due_ms.pop(role, None)
        self.awaited.add(role)

    def now(self, role: Role) -> None:
        """As ``again``, without the growing wait between reads of the same thing."""
        self._wait_ms.pop(role, None)
        self.again(role)

    def watch(self, coid: int, mono_ms: int) -> None:
        """The end of this order is awaited: ask for its row from then on."""
        self._watched.setdefault(coid, mono_ms)

    def watch_now(self, coid: int) -> None:
        """As ``watch``, at once."""
        self._watched[coid] = 0

    def ended(self, coid: int) -> None:
        """The end of this order is known."""
        self._watched.pop(coid, None)

    def account_read(self, role: Role, position: int, asked_ms: int, due_ms: int) -> None:
        """An account was read; regularly it is due again then."""
        self.last[role] = (asked_ms, position)
        self._due_ms[role] = due_ms
        self.awaited.discard(role)

    def settled(self, role: Role) -> None:
        """Position and books agree: the next doubt is asked at once."""
        self._wait_ms.pop(role, None)

    def orders(self, now: Instant) -> list[Command]:
        """Reads of orders that are due."""
        commands: list[Command] = []
        if not self.orders_read and now.mono_ms >= self._orders_due_ms:
            self._orders_due_ms = now.mono_ms + READ_AGAIN_MS
            commands.append(ReadOrders(coids=()))
        if not self._watched:
            return commands
        due = tuple(coid for coid, at_ms in self._watched.items() if now.mono_ms >= at_ms)[:ORDERS_PER_READ_MAX]
        if due:
            commands.append(ReadOrders(coids=due))
            self._watched.update(dict.fromkeys(due, now.mono_ms + READ_AGAIN_MS))
        return commands

    def accounts(self, checks: Mapping[Role, PositionCheck], now: Instant, *, regularly: bool) -> list[Command]:
        """Reads of accounts that are due."""
        commands: list[Command] = []
        for role in Role:
            if now.mono_ms < self._account_due_ms(role, checks[role], now, regularly=regularly):
                continue
            self._issued_ms[role] = now.mono_ms
            self._wait_ms[role] = min(2 * self._wait_ms.get(role, READ_AGAIN_MS), READ_AGAIN_MS_MAX)
            commands.append(ReadAccount(role=role))
        return commands

    def _account_due_ms(self, role: Role, check: PositionCheck, now: Instant, *, regularly: bool) -> int:
        due_ms = self._due_ms.get(role, 0) if regularly else now.mono_ms + 1
        since_ms = check.differs_since_ms
        if since_ms is not None and now.mono_ms - since_ms >= DIFFERS_GRACE_MS:
            again_ms = max(self.read_lag_ms // 2, READ_AGAIN_MS)
            due_ms = min(due_ms, self.last[role][0] + again_ms if role in self.last else now.mono_ms)
        if role not in self._issued_ms:
            return due_ms
        return max(due_ms, self._issued_ms[role] + self._wait_ms.get(role, READ_AGAIN_MS))
