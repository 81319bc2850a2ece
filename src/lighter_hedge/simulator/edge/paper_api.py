"""``/paper/*``: truth, faults, markets and information, for this machine only; not part of the venue's API."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aiohttp import web

from lighter_hedge.simulator.core.faults.board import FaultError
from lighter_hedge.simulator.edge import wire_rest
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.rest.query import ApiError
from lighter_hedge.simulator.edge.venue import Venue

MARKET_STATES = ("halted", "reduce_only")


class PaperApi:
    """What a person or a test asks of the exchange itself."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    def routes(self) -> list[web.RouteDef]:
        """Routes of the paper API."""
        return [
            web.get("/paper/truth", self.truth),
            web.get("/paper/info", self.info),
            web.get("/paper/faults", self.list_faults),
            web.post("/paper/faults", self.arm_fault),
            web.delete("/paper/faults", self.clear_faults),
            web.delete("/paper/faults/{id}", self.clear_fault),
            web.get("/paper/markets", self.list_markets),
            web.post("/paper/markets/{market}", self.set_market),
        ]

    async def truth(self, request: web.Request) -> web.Response:
        """What really is."""
        now_us = self.venue.step()
        return web.json_response(wire_rest.truth(self.venue.exchange.state, self.venue.requests, now_us))

    async def info(self, request: web.Request) -> web.Response:
        """What this exchange runs on."""
        settings = self.venue.settings
        body = {
            "traffic": settings.traffic,
            "tape": None if settings.tape is None else settings.tape.name,
            "live": settings.live,
            "seed": settings.seed,
            "faults": None if settings.faults is None else settings.faults.name,
            "fault_seed": settings.fault_seed,
            "tier": settings.tier.value,
            "staked_lit": settings.staked_lit,
            "wallets": settings.wallets,
            "tx_hash": settings.tx_hash,
            "book_interval_ms": settings.book_interval_ms,
            "chain_id": settings.chain_id,
            "version": _version("lighter-hedge"),
            "sdk_version": _version("lighter-sdk"),
            "connections": len(self.venue.connections),
        }
        return web.json_response(body)

    # --- faults

    async def list_faults(self, request: web.Request) -> web.Response:
        """Armed faults."""
        now_us = self.venue.step()
        return web.json_response({"faults": self.venue.exchange.faults.shown(now_us)})

    async def arm_fault(self, request: web.Request) -> web.Response:
        """Arm a fault; the answer carries its id."""
        wanted = await _object(request, "a fault is a JSON object")
        try:
            return web.json_response(self.venue.arm_fault(wanted))
        except FaultError as error:
            raise ApiError(400, str(error)) from None

    async def clear_fault(self, request: web.Request) -> web.Response:
        """Disarm a fault."""
        fault_id = whole_number(request.match_info["id"])
        if fault_id is None or not self.venue.exchange.faults.clear(fault_id):
            raise ApiError(29404, "no such fault", 404)
        return web.json_response({"cleared": fault_id})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Disarm all faults; what is planned for later still comes."""
        return web.json_response({"cleared": self.venue.exchange.faults.clear_all()})

    # --- markets

    async def list_markets(self, request: web.Request) -> web.Response:
        """The state of each market."""
        return web.json_response({"markets": [self._market(index) for index in self.venue.exchange.state.markets]})

    async def set_market(self, request: web.Request) -> web.Response:
        """Halt a market, let it only reduce positions, or open it again: ``{"halted": true, "reduce_only": false}``."""
        wanted = await _object(request, "the state of a market is a JSON object")
        index = self._index(request.match_info["market"])
        for name, value in wanted.items():
            if name not in MARKET_STATES or not isinstance(value, bool):
                told = (
                    f"a market has no {name!r} of {str(value)[:40]!r}: use {' and '.join(MARKET_STATES)}, true or false"
                )
                raise ApiError(400, told)
        self.venue.set_market(index, halted=wanted.get("halted"), force_reduce_only=wanted.get("reduce_only"))
        return web.json_response(self._market(index))

    def _index(self, name: str) -> int:
        markets = self.venue.exchange.state.markets
        for index, market in markets.items():
            if name in (market.symbol, str(index)):
                return index
        known = ", ".join(f"{market.symbol} ({index})" for index, market in markets.items())
        raise ApiError(29404, f"market {name!r} is unknown: use one of {known}", 404)

    def _market(self, index: int) -> dict[str, Any]:
        state = self.venue.exchange.state
        market = state.market_states[index]
        return {
            "market": index,
            "symbol": state.markets[index].symbol,
            "halted": market.halted,
            "reduce_only": market.force_reduce_only,
        }


async def _object(request: web.Request, what: str) -> dict[str, Any]:
    try:
        wanted = await request.json()
    except (ValueError, RecursionError):
        raise ApiError(400, what) from None
    if not isinstance(wanted, dict):
        raise ApiError(400, what)
    return wanted


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
