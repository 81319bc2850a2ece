"""Every word that the page shows, in the language of who looks. The script asks for them by the English text."""

from lighter_hedge.language import LANGUAGES, catalogue


def _(text: str) -> str:
    """Marks a text for the catalogue."""
    return text


TEXTS = (
    _("A + B"),
    _("A + B is checked against the exchange by A, B and the monitor; what is shown is what A and B say."),
    _("Accounts"),
    _("Cancel"),
    _("Clear"),
    _("Code"),
    _("Commands"),
    _("Cost per 10,000 USD"),
    _("Current round"),
    _("Desk is not running. Start it: lighter-hedge up"),
    _("Drain"),
    _("Entry"),
    _("Events"),
    _("Exposure"),
    _("Free collateral"),
    _("Hedge latency"),
    _("Last hedge"),
    _("Level"),
    _("Live desk: real money"),
    _("Net exposure"),
    _("No data from account {who} for {age}"),
    _("No event yet."),
    _("No hedge yet."),
    _("No round yet."),
    _("Open orders"),
    _("Pause"),
    _("Position"),
    _("Process"),
    _("Quote"),
    _("Redis does not answer"),
    _("Resume"),
    _("Round"),
    _("Rounds"),
    _("Rounds hedged"),
    _("Side"),
    _("Sign in"),
    _("Since this page began"),
    _("Skip to the content"),
    _("Slippage cost"),
    _("Source"),
    _("State"),
    _("Text"),
    _("The page's server does not answer; last data {age} ago"),
    _("This page only shows."),
    _("Time"),
    _("Token"),
    _("Type {word} to confirm"),
    _("Unrealized PnL"),
    _("Unresolved"),
    _("Volume, A + B"),
    _("acknowledged by A and B"),
    _("acknowledged by {who}"),
    _("age of the data"),
    _("armed"),
    _("attempt {n}"),
    _("buy"),
    _("cancels every order, closes both positions at the market, then pauses"),
    _("close"),
    _("closes what is open, opens nothing more, then pauses; hedging goes on"),
    _("covers {n} quotes"),
    _("custom"),
    _("debug and above"),
    _("draining"),
    _("ends the pause; refused while exposure is open"),
    _("error and above"),
    _("failed"),
    _("fill came in"),
    _("fill told"),
    _("filled"),
    _("hedge decided"),
    _("hedge filled"),
    _("hedge leaves"),
    _("hedge sent"),
    _("hedged"),
    _("hedging"),
    _("info and above"),
    _("last {n} hedges"),
    _("let B try again what is missing"),
    _("limit {seconds} s"),
    _("live"),
    _("never heard"),
    _("news at B"),
    _("not armed"),
    _("open"),
    _("opens nothing more; what is open stays hedged"),
    _("paper"),
    _("paused"),
    _("quote"),
    _("ready"),
    _("recovering"),
    _("residual {size}, waits for the next hedge"),
    _("rested"),
    _("round {n}"),
    _("running"),
    _("sell"),
    _("sending"),
    _("sent, waiting for A and B"),
    _("since {age}"),
    _("since {time}, before fees and funding"),
    _("slippage {bps} bps"),
    _("stopped"),
    _("testnet"),
    _("to hedge filled"),
    _("to hedge sent"),
    _("unhedged"),
    _("unknown"),
    _("up for {age}"),
    _("venue answered"),
    _("verified flat"),
    _("waits: {why}"),
    _("warning and above"),
    _("wrong token"),
)


def texts_in(language: str) -> dict[str, str]:
    """English text to the text in ``language``, one of ``LANGUAGES``."""
    spoken = catalogue(language)
    return {text: spoken.gettext(text) for text in TEXTS}


def language_of(asked: str, cookie: str, accepted: str) -> str:
    """The language to show: what the address asks for, then what was chosen before, then what the browser accepts."""
    for name in (asked, cookie):
        if name in LANGUAGES:
            return name
    first = accepted.strip().lower()
    return "zh_CN" if first.startswith("zh") else "en"
