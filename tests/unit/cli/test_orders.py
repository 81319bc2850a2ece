import json
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Invoke

from lighter_hedge.config import Settings
from lighter_hedge.domain.states import Role
from lighter_hedge.ops import keyed
from lighter_hedge.ops.keyed import Resting

ORDER = Resting(side="buy", price="100.0", size="0.00020", filled="0.00000", order_index=7, client_order_index=9)


@pytest.fixture(autouse=True)
def _resting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(settings: Settings, roles: Collection[Role]) -> Mapping[Role, list[Resting]]:
        return {role: [ORDER] if role is Role.MAKER else [] for role in roles}

    monkeypatch.setattr(keyed, "resting_orders", found)


def test_orders_of_both(folder: Path, invoke: Invoke) -> None:
    done = invoke("orders")
    assert done.stdout == "A  buy   0.00020 at 100.0  filled 0.00000  order 7\nB  nothing rests\n"
    body = json.loads(invoke("orders", "--json").stdout)
    assert (body["market"], body["account_a"][0]["client_order_index"], body["account_b"]) == ("BTC", 9, [])


def test_an_account_whose_key_is_elsewhere_is_not_known(
    folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIGHTER_HEDGE_ACCOUNT_B_PRIVATE_KEY")
    done = invoke("orders")
    assert "account B: its key is not here" in done.stderr
    assert "B" not in done.stdout
    monkeypatch.delenv("LIGHTER_HEDGE_ACCOUNT_A_PRIVATE_KEY")
    assert invoke("orders").exit_code == 3
