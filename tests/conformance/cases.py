"""Numbered statements about the venue, each as a case that can be played against it.

A source says how the statement is known: ``run`` (seen with the venue's own SDK), ``docs`` (the venue's pages),
``recorded`` (captured frames and bodies), ``issue`` (a public report), ``inferred``.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.conformance.session import GTT, IOC, LIMIT, MARKET, Session, rows_of

Play = Callable[[Session], Awaitable[None]]
NEVER = 1 << 47
"""A client order index that nobody has used."""


@dataclass(frozen=True, slots=True)
class Case:
    """One statement."""

    number: str
    source: str
    play: Play
    meets: bool
    """The two accounts trade with each other in it."""

    @property
    def words(self) -> str:
        """The statement itself."""
        return (self.play.__doc__ or "").strip().split("\n")[0]


CASES: list[Case] = []


def case(number: str, source: str, *, meets: bool = False) -> Callable[[Play], Play]:
    """Register a case."""

    def register(play: Play) -> Play:
        CASES.append(Case(number, source, play, meets))
        return play

    return register


# --- nonces ---------------------------------------------------------------------------------------------------------


@case("C001", "run")
async def nonce_counts_up(venue: Session) -> None:
    """Each accepted transaction takes the next nonce of its key."""
    before = await venue.nonce(venue.a)
    answer = await venue.order(venue.a, venue.coid(), nonce=before)
    assert (answer.status, answer.code, len(answer.body["tx_hash"])) == (200, 200, 80)
    await venue.executed(answer.body["tx_hash"])
    assert await venue.nonce(venue.a) == before + 1


@case("C002", "run")
async def wrong_nonce(venue: Session) -> None:
    """A nonce that is too high or used is refused with 21104, and the nonce stays."""
    before = await venue.nonce(venue.a)
    for wrong in (before + 1, before - 1):
        if wrong >= 0:
            answer = await venue.order(venue.a, venue.coid(), nonce=wrong)
            assert (answer.status, answer.code) == (400, 21104)
    assert await venue.nonce(venue.a) == before


@case("C003", "docs")
async def refused_keeps_nonce(venue: Session) -> None:
    """What the API refuses does not consume its nonce."""
    before = await venue.nonce(venue.a)
    answer = await venue.order(venue.a, venue.coid(), base_amount=1)
    assert (answer.status, answer.code) == (400, 21706)
    assert await venue.nonce(venue.a) == before


@case("C004", "docs")
async def skipped_nonce(venue: Session) -> None:
    """With the attribute skip_nonce a nonce may jump ahead."""
    before = await venue.nonce(venue.b)
    answer = await venue.order(venue.b, venue.coid(), nonce=before + 5, skip_nonce=1)
    assert answer.code == 200
    await venue.executed(answer.body["tx_hash"])
    assert await venue.nonce(venue.b) == before + 6


@case("C005", "docs")
async def same_bytes_twice(venue: Session) -> None:
    """The same signed bytes execute at most once: the second time their nonce is used."""
    nonce, coid = await venue.nonce(venue.a), venue.coid()
    signed = venue.a.client.sign_create_order(
        venue.market,
        coid,
        venue.smallest(venue.far),
        venue.far,
        False,
        LIMIT,
        2,
        nonce=nonce,
        api_key_index=venue.a.key,
    )
    async with venue.orders_of(venue.a) as socket:
        assert (await venue.send(venue.a, signed)).code == 200
        await socket.row(coid, "open")
        again = await venue.send(venue.a, signed)
        assert (again.status, again.code) == (400, 21104)


@case("C006", "inferred")
async def duplicate_client_index(venue: Session) -> None:
    """An open order's client index again: accepted, its nonce consumed, no order and no frame."""
    coid = venue.coid()
    async with venue.orders_of(venue.a) as socket:
        assert (await venue.order(venue.a, coid)).code == 200
        await socket.row(coid, "open")
        before = await venue.nonce(venue.a)
        answer = await venue.order(venue.a, coid, price=venue.far - 10)
        assert answer.code == 200
        tx = await venue.executed(answer.body["tx_hash"])
        assert "21728" in tx["event_info"]
        await socket.nothing_of(coid)
        assert await venue.nonce(venue.a) == before + 1


@case("C007", "run")
async def unknown_key(venue: Session) -> None:
    """The nonce of an account that does not exist is 0 with code 200."""
    answer = await venue.get("nextNonce", account_index=(1 << 46) + 12345, api_key_index=200)
    assert (answer.status, answer.code) in {(200, 200), (400, 21100), (400, 21109)}


# --- orders ---------------------------------------------------------------------------------------------------------


@case("C010", "recorded")
async def post_only_rests(venue: Session) -> None:
    """A post-only order rests: its row is open, with its size, price and indices."""
    coid = venue.coid()
    async with venue.orders_of(venue.a) as socket:
        assert (await venue.order(venue.a, coid)).code == 200
        row = await socket.row(coid, "open")
    assert (row["side"] in ("buy", ""), row["is_ask"], row["time_in_force"]) == (True, False, "post-only")
    assert row["remaining_base_amount"] == row["initial_base_amount"]
    assert row["filled_base_amount"].strip("0.") == ""
    assert row["order_index"] >= 1 << 48
    rows = (await venue.get("accountActiveOrders", auth=venue.a.token(), account_index=venue.a.index,
                            market_id=venue.market)).body["orders"]  # fmt: skip
    assert coid in {one["client_order_index"] for one in rows}


@case("C011", "docs")
async def post_only_crossing(venue: Session) -> None:
    """A post-only order that would cross is cancelled whole, and takes nothing."""
    coid = venue.coid()
    _, ask = await venue.touch()
    async with venue.orders_of(venue.a) as socket:
        price = ask * 1003 // 1000
        assert (await venue.order(venue.a, coid, price=price, base_amount=venue.smallest(price))).code == 200
        row = await socket.row(coid, "canceled-post-only")
    assert row["filled_base_amount"].strip("0.") == ""


@case("C012", "docs")
async def ioc_without_match(venue: Session) -> None:
    """An IOC limit order that meets nobody ends cancelled with nothing filled."""
    coid = venue.coid()
    async with venue.orders_of(venue.a) as socket:
        answer = await venue.order(venue.a, coid, time_in_force=IOC, order_expiry=0)
        assert answer.code == 200
        row = await socket.row(coid, "canceled", "canceled-not-enough-liquidity", "canceled-too-much-slippage")
    assert row["filled_base_amount"].strip("0.") == ""


@case("C013", "docs", meets=True)
async def maker_price(venue: Session) -> None:
    """A market order fills at the price of the order that rests, and both sides hear of one trade."""
    bid, ask = await venue.touch()
    price, rests, takes = (bid + ask) // 2, venue.coid(), venue.coid()
    lots = venue.smallest(price)
    async with venue.orders_of(venue.a) as of_a, venue.orders_of(venue.b) as of_b:
        await of_a.subscribe(f"account_all_trades/{venue.a.index}", venue.a.token())
        assert (await venue.order(venue.a, rests, price=price, base_amount=lots)).code == 200
        await of_a.row(rests, "open")
        answer = await venue.order(
            venue.b, takes, price=bid * 98 // 100, base_amount=lots, is_ask=True,
            order_type=MARKET, time_in_force=IOC, order_expiry=0,
        )  # fmt: skip
        assert answer.code == 200
        made, taken = await of_a.row(rests, "filled"), await of_b.row(takes, "filled")
        assert made["filled_quote_amount"] == taken["filled_quote_amount"]
        frames = [frame for frame in of_a.frames if frame.get("trades")]
        if not frames:
            frames.append(await of_a.until(lambda frame: bool(frame.get("trades")), "the trade"))
    trades = [trade for rows in frames[-1]["trades"].values() for trade in rows]
    assert {trade["bid_client_id"] for trade in trades} == {rests}
    assert {trade["is_maker_ask"] for trade in trades} == {False}


@case("C014", "docs")
async def worst_price(venue: Session) -> None:
    """A market order whose worst price no order reaches fills nothing and says so."""
    coid = venue.coid()
    async with venue.orders_of(venue.a) as socket:
        answer = await venue.order(venue.a, coid, order_type=MARKET, time_in_force=IOC, order_expiry=0)
        assert answer.code == 200
        row = await socket.row(coid, "canceled-too-much-slippage", "canceled-not-enough-liquidity", "canceled")
    assert row["filled_base_amount"].strip("0.") == ""


@case("C015", "issue")
async def reduce_only_without_position(venue: Session) -> None:
    """A reduce-only order without a position comes to nothing: cancelled, refused, or never told of."""
    coid = venue.coid()
    async with venue.orders_of(venue.a) as socket:
        answer = await venue.order(venue.a, coid, reduce_only=True, time_in_force=GTT)
        if answer.code == 200:
            await venue.executed(answer.body["tx_hash"])
        rows = (await venue.get("accountActiveOrders", auth=venue.a.token(), account_index=venue.a.index,
                                market_id=venue.market)).body["orders"]  # fmt: skip
        assert coid not in {one["client_order_index"] for one in rows}
        assert all(row["status"] != "open" for frame in socket.frames for row in rows_of(frame)
                   if row["client_order_index"] == coid)  # fmt: skip


@case("C016", "docs")
async def below_minimum(venue: Session) -> None:
    """An order below the market's minimum is refused with 21706."""
    answer = await venue.order(venue.a, venue.coid(), base_amount=venue.smallest(venue.far) - 1)
    assert (answer.status, answer.code) == (400, 21706)


@case("C017", "docs")
async def accidental_price(venue: Session) -> None:
    """A bid far above the market is refused as an accident."""
    _, ask = await venue.touch()
    price = ask * 3 // 2
    answer = await venue.order(venue.a, venue.coid(), price=price, base_amount=venue.smallest(price), time_in_force=GTT)
    assert (answer.status, answer.code) in {(400, 21733), (400, 21734)}


@case("C018", "docs")
async def unknown_market(venue: Session) -> None:
    """An order for a market that is not there is refused with 21602."""
    nonce = await venue.nonce(venue.a)
    signed = venue.a.client.sign_create_order(
        253, venue.coid(), 1000, venue.far, False, LIMIT, 2, nonce=nonce, api_key_index=venue.a.key
    )
    answer = await venue.send(venue.a, signed)
    assert (answer.status, answer.code) in {(400, 21602), (400, 21605)}


# --- cancels --------------------------------------------------------------------------------------------------------


@case("C020", "run")
async def cancel_by_client_index(venue: Session) -> None:
    """An order is cancelled by its client index as by the venue's."""
    async with venue.orders_of(venue.a) as socket:
        for by_venue in (False, True):
            coid = venue.coid()
            assert (await venue.order(venue.a, coid)).code == 200
            row = await socket.row(coid, "open")
            assert (await venue.cancel(venue.a, row["order_index"] if by_venue else coid)).code == 200
            await socket.row(coid, "canceled")


@case("C021", "recorded")
async def cancel_of_a_dead_order(venue: Session) -> None:
    """A cancel of an order that is not there is acknowledged, executes, and says 21600 or 21715 in its event."""
    answer = await venue.cancel(venue.a, NEVER)
    assert answer.code == 200
    tx = await venue.executed(answer.body["tx_hash"])
    assert "21600" in tx["event_info"] or "21715" in tx["event_info"]


@case("C022", "recorded")
async def cancel_all_at_once(venue: Session) -> None:
    """Cancel-all ends every order of the account, told in one frame."""
    first, second = venue.coid(), venue.coid()
    async with venue.orders_of(venue.a) as socket:
        for coid in (first, second):
            assert (await venue.order(venue.a, coid)).code == 200
            await socket.row(coid, "open")
        assert (await venue.cancel_all(venue.a)).code == 200
        await socket.row(first, "canceled")
        ended = {row["client_order_index"] for row in rows_of(socket.frames[-1])}
        assert {first, second} <= ended


@case("C023", "docs")
async def cancel_all_later(venue: Session) -> None:
    """One scheduled cancel-all at a time, five minutes ahead at least; an abort ends it."""
    now_ms = int(time.time() * 1000)
    await venue.cancel_all(venue.b, 2)
    assert (await venue.cancel_all(venue.b, 1, now_ms + 60_000)).code == 21714
    answer = await venue.cancel_all(venue.b, 1, now_ms + 600_000)
    assert answer.code == 200
    await venue.executed(answer.body["tx_hash"])
    assert (await venue.cancel_all(venue.b, 1, now_ms + 900_000)).code == 21712
    aborted = await venue.cancel_all(venue.b, 2)
    assert aborted.code == 200
    await venue.executed(aborted.body["tx_hash"])
    account = (await venue.get("account", by="index", value=venue.b.index)).body["accounts"][0]
    assert account["cancel_all_time"] == 0


@case("C024", "recorded")
async def modify(venue: Session) -> None:
    """A modified order keeps its client index and shows its new size and price as open."""
    coid, lots = venue.coid(), venue.smallest(venue.far) * 2
    async with venue.orders_of(venue.a) as socket:
        assert (await venue.order(venue.a, coid)).code == 200
        row = await socket.row(coid, "open")
        nonce = await venue.nonce(venue.a)
        signed = venue.a.client.sign_modify_order(
            venue.market, row["order_index"], lots, venue.far - 20, nonce=nonce, api_key_index=venue.a.key
        )
        assert (await venue.send(venue.a, signed)).code == 200
        changed = await socket.until(
            lambda frame: any(one["client_order_index"] == coid and one["price"] != row["price"]
                              for one in rows_of(frame)), "the modified row"
        )  # fmt: skip
    new = next(one for one in rows_of(changed) if one["client_order_index"] == coid)
    assert new["status"] == "open"
    assert float(new["initial_base_amount"]) == 2 * float(row["initial_base_amount"])


# --- tokens and private data ----------------------------------------------------------------------------------------


@case("C030", "recorded")
async def private_channel_needs_a_token(venue: Session) -> None:
    """A private channel without a token is an error, and the socket stays open."""
    async with venue.socket() as socket:
        await socket.ask(type="subscribe", channel=f"account_all_orders/{venue.a.index}")
        assert await socket.error() in (20001, 20013)
        await socket.subscribe(f"order_book/{venue.market}")


@case("C031", "docs")
async def expired_token(venue: Session) -> None:
    """A token whose deadline has passed opens nothing."""
    old = venue.a.token(60, now=int(time.time()) - 3600)
    answer = await venue.get("accountActiveOrders", auth=old, account_index=venue.a.index, market_id=venue.market)
    assert (answer.status, answer.code) in {(400, 20013), (401, 20013), (400, 20001), (403, 20013)}


@case("C032", "docs")
async def token_of_another_account(venue: Session) -> None:
    """A token opens its own account only."""
    answer = await venue.get(
        "accountActiveOrders", auth=venue.b.token(), account_index=venue.a.index, market_id=venue.market
    )
    assert answer.status >= 400
    assert answer.code != 200


@case("C033", "recorded")
async def private_read_needs_a_token(venue: Session) -> None:
    """A private read without a token is an error in JSON."""
    answer = await venue.get("accountActiveOrders", account_index=venue.a.index, market_id=venue.market)
    assert (answer.status, answer.code) == (400, 20001)


# --- WebSocket ------------------------------------------------------------------------------------------------------


@case("C040", "run")
async def greeting(venue: Session) -> None:
    """The server speaks first: a session id and the type connected."""
    async with venue.http.ws_connect(venue.ws_url) as raw:
        frame = await raw.receive_json(timeout=8)
    assert frame["type"] == "connected"
    assert frame["session_id"]


@case("C041", "docs")
async def subscribed_twice(venue: Session) -> None:
    """A second subscription to a channel is error 30003."""
    async with venue.socket() as socket:
        await socket.subscribe(f"order_book/{venue.market}")
        await socket.ask(type="subscribe", channel=f"order_book/{venue.market}")
        assert await socket.error() == 30003


@case("C042", "docs")
async def unknown_channel(venue: Session) -> None:
    """A channel that is not there is error 30005."""
    async with venue.socket() as socket:
        await socket.ask(type="subscribe", channel="nothing/1")
        assert await socket.error() == 30005


@case("C043", "run")
async def ping(venue: Session) -> None:
    """A ping is answered with a pong."""
    async with venue.socket() as socket:
        await socket.ask(type="ping")
        await socket.of_type("pong")


@case("C044", "docs")
async def no_json(venue: Session) -> None:
    """What is no JSON is error 30000."""
    async with venue.socket() as socket:
        await socket.raw.send_str("{")
        assert await socket.error() == 30000


@case("C045", "docs")
async def unsubscribe(venue: Session) -> None:
    """After unsubscribing the channel can be subscribed to again, with a new snapshot."""
    async with venue.socket() as socket:
        channel = f"order_book/{venue.market}"
        await socket.subscribe(channel)
        await socket.ask(type="unsubscribe", channel=channel)
        await socket.of_type("unsubscribed")
        await socket.subscribe(channel)


@case("C046", "recorded")
async def book_chain(venue: Session) -> None:
    """A book begins with a snapshot whose begin_nonce is 0; each update begins where the last one ended."""
    async with venue.socket() as socket:
        frame = await socket.subscribe(f"order_book/{venue.market}")
        assert frame["order_book"]["begin_nonce"] == 0
        last = frame["order_book"]["nonce"]
        for _ in range(3):
            if venue.quiet:
                await venue.order(venue.b, venue.coid(), price=venue.far - last % 7)
            frame = await socket.of_type("update/order_book")
            assert frame["order_book"]["begin_nonce"] == last
            last = frame["order_book"]["nonce"]


@case("C047", "docs")
async def sending_over_the_socket(venue: Session) -> None:
    """A transaction over the socket is answered by a frame of the same type with its id, code and hash."""
    nonce = await venue.nonce(venue.a)
    tx_type, tx_info, tx_hash, error = venue.a.client.sign_create_order(
        venue.market, venue.coid(), venue.smallest(venue.far), venue.far, False, LIMIT, 2,
        nonce=nonce, api_key_index=venue.a.key,
    )  # fmt: skip
    assert error is None
    async with venue.socket() as socket:
        data = f'{{"id":"x1","tx_type":{tx_type},"tx_info":{tx_info}}}'
        await socket.raw.send_str(f'{{"type":"jsonapi/sendtx","data":{data}}}')
        reply = await socket.of_type("jsonapi/sendtx")
    assert (reply["id"], reply["code"], reply["tx_hash"]) == ("x1", 200, tx_hash)


# --- reads ----------------------------------------------------------------------------------------------------------


@case("C050", "docs")
async def unknown_account(venue: Session) -> None:
    """An account that is not there is error 21100."""
    answer = await venue.get("account", by="index", value=(1 << 46) + 12345)
    assert (answer.status, answer.code) == (400, 21100)


@case("C051", "recorded")
async def bad_parameter(venue: Session) -> None:
    """A parameter that is missing is error 20001 in JSON."""
    answer = await venue.get("orderBookOrders", limit=1)
    assert (answer.status, answer.code) == (400, 20001)


@case("C052", "recorded")
async def single_orders(venue: Session) -> None:
    """orderBookOrders tells single orders, not levels."""
    body = (await venue.get("orderBookOrders", market_id=venue.market, limit=5)).body
    for row in (*body["asks"], *body["bids"]):
        assert {"order_index", "owner_account_index", "remaining_base_amount", "price"} <= set(row)
    assert (body["total_asks"], body["total_bids"]) == (len(body["asks"]), len(body["bids"]))


@case("C053", "docs")
async def known_by_hash(venue: Session) -> None:
    """A transaction can be read by the hash that the signer computed itself."""
    nonce = await venue.nonce(venue.a)
    signed = venue.a.client.sign_create_order(
        venue.market, venue.coid(), venue.smallest(venue.far), venue.far, False, LIMIT, 2,
        nonce=nonce, api_key_index=venue.a.key,
    )  # fmt: skip
    answer = await venue.send(venue.a, signed)
    assert answer.body["tx_hash"] == signed[2]
    tx = await venue.executed(signed[2])
    assert (tx["nonce"], tx["account_index"], tx["api_key_index"]) == (nonce, venue.a.index, venue.a.key)


@case("C054", "docs")
async def orders_by_client_index(venue: Session) -> None:
    """accountOrders finds orders, open and ended, by their client indices."""
    open_one, ended = venue.coid(), venue.coid()
    async with venue.orders_of(venue.a) as socket:
        for coid in (open_one, ended):
            assert (await venue.order(venue.a, coid)).code == 200
            await socket.row(coid, "open")
        assert (await venue.cancel(venue.a, ended)).code == 200
        await socket.row(ended, "canceled")
    body = (await venue.get("accountOrders", auth=venue.a.token(), account_index=venue.a.index,
                            client_order_indexes=f"{open_one},{ended}")).body  # fmt: skip
    found = {row["client_order_index"]: row["status"] for row in body["orders"]}
    assert found == {open_one: "open", ended: "canceled"}
