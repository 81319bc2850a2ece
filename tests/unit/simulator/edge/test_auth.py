import pytest
from tests.unit.simulator.own_signer import public_key_of, token_of
from tests.unit.simulator.paper_world import START_US, A, B, World, make_world

from lighter_hedge.simulator.core.accounts import ApiToken
from lighter_hedge.simulator.edge.auth import AuthError, check_token, holder_of

NOW = START_US // 1_000_000
HEX = "ab" * 80


@pytest.mark.parametrize(
    "token",
    [
        f"{NOW + 1}:{A}:4:{HEX}",
        f"{NOW + 8 * 3600}:{A}:5:{HEX}",
    ],
)
def test_a_good_token_opens_its_account(token: str) -> None:
    check_token(make_world().exchange, token, A, START_US)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("x", "invalid format"),
        (f"a:{A}:4:{HEX}", "invalid format"),
        (f"{NOW}:{A}:4:{HEX}", "invalid deadline"),
        (f"{NOW + 8 * 3600 + 1}:{A}:4:{HEX}", "invalid deadline"),
        (f"{NOW + 1}:{B}:4:{HEX}", "invalid account index"),
        (f"{NOW + 1}:{A}:9:{HEX}", "api key not found"),
        (f"ro:{A}:single:{NOW}:{HEX}", "invalid deadline"),
        (f"ro:{B}:single:{NOW + 1}:{HEX}", "invalid account index"),
        (f"ro:9:all:{NOW + 1}:{HEX}", "invalid account index"),
        (f"ro:{A}:single:{HEX}", "invalid format"),
        (f"ro:{A}:single:{NOW + 1}:{HEX}", "unknown token"),
    ],
)
def test_a_bad_token_is_refused_without_repeating_it(token: str, why: str) -> None:
    with pytest.raises(AuthError) as caught:
        check_token(make_world().exchange, token, A, START_US)
    assert caught.value.message == f"invalid auth: {why}"
    assert caught.value.code == 20013


def test_a_read_only_token_of_another_wallet_opens_nothing() -> None:
    world = make_world(wallets=("0x1", "0x2"))
    with pytest.raises(AuthError):
        check_token(world.exchange, f"ro:{B}:all:{NOW + 1}:{HEX}", A, START_US)


def test_a_revoked_key_closes_its_tokens() -> None:
    world = make_world()
    world.fault(kind="key_revoked", account="a")
    with pytest.raises(AuthError):
        check_token(world.exchange, f"{NOW + 1}:{A}:4:{HEX}", A, START_US)


def test_the_holder_is_read_without_checking() -> None:
    assert holder_of(f"1:{A}:4:{HEX}") == A
    assert holder_of(f"ro:{A}:all:1:{HEX}") == A
    assert holder_of("nonsense") is None


def given(world: World, account: int, kind: str) -> ApiToken:
    """A read-only token that the exchange has given out."""
    text = f"ro:{account}:{kind}:{NOW + 99999}:{HEX}"
    made = ApiToken(token_id=1, text=text, name="r", expiry_s=NOW + 99999, sub_account_access=kind == "all", scopes="")
    world.account(account).tokens.append(made)
    return made


@pytest.mark.parametrize(("account", "kind"), [(A, "single"), (A, "all"), (B, "all")])
def test_a_read_only_token_opens_what_reads_and_nothing_that_writes(account: int, kind: str) -> None:
    world = make_world()
    text = given(world, account, kind).text
    check_token(world.exchange, text, A, START_US, verify=True)
    with pytest.raises(AuthError, match="read-only token"):
        check_token(world.exchange, text, A, START_US, writes=True)


def test_a_read_only_token_with_another_signature_is_none_of_ours() -> None:
    world = make_world()
    text = given(world, A, "single").text
    with pytest.raises(AuthError, match="unknown token"):
        check_token(world.exchange, text[:-1] + "0", A, START_US)


def test_a_revoked_token_opens_nothing() -> None:
    world = make_world()
    made = given(world, A, "all")
    check_token(world.exchange, made.text, B, START_US)
    made.revoked = True
    with pytest.raises(AuthError, match="token revoked"):
        check_token(world.exchange, made.text, B, START_US)


def test_expired_tokens_as_a_fault() -> None:
    world = make_world()
    world.fault(kind="token_expired", account="a")
    with pytest.raises(AuthError, match="invalid deadline"):
        check_token(world.exchange, f"{NOW + 1}:{A}:4:{HEX}", A, START_US)
    check_token(world.exchange, f"{NOW + 1}:{B}:4:{HEX}", B, START_US)


def test_on_demand_a_token_must_be_signed_by_its_key() -> None:
    world = make_world()
    world.exchange.state.accounts[A].keys[4].public_key = public_key_of(11).hex()
    message = f"{NOW + 1}:{A}:4"
    check_token(world.exchange, token_of(11, message), A, START_US, verify=True)
    for wrong in (token_of(12, message), f"{message}:{HEX}", f"{message}:", token_of(11, f"{NOW + 2}:{A}:4")):
        forged = f"{message}:{wrong.rpartition(':')[2]}"
        check_token(world.exchange, forged, A, START_US)
        with pytest.raises(AuthError, match="invalid signature"):
            check_token(world.exchange, forged, A, START_US, verify=True)
