"""Commands are plain records: two that ask for the same are equal."""

import dataclasses
from typing import get_args

import pytest
from tests.unit.domain.builders import candidate

from lighter_hedge.domain import commands


@pytest.mark.parametrize("kind", [*get_args(commands.Command), *get_args(commands.Entry)], ids=lambda k: k.__name__)
def test_every_command_and_entry_is_a_frozen_record(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(kind)


def test_commands_that_ask_for_the_same_are_equal() -> None:
    assert commands.Send(candidate=candidate()) == commands.Send(candidate=candidate())
    assert commands.ReadTx(tx_hash="a") != commands.ReadTx(tx_hash="b")
