"""The faults that are armed: for whom, how often, how long, how likely. Pure; its dice are seeded.

All take ``account`` (index or name; none: every account), ``market`` (index or symbol), ``count`` (how often it
strikes), ``seconds`` (how long it stays armed; for ``history_lag`` that is ``for_seconds``) and ``probability`` (of
striking, each time that it could). Without ``count`` and ``seconds`` a fault strikes once, or stays until it is
disarmed if it is of a kind that lasts.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lighter_hedge.simulator.core.faults.kinds import COMMON, KINDS, PARAMETERS, Check

_NAMES = frozenset({"kind", "account", "market"})


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
    dice: random.Random
    struck: int = 0

    def number(self, name: str, default: int = 0) -> int:
        """A parameter that is an integer."""
        value = self.parameters.get(name, default)
        assert isinstance(value, int)
        return value

    def word(self, name: str, default: str = "") -> str:
        """A parameter that is text."""
        value = self.parameters.get(name, default)
        assert isinstance(value, str)
        return value

    def applies(self, account_index: int | None, market_index: int | None, now_us: int) -> bool:
        """Whether the fault is for this account and market, and still armed."""
        if self.count == 0 or (self.until_us is not None and now_us >= self.until_us):
            return False
        wanted_account = self.account_index is None or account_index == self.account_index
        wanted_market = self.market_index is None or market_index is None or market_index == self.market_index
        return wanted_account and wanted_market

    def happens(self) -> bool:
        """Throw the dice, if it needs any."""
        probability = float(self.parameters.get("probability", 1))
        return probability == 1 or self.dice.random() < probability

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

    def __init__(self, accounts: Mapping[str, int], markets: Mapping[str, int], *, seed: int = 0) -> None:
        """Take the names that ``account`` and ``market`` may use, with their indices, and the seed of the dice."""
        self._accounts = dict(accounts)
        self._markets = dict(markets)
        self._seed = seed
        self._faults: dict[int, Fault] = {}
        self._last_id = 0

    def __bool__(self) -> bool:
        """Whether any may be armed."""
        return bool(self._faults)

    def arm(self, request: Mapping[str, Any], now_us: int) -> Fault:
        """Arm a fault.

        Raises:
            FaultError: unknown kind or parameter, or a value that does not fit.
        """
        fault = self._made(request, now_us)
        self._last_id = fault.fault_id
        self._faults[fault.fault_id] = fault
        return fault

    def check(self, request: Mapping[str, Any]) -> None:
        """Look whether a fault could be armed.

        Raises:
            FaultError: it could not.
        """
        self._made(request, 0)

    def _made(self, request: Mapping[str, Any], now_us: int) -> Fault:
        name = request.get("kind")
        if not isinstance(name, str) or name not in KINDS:
            raise FaultError(f"kind {name!r} is unknown: use one of {', '.join(sorted(KINDS))}")
        kind = KINDS[name]
        _check_parameters(name, request)
        duration = request.get("for_seconds" if name == "history_lag" else "seconds")
        count = request.get("count")
        if count is None and duration is None and not kind.lasts:
            count = 1
        fault_id = self._last_id + 1
        kept = {*kind.parameters, "seconds", "probability"}
        return Fault(
            fault_id=fault_id,
            kind=name,
            account_index=_resolve(request.get("account"), self._accounts, "account"),
            market_index=_resolve(request.get("market"), self._markets, "market"),
            count=count,
            until_us=None if duration is None else now_us + int(duration * 1_000_000),
            parameters={name: request[name] for name in request if name in kept},
            dice=random.Random(f"{self._seed} {fault_id}"),  # noqa: S311
        )

    def active(
        self, kind: str, now_us: int, account_index: int | None = None, market_index: int | None = None
    ) -> Fault | None:
        """The first armed fault of a kind that applies; it is not used up."""
        for fault in self._faults.values():
            if fault.kind == kind and fault.applies(account_index, market_index, now_us):
                return fault
        return None

    def strike(
        self,
        kind: str,
        now_us: int,
        account_index: int | None = None,
        market_index: int | None = None,
        *,
        fits: Callable[[Fault], bool] | None = None,
    ) -> Fault | None:
        """Use up one strike of the first armed fault of a kind that applies, fits, and happens."""
        if not self._faults:
            return None
        for fault in self._faults.values():
            if fault.kind != kind or not fault.applies(account_index, market_index, now_us):
                continue
            if (fits is None or fits(fault)) and fault.happens():
                fault.struck += 1
                if fault.count is not None:
                    fault.count -= 1
                return fault
        return None

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

    def clear_all(self) -> list[int]:
        """Disarm everything; return what was there."""
        cleared = list(self._faults)
        self._faults.clear()
        return cleared


def _check_parameters(name: str, request: Mapping[str, Any]) -> None:
    kind = KINDS[name]
    checks: dict[str, Check] = {one: PARAMETERS[one] for one in kind.parameters if one in PARAMETERS}
    checks |= {one: check for one, check in COMMON.items() if one != "probability" or not kind.is_state}
    for parameter, value in request.items():
        if parameter in _NAMES:
            continue
        if parameter not in checks:
            allowed = ", ".join(sorted(_NAMES | checks.keys()))
            raise FaultError(f"{name} has no parameter {parameter!r}: use {allowed}")
        wrong = checks[parameter](value)
        if wrong is not None:
            raise FaultError(f"{name}: {parameter} must be {wrong}, not {str(value)[:40]!r}")
    for needed in kind.needs:
        if needed not in request:
            raise FaultError(f"{name} needs {needed!r}")


def _resolve(value: object, names: Mapping[str, int], what: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value in names:
        return names[value]
    if isinstance(value, int) and not isinstance(value, bool) and value in names.values():
        return value
    known = ", ".join(f"{name} ({index})" for name, index in names.items())
    raise FaultError(f"{what} {value!r} is unknown: use one of {known}")
