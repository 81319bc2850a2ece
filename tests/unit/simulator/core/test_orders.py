from lighter_hedge.simulator.core.orders import OrderStatus, OrderType, TimeInForce, Trade, TradeSide


def test_every_status_has_its_venue_number() -> None:
    codes = [status.code for status in OrderStatus]
    assert len(set(codes)) == len(codes)
    assert (OrderStatus.OPEN.code, OrderStatus.CANCELED_EXPIRED.code) == (2, 12)


def test_words_are_the_venues() -> None:
    assert [one.word for one in TimeInForce] == ["immediate-or-cancel", "good-till-time", "post-only"]
    assert [one.word for one in OrderType] == [
        "limit",
        "market",
        "stop-loss",
        "stop-loss-limit",
        "take-profit",
        "take-profit-limit",
        "liquidation",
    ]


def test_the_sides_of_a_trade() -> None:
    maker = TradeSide(account_index=1, order_index=10, client_order_index=0)
    taker = TradeSide(account_index=2, order_index=20, client_order_index=0)
    for is_maker_ask, ask, bid in ((True, maker, taker), (False, taker, maker)):
        trade = Trade(
            trade_id=1,
            market_index=1,
            price_ticks=1,
            lots=1,
            quote=1,
            maker=maker,
            taker=taker,
            is_maker_ask=is_maker_ask,
            time_us=0,
            height=0,
        )
        assert (trade.ask, trade.bid) == (ask, bid)
        assert trade.of(1)
        assert not trade.of(3)
