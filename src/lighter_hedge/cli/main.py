"""The command ``lighter-hedge``. Every command lives in a file of its group; heavy imports happen inside commands."""

import typer

from lighter_hedge import __version__
from lighter_hedge.cli import (
    config,
    demo,
    desk,
    doctor,
    events,
    init,
    logs,
    notify,
    operate,
    orders,
    paper,
    record,
    watch,
    web,
)
from lighter_hedge.cli.common import JsonOption, result, result_json

app = typer.Typer(
    name="lighter-hedge",
    help="A delta-neutral desk on Lighter: account A rests quotes, account B hedges every fill exactly once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half a second less to wait for it
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("doctor")(doctor.doctor)
app.command("up")(desk.up)
app.command("down")(desk.down)
app.command("status")(watch.status)
app.command("positions")(watch.positions)
app.command("orders")(orders.orders)
app.command("events")(events.events)
app.command("logs")(logs.logs)
app.command("web")(web.web)
app.command("pause")(operate.pause)
app.command("resume")(operate.resume)
app.command("drain")(operate.drain)
app.command("clear")(operate.clear)
app.command("paper")(paper.paper)
app.command("record")(record.record)
app.add_typer(config.app, name="config")
app.add_typer(notify.app, name="notify")
app.command("run", hidden=True)(desk.run)
app.command("supervise", hidden=True)(desk.supervise)


@app.command("version")
def version(json_: JsonOption = False) -> None:
    """Print the version."""
    if json_:
        result_json({"version": __version__})
    else:
        result(f"lighter-hedge {__version__}")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
