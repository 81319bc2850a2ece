"""``on_unhedged: flatten``: A closes what B could not hedge, but only once B has stood down for this very wish.

A says in its state that it wants to flatten. B stands down for that wish: nothing of it is in flight, its nonce is
burnt (or its key refused), and it is journalled. From then on B sends nothing until a newer state of A says that the
wish is gone. So at no time may both act on the same exposure, whatever is lost, late or restarted in between.
"""

from dataclasses import dataclass, field

from lighter_hedge.domain.closing import Closing
from lighter_hedge.domain.commands import Alert, Command, FlattenChanged, Level, Record, Say, StoodDownChanged
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import BurnRequest, Instant
from lighter_hedge.domain.exposure import Since
from lighter_hedge.domain.gate import View
from lighter_hedge.domain.lane_words import Fate, Settlement
from lighter_hedge.domain.pair import Agreement, residual
from lighter_hedge.domain.reads import READ_AGAIN_MS
from lighter_hedge.domain.states import Flatten, MakerState, Role, StoodDown

UNHEDGED_CODES = ("HEDGE_FAILED", "UNHEDGED_TOO_LONG")
"""Pauses that mean: B cannot."""


@dataclass(slots=True, kw_only=True)
class Flattening:
    """A's part: the wish, and the closing once B has stood down."""

    core: Core
    closing: Closing
    wish: Flatten | None = None
    _waited: Since = field(default_factory=Since)

    def step(self, view: View, min_lots: int, round_number: int, *, held_back: bool) -> list[Command]:
        """Wish, close, or be done. ``held_back``: a person has asked for something else."""
        core, now = self.core, view.now
        pause = view.latch.pause
        failed = pause is not None and pause.code in UNHEDGED_CODES and core.settings.flatten
        exposed = not residual(core.net, min_lots)
        self._waited.update(failed and exposed and self._closable() != 0 and not held_back, now.mono_ms)
        if self.wish is not None:
            return self._carry_out(self.wish, view, round_number, ended=not exposed or held_back or not failed)
        if self._waited.began_ms is None or self._waited.age_ms(now.mono_ms) < core.settings.force_close_ms:
            return []
        self.wish = Flatten(id=now.wall_ms, round=round_number, net=core.net)
        text = f"account B could not hedge {core.size(core.net)}: A will close it once B has stood down"
        return [Record(entry=FlattenChanged(flatten=self.wish)), Alert(code="FLATTENING", text=text)]

    def _carry_out(self, wish: Flatten, view: View, round_number: int, *, ended: bool) -> list[Command]:
        core, state = self.core, view.peer.state
        if core.own.open_orders or core.lane.unresolved:
            return []
        if ended:
            self.wish = None
            text = f"no longer flattening: {core.size(core.net)} unhedged"
            return [Record(entry=FlattenChanged(flatten=None)), Say(level=Level.WARNING, code="FLATTENED", text=text)]
        stood_down = state is not None and state.stood_down is not None and state.stood_down.id == wish.id
        if not stood_down or state is None or state.unresolved:
            return []
        if any(core.checks[role].agreement() is not Agreement.AGREES for role in Role):
            return []
        lots = self._closable()
        return self.closing.close(lots, view.now, round_number) if lots else []

    def _closable(self) -> int:
        """Signed lots that A can trade toward zero without opening anything; 0 where it holds nothing of the kind."""
        net, position = self.core.net, self.core.maker.position
        return -min(net, position, key=abs) if net * position > 0 else 0


@dataclass(slots=True, kw_only=True)
class StandingDown:
    """B's part: whether it has stood down, for which wish, and until when."""

    core: Core
    held: StoodDown | None = None
    _burning: int = 0
    """The wish for which the nonce is being burnt; 0 for none."""
    _next_ms: int = 0

    def blocks(self, maker: MakerState | None) -> bool:
        """Whether B must send nothing."""
        return self.held is not None or bool(self._burning) or (maker is not None and maker.flatten is not None)

    def step(self, maker: MakerState | None, now: Instant) -> list[Command]:
        """Stand down for A's wish once nothing is in flight; take up again when A's newer state has none."""
        if maker is None:
            return []
        if self._burning and self.core.lane.ready:
            self._burning = 0  # it could not be signed
        wish, held = maker.flatten, self.held
        if held is not None:
            newer = (maker.epoch, maker.seq) > (held.maker_epoch, held.maker_seq)
            if not newer or (wish is not None and wish.id == held.id):
                return []
            self.held = None
            text = "A flattens no more: hedging again"
            return [
                Record(entry=StoodDownChanged(stood_down=None)),
                Say(level=Level.WARNING, code="STOOD_UP", text=text),
            ]
        core = self.core
        if wish is None or self._burning or not core.lane.ready or core.own.in_flight or now.mono_ms < self._next_ms:
            return []
        self._next_ms = now.mono_ms + READ_AGAIN_MS
        self._burning = wish.id
        return core.lane.submit(BurnRequest())

    def settled(self, settlement: Settlement, maker: MakerState | None) -> list[Command]:
        """The burn's fate: executed means that nothing of B can execute any more.

        Refused means the same: nothing else was sent under this nonce, and a key that may not even cancel has been
        taken away.
        """
        wished, self._burning = self._burning, 0
        wish = maker.flatten if maker is not None else None
        if settlement.fate not in (Fate.EXECUTED, Fate.REFUSED) or maker is None or wish is None or wish.id != wished:
            return []
        core = self.core
        self.held = StoodDown(
            id=wish.id,
            round=wish.round,
            cum=core.maker.round_filled(wish.round),
            maker_epoch=maker.epoch,
            maker_seq=maker.seq,
        )
        text = f"stood down for A to close {core.size(core.net)}"
        return [Record(entry=StoodDownChanged(stood_down=self.held)), Alert(code="STOOD_DOWN", text=text)]
