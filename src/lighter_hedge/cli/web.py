"""``web``: where the page is; where none runs, the page itself."""

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


@guarded
def web(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    desk: DeskOption = None,
    json_: JsonOption = False,
) -> None:
    """Print the address of the desk's page; where none runs, serve it here until Ctrl-C."""
    from lighter_hedge.ops.page import page_address

    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), desk=desk, quiet=json_)
    address = page_address(settings.run_dir)
    if address and json_:
        result_json({"url": address})
    elif address:
        result(address)
    else:
        from lighter_hedge.processes.web import run_web

        note("no page runs for this desk: serving it here; Ctrl-C ends it, and nothing else")
        run_web(settings)
