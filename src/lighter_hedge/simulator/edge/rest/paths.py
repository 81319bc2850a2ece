"""All REST paths of the paper exchange in one table. Never HTML, whatever is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from lighter_hedge.simulator.edge.answers import Answer
from lighter_hedge.simulator.edge.auth import holder_of
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.rest import absent
from lighter_hedge.simulator.edge.rest.accounts import Accounts
from lighter_hedge.simulator.edge.rest.context import Context
from lighter_hedge.simulator.edge.rest.markets import Markets
from lighter_hedge.simulator.edge.rest.orders import Orders
from lighter_hedge.simulator.edge.rest.query import ApiError, Query, invalid
from lighter_hedge.simulator.edge.rest.transactions import Transactions
from lighter_hedge.simulator.edge.venue import Venue
from lighter_hedge.simulator.edge.wire import Json

BASE = "/api/v1/"
NOT_FOUND = 404
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Endpoint = Callable[[Query], Json]
Send = Callable[[Query, str], Answer]


class Rest:
    """The table, and how a request becomes an answer."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.context = Context(venue)
        self.markets = Markets(venue)
        self.accounts = Accounts(venue)
        self.orders = Orders(venue)
        self.transactions = Transactions(venue)

    def gets(self) -> dict[str, Endpoint]:
        """Reads below ``/api/v1/``; those that always answer empty are in ``absent.py``."""
        return {
            "orderBooks": self.markets.order_books,
            "orderBookDetails": self.markets.order_book_details,
            "orderBookOrders": self.markets.order_book_orders,
            "candles": self.markets.candles,
            "markPriceCandles": self.markets.mark_price_candles,
            "marketPriceCharts": self.markets.market_price_charts,
            "fundings": self.markets.fundings,
            "funding-rates": self.markets.funding_rates,
            "exchangeStats": self.markets.exchange_stats,
            "exchangeMetrics": self.markets.exchange_metrics,
            "executeStats": self.markets.execute_stats,
            "assetDetails": self.markets.asset_details,
            "tokenlist": self.markets.token_list,
            "priceOracleInfo": self.markets.price_oracle_info,
            "systemConfig": self.markets.system_config,
            "feeTiers": self.markets.fee_tiers,
            "recentTrades": self.orders.recent_trades,
            "trades": self.orders.trades,
            "accountActiveOrders": self.orders.active,
            "accountInactiveOrders": self.orders.inactive,
            "accountOrders": self.orders.by_client_indexes,
            "account": self.accounts.account,
            "accountsByL1Address": self.accounts.by_l1_address,
            "accountMetadata": self.accounts.metadata,
            "accountLimits": self.accounts.limits,
            "apikeys": self.accounts.api_keys,
            "getMakerOnlyApiKeys": self.accounts.maker_only_keys,
            "tokens": self.accounts.tokens,
            "positionFunding": self.accounts.position_funding,
            "liquidations": self.accounts.liquidations,
            "pnl": self.accounts.pnl,
            "nextNonce": self.transactions.next_nonce,
            "tx": self.transactions.tx,
            "txs": self.transactions.txs,
            "txFromL1TxHash": self.transactions.tx_from_l1,
            "accountTxs": self.transactions.account_txs,
            "currentHeight": self.transactions.current_height,
            "block": self.transactions.block,
            "blocks": self.transactions.blocks,
            "blockTxs": self.transactions.block_txs,
            **self._absent(absent.GETS),
        }

    def posts(self) -> dict[str, Endpoint]:
        """Writes below ``/api/v1/`` that are no transactions."""
        return {
            "changeAccountTier": self.accounts.change_tier,
            "setAccountMetadata": self.accounts.set_metadata,
            "setMakerOnlyApiKeys": self.accounts.set_maker_only_keys,
            "tokens/create": self.accounts.create_token,
            "tokens/revoke": self.accounts.revoke_token,
            **self._absent(absent.POSTS),
        }

    def sends(self) -> dict[str, Send]:
        """Transactions."""
        return {"sendTx": self.transactions.send_tx, "sendTxBatch": self.transactions.send_tx_batch}

    def _absent(self, table: Mapping[str, absent.Absent]) -> dict[str, Endpoint]:
        return {name: partial(absent.answer, self.context, name, one) for name, one in table.items()}

    def routes(self) -> list[web.RouteDef]:
        """Routes of the venue's REST API."""
        return [
            web.get("/", self._asking("status", self.markets.status)),
            web.get("/info", self._asking("info", self.markets.info)),
            *(web.get(BASE + name, self._asking(name, endpoint)) for name, endpoint in self.gets().items()),
            *(web.post(BASE + name, self._asking(name, endpoint)) for name, endpoint in self.posts().items()),
            *(web.post(BASE + name, self._sending(send)) for name, send in self.sends().items()),
        ]

    def _asking(self, name: str, endpoint: Endpoint) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            query = await query_of(request)
            now_us = self.venue.step()
            holder = holder_of(query.token) if query.token else None
            about = self._about(query) if holder is None else holder
            self.venue.requests.read(about)
            answer = self.venue.request_faults.before(about, now_us, sends=False)
            if answer is None:
                if not self.venue.limiter.allow(self.venue.who(holder, request.remote or ""), name, now_us):
                    raise ApiError(23000, "Too Many Requests!", 429)
                answer = Answer(status=200, body=endpoint(query))
            return await _told(request, self.venue.request_faults.after(about, answer, now_us, sends=False))

        return handler

    def _about(self, query: Query) -> int | None:
        """The account that a request without a token is about, if it names one or a transaction of one."""
        by, value = query.text("by", ""), query.text("value", "")
        if by == "hash":
            tx = self.venue.exchange.state.txs.get(value.removeprefix("0x"))
            return None if tx is None else tx.account_index
        return whole_number(value if by in ("index", "account_index") else query.text("account_index", ""))

    def _sending(self, send: Send) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            return await _told(request, send(await query_of(request), request.remote or ""))

        return handler


async def _told(request: web.Request, answer: Answer) -> web.Response:
    """An answer on its way: late, or never."""
    if answer.delay_ms:
        await asyncio.sleep(answer.delay_ms / 1000)
    if not answer.lost:
        return web.json_response(answer.body, status=answer.status)
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def query_of(request: web.Request) -> Query:
    """Parameters of a request: of its address, and of a form or a JSON object that came with it.

    Raises:
        ApiError: the body cannot be read.
    """
    values: dict[str, str] = {name: ",".join(request.query.getall(name)) for name in request.query}
    if request.method == "POST":
        try:
            body = await request.json() if request.content_type == "application/json" else await request.post()
        except (ValueError, LookupError, RecursionError):
            raise invalid("body") from None
        if not isinstance(body, Mapping):
            raise invalid("body")
        values |= {name: _text(value) for name, value in body.items()}
    token = request.headers.get("authorization", "") or values.get("auth", "")
    return Query(values=values, token=token, writes=request.method == "POST")


def _text(value: Any) -> str:
    """A form's text, or a JSON number or word as text; a file is none."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else ""


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every failure with JSON."""
    try:
        return await handler(request)
    except ApiError as error:
        return web.json_response(error.body, status=error.status)
    except web.HTTPException as error:
        code = 29404 if error.status == NOT_FOUND else error.status
        return web.json_response({"code": code, "message": error.reason.lower()}, status=error.status)
