from tests.unit.simulator.own_signer import public_key_of, token_of
from tests.unit.simulator.paper_world import A, B, make_world
from tests.unit.simulator.rest_asking import asked, code_of, token, venue_of

from lighter_hedge.simulator.edge.rest.context import Context


def test_a_market_must_be_one_of_this_exchange() -> None:
    context = Context(venue_of(make_world()))
    assert context.market(asked(market_id=1)) == 1
    assert [context.market_or_none(asked(market_id=one)) for one in (0, 255)] == [0, None]
    assert context.market_or_none(asked()) is None
    assert code_of(lambda: context.market(asked(market_id=9))) == 21602
    assert code_of(lambda: context.market(asked())) == 20001
    assert code_of(lambda: context.market_or_none(asked(market_id=9))) == 21602


def test_an_account_of_ones_own_needs_its_token() -> None:
    world = make_world()
    context = Context(venue_of(world))
    own = asked(token(world, A), account_index=A)
    assert context.own_account(own).account_index == A
    assert context.holder(asked(token(world, B))).account_index == B
    assert code_of(lambda: context.own_account(asked(account_index=A))) == 20001
    assert code_of(lambda: context.own_account(asked(account_index=7))) == 21100
    assert code_of(lambda: context.own_account(asked(token(world, B), account_index=A)), status=401) == 20013
    assert code_of(lambda: context.own_account(asked("junk", account_index=A)), status=401) == 20013
    assert code_of(lambda: context.holder(asked())) == 20001
    for bad in ("junk", token(world, 7), token(world, A, seconds=-1)):
        assert code_of(lambda bad=bad: context.holder(asked(bad)), status=401) == 20013  # type: ignore[misc]


def test_a_wallet_is_opened_by_any_of_its_accounts() -> None:
    world = make_world(wallets=("0xw", "0xv"))
    context = Context(venue_of(world))
    assert context.own_wallet(asked(token(world, A), l1_address="0xW")) == "0xW"
    assert code_of(lambda: context.own_wallet(asked(token(world, B), l1_address="0xw")), status=401) == 20013
    assert code_of(lambda: context.own_wallet(asked(token(world, B)))) == 20001


def test_accounts_are_found_by_index_and_by_wallet() -> None:
    context = Context(venue_of(make_world()))
    assert [one.account_index for one in context.accounts_by(asked(by="index", value=A))] == [A]
    assert [one.account_index for one in context.accounts_by(asked(by="l1_address", value="0xW"))] == [A, B]
    assert code_of(lambda: context.accounts_by(asked(by="index", value=7))) == 21100
    assert code_of(lambda: context.accounts_by(asked(by="l1_address", value="0x9"))) == 21100
    assert code_of(lambda: context.accounts_by(asked(by="name", value="a"))) == 20001
    assert code_of(lambda: context.accounts_by(asked(by="index", value="a"))) == 20001


def test_on_demand_a_token_must_be_signed() -> None:
    world = make_world()
    world.exchange.state.accounts[A].keys[4].public_key = public_key_of(11).hex()
    context = Context(venue_of(world, verify_signatures=True))
    signed = token_of(11, token(world, A).rpartition(":")[0])
    assert context.own_account(asked(signed, account_index=A)).account_index == A
    assert code_of(lambda: context.own_account(asked(token(world, A), account_index=A)), status=401) == 20013
