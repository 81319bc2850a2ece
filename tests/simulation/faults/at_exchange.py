"""What goes wrong at the exchange, in the market, and with the accounts."""

from tests.simulation.market import LOTS
from tests.simulation.sim_server import ACCOUNTS, API_KEY, BTC
from tests.simulation.stage import Stage

from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.effects import positions_changed

SURELY_NO_FILL = 150
"""Lots: no quote is as large."""
REFUSALS = (21701, 21600, 21733, 21734, 21508, 21739, 21706, 21603, 21605, 29500)


def partial_fill(stage: Stage) -> str:
    return stage.arm(
        "part_fill",
        Role.MAKER,
        lots=stage.rng.randint(1, stage.truth.desk.quantity - 1),
        delay_ms=stage.rng.choice((0, 50, 300)),
        seconds=5,
    )


def two_trades(stage: Stage) -> str:
    stage.arm("two_trades", Role.MAKER, seconds=5)
    return stage.arm("fill_now", Role.MAKER, seconds=5, count=1, delay_ms=stage.rng.choice((0, 1, 50)))


def cancel_race(stage: Stage) -> str:
    return stage.arm("cancel_race", Role.MAKER, seconds=5)


def late_fill(stage: Stage) -> str | None:
    """Once a world: a venue that takes back two ends of orders can make any hedge wrong."""
    if stage.truth.late_lots or any(kind == "late_fill" for kind, _ in stage.armed):
        return None
    return stage.arm("late_fill", Role.MAKER, delay_ms=stage.rng.choice((10, 200, 1500)), count=1)


def answer_lost(stage: Stage) -> str:
    return stage.arm("lose_answer", stage.side(), seconds=5)


def refused(stage: Stage) -> str:
    return stage.arm(
        "reject", stage.side(), code=stage.rng.choice(REFUSALS), count=stage.rng.choice((1, 1, 3)), seconds=3
    )


def history_lag(stage: Stage) -> str:
    lag_ms = stage.truth.desk.read_lag_ms
    return stage.arm(
        "history_lag",
        stage.side(),
        seconds=lag_ms / 1000 * stage.rng.choice((0.2, 0.8)),
        for_seconds=stage.rng.choice((2, 8)),
    )


def account_error(stage: Stage) -> str:
    return stage.arm("account_error", stage.side(), seconds=stage.rng.choice((1, 5)))


def duplicate_frames(stage: Stage) -> str:
    return stage.arm("duplicate_frames", stage.side(), seconds=5)


def disconnect(stage: Stage) -> str:
    return stage.arm("disconnect", stage.side())


def halted(stage: Stage) -> str:
    return stage.arm("halted", None, seconds=stage.rng.choice((1, 1, 5, 20)))


def key_revoked(stage: Stage) -> str:
    return stage.arm("key_revoked", Role.HEDGER, api_key_index=API_KEY, seconds=stage.rng.choice((2, 10)))


def outage(stage: Stage) -> str:
    """The whole exchange is away for everybody."""
    seconds = stage.rng.choice((0.5, 1.0, 6.0, 25.0))
    venues = [process.venue for process in stage.world.everybody()]
    if stage.world.monitor is not None:
        venues.append(stage.world.monitor.venue)
    for venue in venues:
        venue.cut = True
        venue.drop()

    def back() -> None:
        for venue in venues:
            venue.cut = False

    stage.later(seconds, back)
    return f"{seconds} s"


def no_margin(stage: Stage) -> str:
    """The account has little left, for a while."""
    role = stage.side()
    account = stage.world.server.account(role)
    taken = account.collateral - stage.rng.choice((0, 100_000, 1_500_000))
    if taken <= 0:
        return "already poor"
    account.collateral -= taken
    _say_balance(stage, role)

    def back() -> None:
        account.collateral += taken
        _say_balance(stage, role)

    stage.later(stage.rng.choice((1.0, 6.0)), back)
    return role.letter


def funding(stage: Stage) -> str:
    """Funding and fees move the balance, and nothing else."""
    role = stage.side()
    stage.world.server.account(role).collateral += stage.rng.randint(-900_000, 900_000)
    _say_balance(stage, role)
    return role.letter


def price_step(stage: Stage) -> str:
    """A move of a few ticks: quotes are crossed, or refused as post-only, or drift."""
    ticks = stage.rng.choice((-1, 1)) * stage.rng.randint(5, 120)
    stage.market.move(stage.world.server, ticks)
    return f"{ticks} ticks"


def price_jump(stage: Stage) -> str:
    """A move beyond the caps."""
    ticks = stage.rng.choice((-1, 1)) * int(stage.market.mid * stage.rng.choice((0.003, 0.01, 0.04)))
    stage.market.move(stage.world.server, ticks)
    return f"{ticks} ticks"


def thin_book(stage: Stage) -> str:
    """Little on each level, for a while: hedges fill in part."""
    stage.market.lots = stage.rng.choice((1, 3, 8))
    stage.market.show(stage.world.server)

    def back() -> None:
        stage.market.lots = LOTS

    stage.later(stage.rng.choice((0.5, 3.0)), back)
    return f"{stage.market.lots} lots a level"


def empty_book(stage: Stage) -> str:
    """Nothing at all on one side, for a while."""
    side = stage.rng.choice((Side.BID, Side.ASK))
    stage.market.sides = (side,)
    stage.market.show(stage.world.server)

    def back() -> None:
        stage.market.sides = (Side.BID, Side.ASK)

    stage.later(stage.rng.choice((0.5, 3.0)), back)
    return f"only {side.value}s"


def forced_trade(stage: Stage) -> str:
    """Liquidation, deleveraging or settlement: the exchange trades for the account."""
    role, server = stage.side(), stage.world.server
    kind = stage.rng.choice(("liquidation", "deleverage", "market-settlement"))
    now_us = server.venue.step()
    held = server.account(role).position(BTC).lots
    side = Side.of_sign(-held) if held else stage.rng.choice((Side.BID, Side.ASK))
    lots = stage.rng.randint(1, abs(held) or 10)
    pushes = server.exchange.force_trade(ACCOUNTS[role], BTC.market_index, side, lots, kind, now_us)
    server.venue.publish(pushes, now_us)
    return f"{kind} {role.letter} {side.word} {lots}"


def manual_trade(stage: Stage) -> str:
    """The user trades on one of the desk's accounts."""
    role, is_ask, lots = stage.side(), stage.rng.random() < 0.5, stage.rng.randint(10, 30)
    price = stage.market.mid * (99 if is_ask else 101) // 100
    stage.world.server.by_hand(role, is_ask=is_ask, lots=lots, price=price)
    return f"{role.letter} {'sells' if is_ask else 'buys'} {lots}"


def transfer(stage: Stage) -> str:
    """A position changes without any trade.

    Not so that it looks like a fill of A's newest quote: should A fall silent before it has said how that ended, B can
    only take it for one, as ``Core.attribute_unseen_fills`` says.
    """
    role, server = stage.side(), stage.world.server
    position = server.account(role).position(BTC)
    lots = stage.rng.choice((-177, 154, 190, -45, -20, 12, 20, 31))
    if role is Role.MAKER and stage.truth.announced and abs(lots) < SURELY_NO_FILL:
        announce, _ = next(reversed(stage.truth.announced.values()))
        lots = -announce.side.sign * abs(lots)
    now_us = server.venue.step()
    position.lots += lots
    server.venue.publish([positions_changed(server.exchange.state, ACCOUNTS[role], (BTC.market_index,))], now_us)
    return f"{role.letter} {lots:+d}"


def _say_balance(stage: Stage, role: Role) -> None:
    server = stage.world.server
    now_us = server.venue.step()
    server.venue.publish([positions_changed(server.exchange.state, ACCOUNTS[role], (BTC.market_index,))], now_us)


def poor(stage: Stage) -> str | None:
    """B has next to nothing left, for a good while."""
    account = stage.world.server.account(Role.HEDGER)
    taken = account.collateral - 200_000
    if taken <= 0:
        return None
    account.collateral -= taken

    def back() -> None:
        account.collateral += taken

    stage.later(stage.rng.uniform(15.0, 30.0), back)
    return "B"


KINDS = {
    "partial_fill": (partial_fill, 6.0, "H1 H8 H13 E3 E7 E8 E16 E18"),
    "two_trades": (two_trades, 2.0, "H4 E3"),
    "cancel_race": (cancel_race, 3.0, "H1 E18"),
    "late_fill": (late_fill, 1.0, "H2"),
    "answer_lost": (answer_lost, 3.0, "H6 H10 E2"),
    "refused": (refused, 2.0, "H7 H9 H11 H13 H29 H37 E20"),
    "history_lag": (history_lag, 2.0, "H39 E2 E6 E25"),
    "account_error": (account_error, 1.0, "H5 E19 E25"),
    "duplicate_frames": (duplicate_frames, 3.0, "H4 H17"),
    "disconnect": (disconnect, 2.0, "H5 H36"),
    "halted": (halted, 0.4, "H29 E20"),
    "key_revoked": (key_revoked, 0.3, "H36 E11"),
    "outage": (outage, 0.3, "H29 H40"),
    "no_margin": (no_margin, 0.7, "H9 H11 E15"),
    "funding": (funding, 2.0, "H32"),
    "price_step": (price_step, 5.0, "H34 E18"),
    "price_jump": (price_jump, 0.7, "H9 H37 E20"),
    "thin_book": (thin_book, 1.5, "H8 H9 H13"),
    "empty_book": (empty_book, 0.6, "H9 H12"),
    "forced_trade": (forced_trade, 0.25, "H30"),
    "manual_trade": (manual_trade, 0.25, "H31"),
    "transfer": (transfer, 0.2, "H30 E25"),
    "poor": (poor, 0.2, "H11"),
}
