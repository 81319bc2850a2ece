"""``orders``: what A and B have resting at the venue."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lighter_hedge.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    CredentialsOption,
    DeskOption,
    JsonOption,
    MarketOption,
    guarded,
    note,
    overrides_of,
    result,
    result_json,
    settings_of,
)
from lighter_hedge.ops.exit_codes import ExitCode, OpsError

if TYPE_CHECKING:
    from lighter_hedge.domain.states import Role
    from lighter_hedge.ops.keyed import Resting


@guarded
def orders(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    desk: DeskOption = None,
    json_: JsonOption = False,
) -> None:
    """Print the orders of A and B that rest at the venue; of the accounts whose key is here."""
    from lighter_hedge.domain.states import Role
    from lighter_hedge.ops.keyed import resting_orders

    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), desk=desk, quiet=json_)
    held = [role for role in Role if settings.account(role).private_key.get_secret_value()]
    if not held:
        remedy = "set LIGHTER_HEDGE_ACCOUNT_A_PRIVATE_KEY or LIGHTER_HEDGE_ACCOUNT_B_PRIVATE_KEY"
        raise OpsError(ExitCode.CONFIGURATION, "orders are private, and no private key is here", remedy)
    for role in Role:
        if role not in held:
            note(f"account {role.letter}: its key is not here, so its orders are not known")
    found = asyncio.run(resting_orders(settings, held))
    if json_:
        result_json(_json(settings.desk.market, found))
        return
    for role, rows in found.items():
        for each in rows:
            size = f"{each.size} at {each.price}  filled {each.filled}"
            result(f"{role.letter}  {each.side:<4}  {size}  order {each.order_index}")
        if not rows:
            result(f"{role.letter}  nothing rests")


def _json(market: str, found: "Mapping[Role, list[Resting]]") -> dict[str, Any]:
    rows = {f"account_{role.letter.lower()}": [dataclasses.asdict(each) for each in of] for role, of in found.items()}
    return {"market": market} | rows
