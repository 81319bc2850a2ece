"""REST of the paper exchange: the venue's paths, shapes and codes. Never HTML, whatever is asked."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from lighter_hedge.simulator.core import reads
from lighter_hedge.simulator.core.accounts import Account
from lighter_hedge.simulator.edge import wire, wire_rest
from lighter_hedge.simulator.edge.auth import AuthError, check_token, holder_of
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.sending import Answer, refusal, send_batch, send_one
from lighter_hedge.simulator.edge.venue import Venue

ALL_KEYS = 255
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiError(Exception):
    """A request that is answered with a code."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message}
        self.status = status


class Rest:
    """Handlers of all REST paths."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.state = venue.exchange.state

    def routes(self) -> list[web.RouteDef]:
        """Routes of the venue's REST API."""
        gets: dict[str, Callable[[web.Request], dict[str, Any]]] = {
            "orderBooks": self.order_books,
            "orderBookDetails": self.order_book_details,
            "orderBookOrders": self.order_book_orders,
            "account": self.account,
            "accountsByL1Address": self.accounts_by_l1_address,
            "apikeys": self.api_keys,
            "nextNonce": self.next_nonce,
            "accountActiveOrders": self.active_orders,
            "accountInactiveOrders": self.inactive_orders,
            "accountOrders": self.account_orders,
            "trades": self.trades,
            "recentTrades": self.recent_trades,
            "tx": self.tx,
            "accountTxs": self.account_txs,
            "accountLimits": self.account_limits,
            "currentHeight": self.current_height,
            "systemConfig": lambda _: wire_rest.system_config(),
        }
        return [
            web.get("/", self._reading("status", self.status)),
            web.get("/info", self._reading("info", lambda _: {"contract_address": "0x" + "0" * 40})),
            *(web.get(f"/api/v1/{name}", self._reading(name, read)) for name, read in gets.items()),
            web.post("/api/v1/sendTx", self.send_tx),
            web.post("/api/v1/sendTxBatch", self.send_tx_batch),
        ]

    def _reading(self, endpoint: str, read: Callable[[web.Request], dict[str, Any]]) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            now_us = self.venue.step()
            token = _token(request)
            holder = holder_of(token) if token else None
            self.venue.requests.read(self._about(request) if holder is None else holder)
            who = self.venue.who(holder, request.remote or "")
            if not self.venue.limiter.allow(who, endpoint, now_us):
                raise ApiError(23000, "Too Many Requests!", 429)
            return web.json_response(read(request))

        return handler

    def _about(self, request: web.Request) -> int | None:
        """The account that a request without a token is about, if it names one or a transaction of one."""
        by, value = request.query.get("by", ""), request.query.get("value", "")
        if by == "hash":
            tx = self.state.txs.get(value.removeprefix("0x"))
            return None if tx is None else tx.account_index
        text = value if by in ("index", "account_index") else request.query.get("account_index", "")
        return whole_number(text)

    # --- markets ---

    def status(self, request: web.Request) -> dict[str, Any]:
        """``/``."""
        return {"status": 200, "network_id": 1, "timestamp": self.venue.now_us() // 1_000_000}

    def order_books(self, request: web.Request) -> dict[str, Any]:
        """``orderBooks``."""
        return wire_rest.ok(
            order_books=[wire_rest.order_book(self.state.markets[index]) for index in self._markets(request)]
        )

    def order_book_details(self, request: web.Request) -> dict[str, Any]:
        """``orderBookDetails``."""
        now_us = self.venue.now_us()
        rows = [
            wire_rest.order_book_detail(self.state.markets[index], self.state.stats(index, now_us))
            for index in self._markets(request)
        ]
        return wire_rest.ok(order_book_details=rows, spot_order_book_details=[])

    def _markets(self, request: web.Request) -> list[int]:
        wanted = _integer(request, "market_id", ALL_KEYS)
        return sorted(self.state.markets) if wanted == ALL_KEYS else [self._market(wanted)]

    def _market(self, index: int) -> int:
        if index not in self.state.markets:
            raise ApiError(21602, "invalid market index")
        return index

    def order_book_orders(self, request: web.Request) -> dict[str, Any]:
        """``orderBookOrders``."""
        market = self._market(_integer(request, "market_id"))
        return wire_rest.order_book_orders(self.state, market, _limit(request, 250))

    def recent_trades(self, request: web.Request) -> dict[str, Any]:
        """``recentTrades``, newest first."""
        market = self.state.market_states[self._market(_integer(request, "market_id"))]
        trades = list(market.trades)[: _limit(request, 100)]
        return wire_rest.ok(trades=[wire.trade(trade, self.state.markets) for trade in trades])

    def current_height(self, request: web.Request) -> dict[str, Any]:
        """``currentHeight``."""
        return wire_rest.ok(height=self.state.height(self.venue.now_us()))

    # --- accounts ---

    def account(self, request: web.Request) -> dict[str, Any]:
        """``account`` by index or L1 address."""
        accounts = self._accounts_by(request)
        for account in accounts:
            if self.venue.strike("account_error", account.account_index):
                raise ApiError(29500, "internal server error", 500)
        active_only = request.query.get("active_only", "").lower() == "true"
        rows = [wire_rest.account_detail(self.state, one, active_only=active_only) for one in accounts]
        return wire_rest.ok(total=len(rows), accounts=rows)

    def _accounts_by(self, request: web.Request) -> list[Account]:
        by, value = request.query.get("by", ""), request.query.get("value", "")
        number = whole_number(value)
        if by == "index" and number is not None:
            found = [one for one in self.state.accounts.values() if one.account_index == number]
        elif by == "l1_address":
            found = self._of_wallet(value)
        else:
            raise ApiError(20001, "invalid param : by or value")
        if not found:
            raise ApiError(21100, "account not found")
        return found

    def _of_wallet(self, l1_address: str) -> list[Account]:
        wanted = l1_address.lower()
        return [one for one in self.state.accounts.values() if one.l1_address.lower() == wanted]

    def accounts_by_l1_address(self, request: web.Request) -> dict[str, Any]:
        """``accountsByL1Address``."""
        address = request.query.get("l1_address", "")
        found = self._of_wallet(address)
        if not found:
            raise ApiError(21100, "account not found")
        rows = [wire_rest.account_brief(self.state, one) for one in found]
        return wire_rest.ok(l1_address=address, sub_accounts=rows)

    def api_keys(self, request: web.Request) -> dict[str, Any]:
        """``apikeys``: one key, or all with 255 or without index."""
        account = self._account(request)
        wanted = _integer(request, "api_key_index", ALL_KEYS)
        now_us = self.venue.now_us()
        indexes = [
            index
            for index in sorted(account.keys)
            if wanted in (index, ALL_KEYS) and not self.venue.exchange.key_revoked(account.account_index, index, now_us)
        ]
        if not indexes:
            raise ApiError(21109, "api key not found")
        return wire_rest.api_keys(account, indexes)

    def _account(self, request: web.Request) -> Account:
        account = self.venue.account(_integer(request, "account_index"))
        if account is None:
            raise ApiError(21100, "account not found")
        return account

    def next_nonce(self, request: web.Request) -> dict[str, Any]:
        """``nextNonce``; an unknown account or key has nonce 0, as at the venue."""
        account = self.venue.account(_integer(request, "account_index"))
        key = account.keys.get(_integer(request, "api_key_index")) if account is not None else None
        return wire_rest.ok(nonce=0 if key is None else key.nonce)

    def account_limits(self, request: web.Request) -> dict[str, Any]:
        """``accountLimits``."""
        return wire_rest.account_limits(self._authorized(request))

    def _authorized(self, request: web.Request) -> Account:
        account = self._account(request)
        token = _token(request)
        if not token:
            raise ApiError(20001, "invalid param : auth query param and Authorization header are empty")
        try:
            verify = self.venue.settings.verify_signatures
            check_token(self.venue.exchange, token, account.account_index, self.venue.now_us(), verify=verify)
        except AuthError as error:
            raise ApiError(error.code, error.message) from None
        return account

    # --- history ---

    def _cutoff(self, account_index: int | None) -> int:
        return self.venue.cutoff_us(account_index, self.venue.now_us())

    def _orders(self, request: web.Request) -> list[Any]:
        account = self._authorized(request)
        market = _integer(request, "market_id", ALL_KEYS)
        index = account.account_index
        return reads.orders(self.state, index, self._cutoff(index), None if market == ALL_KEYS else market)

    def active_orders(self, request: web.Request) -> dict[str, Any]:
        """``accountActiveOrders``."""
        rows = [wire.order(one, self.state.markets) for one in self._orders(request) if one.is_alive]
        return wire_rest.ok(orders=rows)

    def inactive_orders(self, request: web.Request) -> dict[str, Any]:
        """``accountInactiveOrders``, newest first; the cursor counts rows."""
        rows = [wire.order(one, self.state.markets) for one in self._orders(request) if not one.is_alive]
        return _page(request, "orders", rows)

    def account_orders(self, request: web.Request) -> dict[str, Any]:
        """``accountOrders`` by client order indexes."""
        account = self._authorized(request)
        parts = request.query.get("client_order_indexes", "").split(",")
        wanted = {number for part in parts if (number := whole_number(part.strip())) is not None}
        if len(parts) > 20 or len(wanted) < len(set(parts)):
            raise ApiError(20001, "invalid param : client_order_indexes")
        index = account.account_index
        rows = reads.by_client_indexes(self.state, index, self._cutoff(index), wanted)
        return wire_rest.ok(orders=[wire.order(one, self.state.markets) for one in rows])

    def trades(self, request: web.Request) -> dict[str, Any]:
        """``trades``: of an account with its token, else public; newest first unless ``sort_dir=asc``."""
        wanted = _integer(request, "market_id", ALL_KEYS)
        market = None if wanted == ALL_KEYS else self._market(wanted)
        if "account_index" in request.query:
            index = self._authorized(request).account_index
            found = reads.trades(self.state, index, self._cutoff(index), market)
        else:
            states = [self.state.market_states[one] for one in self.state.markets if market in (None, one)]
            every = [trade for one in states for trade in one.trades]
            found = sorted(every, key=lambda trade: trade.trade_id, reverse=True)
        if request.query.get("sort_dir") == "asc":
            found = found[::-1]
        return _page(request, "trades", [wire.trade(one, self.state.markets) for one in found])

    def tx(self, request: web.Request) -> dict[str, Any]:
        """``tx`` by hash or sequence index."""
        by, value = request.query.get("by", ""), request.query.get("value", "")
        if by == "hash":
            found = self.state.txs.get(value.removeprefix("0x"))
        elif by == "sequence_index" and (number := whole_number(value)) is not None:
            every = self.state.txs.values()
            found = next((one for one in every if one.sequence_index == number), None)
        else:
            raise ApiError(20001, "invalid param : by or value")
        shown = None if found is None else reads.transaction(found, self._cutoff(found.account_index))
        if shown is None:
            raise ApiError(21500, "transaction not found")
        return wire_rest.ok(**wire.tx(shown), committed_at=0, verified_at=0)

    def account_txs(self, request: web.Request) -> dict[str, Any]:
        """``accountTxs`` by account index, newest first."""
        index = whole_number(request.query.get("value", ""))
        if request.query.get("by", "account_index") != "account_index" or index is None:
            raise ApiError(20001, "invalid param : by or value")
        every = (reads.transaction(one, self._cutoff(index)) for one in self.state.txs_of.get(index, []))
        rows = [wire.tx(one) for one in every if one is not None]
        return _page(request, "txs", rows[::-1])

    # --- transactions ---

    async def send_tx(self, request: web.Request) -> web.Response:
        """``sendTx``: a form with ``tx_type`` and ``tx_info``."""
        form = await request.post()
        answer = send_one(self.venue, form.get("tx_type"), form.get("tx_info"), request.remote or "")
        return _answered(request, answer)

    async def send_tx_batch(self, request: web.Request) -> web.Response:
        """``sendTxBatch``: a form with JSON lists ``tx_types`` and ``tx_infos``."""
        form = await request.post()
        answer = send_batch(self.venue, form.get("tx_types"), form.get("tx_infos"), request.remote or "")
        return _answered(request, answer)


def _answered(request: web.Request, answer: Answer) -> web.Response:
    if answer.lost and request.transport is not None:
        request.transport.abort()
    return web.json_response(answer.body, status=answer.status)


def _token(request: web.Request) -> str:
    return request.headers.get("authorization", "") or request.query.get("auth", "")


def _integer(request: web.Request, name: str, default: int | None = None) -> int:
    text = request.query.get(name, "")
    if not text and default is not None:
        return default
    number = whole_number(text)
    if number is None:
        raise ApiError(20001, f"invalid param : {name}")
    return number


def _limit(request: web.Request, most: int) -> int:
    limit = _integer(request, "limit", most)
    if not 1 <= limit <= most:
        raise ApiError(20001, "invalid param : limit")
    return limit


def _page(request: web.Request, name: str, rows: list[Any]) -> dict[str, Any]:
    limit, start = _limit(request, 100), _integer(request, "cursor", 0)
    page = {name: rows[start : start + limit]}
    if start + limit < len(rows):
        page["next_cursor"] = str(start + limit)  # type: ignore[assignment]
    return wire_rest.ok(**page)


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every failure with JSON."""
    try:
        return await handler(request)
    except ApiError as error:
        return web.json_response(error.body, status=error.status)
    except web.HTTPException as error:
        code = 29404 if error.status == 404 else error.status
        answer = refusal(code, error.reason.lower(), error.status)
        return web.json_response(answer.body, status=answer.status)
