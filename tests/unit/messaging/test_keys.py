"""The names that must hold."""

from lighter_hedge.domain.states import DeskId, Role
from lighter_hedge.messaging import keys
from lighter_hedge.messaging.keys import CHANNELS, DeskKeys, fill_channel

BTC = DeskKeys(desk=DeskId(pair="a_b", market="BTC"))
ETH = DeskKeys(desk=DeskId(pair="a_b", market="ETH"))


def test_channels_are_the_users_own() -> None:
    assert CHANNELS == ("hedge:account_a_filled", "hedge:account_b_filled", "hedge:account_b_hedge_failed")
    assert fill_channel(Role.MAKER) == "hedge:account_a_filled"
    assert fill_channel(Role.HEDGER) == "hedge:account_b_filled"


def all_keys(desk: DeskKeys) -> set[str]:
    return {desk.state(Role.MAKER), desk.state(Role.HEDGER), desk.commands, desk.uuid}


def test_desks_share_no_key() -> None:
    assert len(all_keys(BTC) | all_keys(ETH)) == 8


def test_one_pattern_covers_a_desk_and_no_channel() -> None:
    """So that an access list can name the desk in one word."""
    assert all(key.startswith("h:a_b:BTC:") for key in all_keys(BTC))
    assert not any(channel.startswith("h:") for channel in CHANNELS)


def test_every_key_stands_in_the_table() -> None:
    assert keys.__doc__ is not None
    for key in all_keys(DeskKeys(desk=DeskId(pair="{desk", market="}"))):
        assert key.replace("{desk:}", "{desk}") in keys.__doc__
    for channel in CHANNELS:
        assert channel in keys.__doc__
