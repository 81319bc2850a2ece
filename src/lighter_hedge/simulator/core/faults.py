"""Named faults: what goes wrong at the exchange, when, and for whom. Pure.

====================  ========================================================  =========================
kind                  effect                                                    parameters
====================  ========================================================  =========================
``key_revoked``       transactions and tokens of the account: 400, code 21109   api_key_index
``reject``            the next transaction is refused with a code               code (needed), message
``lose_answer``       the transaction runs, the answer never comes
``fill_now``          a resting order is filled                                 lots, delay_ms, order_index
``part_fill``         a resting order is filled in part                         lots (needed), as above
``two_trades``        the next ``fill_now`` is two trades in one frame
``cancel_race``       the next cancel runs only after its order was filled      lots
``late_fill``         an order is filled after its cancel was reported          lots, delay_ms (200)
``history_lag``       REST orders, trades, txs hide the newest ``seconds``      seconds (needed), for_seconds
``account_error``     ``account`` reads answer 500
``halted``            new orders are refused: 400, code 21605
``duplicate_frames``  private frames come twice, old ones again on subscribing
``disconnect``        the account's sockets are dropped now
``shutdown``          the account's sockets are told that they end, then dropped  close_in_ms (0)
``refuse_subscribe``  the next subscription is refused with a code              code (needed)
====================  ========================================================  =========================

All take ``account`` (index or name; none: every account), ``market`` (index or symbol), ``count`` (how often
it strikes) and ``seconds`` (how long it stays armed; for ``history_lag`` that is ``for_seconds``). Without
either, kinds that strike once per event strike once; lasting ones (``key_revoked``, ``history_lag``,
``account_error``, ``duplicate_frames``, ``halted``) stay until cleared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LASTING = frozenset({"key_revoked", "history_lag", "account_error", "duplicate_frames", "halted"})
_PARAMETERS: dict[str, frozenset[str]] = {
    "key_revoked": frozenset({"api_key_index"}),
    "reject": frozenset({"code", "message"}),
    "lose_answer": frozenset(),
    "fill_now": frozenset({"lots", "delay_ms", "order_index"}),
    "part_fill": frozenset({"lots", "delay_ms", "order_index"}),
    "two_trades": frozenset(),
    "cancel_race": frozenset({"lots"}),
    "late_fill": frozenset({"lots", "delay_ms"}),
    "history_lag": frozenset({"for_seconds"}),
    "account_error": frozenset(),
    "halted": frozenset(),
    "duplicate_frames": frozenset(),
    "disconnect": frozenset(),
    "shutdown": frozenset({"close_in_ms"}),
    "refuse_subscribe": frozenset({"code"}),
}
KINDS = frozenset(_PARAMETERS)
_NEEDED = {"reject": "code", "refuse_subscribe": "code", "part_fill": "lots", "history_lag": "seconds"}
_COMMON = frozenset({"kind", "account", "market", "count", "seconds"})
_POSITIVE = frozenset({"count", "lots", "code", "order_index"})


NUMBER_MAX = 2**60
"""No parameter is larger: order indices are below it."""


class FaultError(ValueError):
    """A fault that cannot be armed; the message names the parameter and the remedy."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One armed fault."""

    fault_id: int
    kind: str
    account_index: int | None
    market_index: int | None
    count: int | None
    """Strikes left; ``None`` is unlimited."""
    until_us: int | None
    parameters: dict[str, Any] = field(default_factory=dict)
    struck: int = 0

    def number(self, name: str, default: int = 0) -> int:
        """A parameter that is an integer."""
        value = self.parameters.get(name, default)
        assert isinstance(value, int)
        return value

    def applies(self, account_index: int | None, market_index: int | None, now_us: int) -> bool:
        """Whether the fault is for this account and market, and still armed."""
        if self.count == 0 or (self.until_us is not None and now_us >= self.until_us):
            return False
        wanted_account = self.account_index is None or account_index == self.account_index
        wanted_market = self.market_index is None or market_index is None or market_index == self.market_index
        return wanted_account and wanted_market

    def shown(self) -> dict[str, Any]:
        """As ``GET /paper/faults`` lists it."""
        return {
            "id": self.fault_id,
            "kind": self.kind,
            "account": self.account_index,
            "market": self.market_index,
            "count": self.count,
            "until_ms": None if self.until_us is None else self.until_us // 1000,
            "struck": self.struck,
            **self.parameters,
        }


class FaultBoard:
    """All armed faults."""

    def __init__(self, accounts: Mapping[str, int], markets: Mapping[str, int]) -> None:
        """Take the names that ``account`` and ``market`` may use, with their indices."""
        self._accounts = dict(accounts)
        self._markets = dict(markets)
        self._faults: dict[int, Fault] = {}
        self._last_id = 0

    def arm(self, request: Mapping[str, Any], now_us: int) -> Fault:
        """Arm a fault.

        Raises:
            FaultError: unknown kind or parameter, or a value that does not fit.
        """
        kind = request.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise FaultError(f"kind {kind!r} is unknown: use one of {', '.join(sorted(KINDS))}")
        self._check_names(kind, request)
        duration = request.get("for_seconds" if kind == "history_lag" else "seconds")
        count = request.get("count")
        if count is None and duration is None and kind not in LASTING:
            count = 1
        self._last_id += 1
        fault = Fault(
            fault_id=self._last_id,
            kind=kind,
            account_index=_resolve(request.get("account"), self._accounts, "account"),
            market_index=_resolve(request.get("market"), self._markets, "market"),
            count=count,
            until_us=None if duration is None else now_us + int(duration * 1_000_000),
            parameters={name: request[name] for name in request if name in _PARAMETERS[kind] or name == "seconds"},
        )
        self._faults[fault.fault_id] = fault
        return fault

    def _check_names(self, kind: str, request: Mapping[str, Any]) -> None:
        allowed = _COMMON | _PARAMETERS[kind]
        for name, value in request.items():
            if name not in allowed:
                raise FaultError(f"{kind} has no parameter {name!r}: use {', '.join(sorted(allowed))}")
            _check_value(kind, name, value)
        needed = _NEEDED.get(kind)
        if needed is not None and needed not in request:
            raise FaultError(f"{kind} needs {needed!r}")

    def active(
        self, kind: str, now_us: int, account_index: int | None = None, market_index: int | None = None
    ) -> Fault | None:
        """The first armed fault of a kind that applies; it is not used up."""
        for fault in self._faults.values():
            if fault.kind == kind and fault.applies(account_index, market_index, now_us):
                return fault
        return None

    def strike(
        self, kind: str, now_us: int, account_index: int | None = None, market_index: int | None = None
    ) -> Fault | None:
        """Use up one strike of the first armed fault of a kind that applies."""
        if not self._faults:
            return None
        fault = self.active(kind, now_us, account_index, market_index)
        if fault is not None:
            fault.struck += 1
            if fault.count is not None:
                fault.count -= 1
        return fault

    def shown(self, now_us: int) -> list[dict[str, Any]]:
        """The armed faults; spent ones are dropped."""
        self._faults = {
            fault_id: fault
            for fault_id, fault in self._faults.items()
            if fault.applies(fault.account_index, fault.market_index, now_us)
        }
        return [fault.shown() for fault in self._faults.values()]

    def clear(self, fault_id: int) -> bool:
        """Disarm a fault; says whether it was there."""
        return self._faults.pop(fault_id, None) is not None


def _check_value(kind: str, name: str, value: object) -> None:
    if name in ("kind", "account", "market"):
        return
    if name == "message":
        if not isinstance(value, str):
            raise FaultError(f"{kind}: message must be text, not {value!r}")
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= NUMBER_MAX:
        raise FaultError(
            f"{kind}: {name} must be a number of at least 0 and at most {NUMBER_MAX}, not {str(value)[:40]}"
        )
    if name not in ("seconds", "for_seconds") and not isinstance(value, int):
        raise FaultError(f"{kind}: {name} must be a whole number, not {value!r}")
    if name in _POSITIVE and value < 1:
        raise FaultError(f"{kind}: {name} must be at least 1, not {value!r}")


def _resolve(value: object, names: Mapping[str, int], what: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value in names:
        return names[value]
    if isinstance(value, int) and not isinstance(value, bool) and value in names.values():
        return value
    known = ", ".join(f"{name} ({index})" for name, index in names.items())
    raise FaultError(f"{what} {value!r} is unknown: use one of {known}")
