"""The state diagrams of docs/flow.md, drawn from what the machines do: ``make diagrams`` writes them into the pages.

Nobody lists the transitions. Both machines, real and whole, go through each scene of the small desk, through a scene
in which each request to the exchange goes wrong in each way once, and through one in which B's hedges fill nothing; and
a person says every verb in every mode; last, a stranger uses B's key. Each change of a state that a step brings is an
arrow, with the codes that were told in such steps (of the lane: with what it heard). So an arrow is something that
happens; what takes two faults at once may be missing.
"""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from tests.model.desk_scenes import SCENES, small_settings
from tests.model.desk_world import DeskWorld

from lighter_hedge.domain.commands import Alert, Command, Say
from lighter_hedge.domain.events import Event, OperatorAsked, OrderKind
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.pair import missing
from lighter_hedge.domain.states import OperatorCommand, Role

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "docs/flow.md", ROOT / "docs/zh-CN/flow.md")
Arrows = dict[tuple[str, str], set[str]]
"""From one state to another: the codes told in such steps."""

SETTLE_MS = 3_000
STRANGER_MS = 30_000
"""How long a person waits between two words."""
VERBS = ("pause", "resume", "drain", "clear")
TOLD: dict[str, str | tuple[str, ...]] = {"desk": "", "round": ("QUOTE_", "ROUND_"), "hedge": "HEDGE_"}
"""How the codes begin that say why a state changed; others are told in the same step by chance."""
BESIDE = {"QUOTE_CANCELLED", "QUOTE_WITHDRAWN", "HEDGE_NOW", "WAITING"}
"""Told beside a change of the desk's mode, because of it."""


def mode(machine: Maker | Hedger) -> str:
    """The desk's mode, as A keeps it."""
    return machine.latch.mode.value if isinstance(machine, Maker) else ""


def round_stage(machine: Maker | Hedger) -> str:
    """Where A stands in its round."""
    if not isinstance(machine, Maker):
        return ""
    quote = machine.quoter.quote
    filled = bool(machine.core.maker.round_filled(machine.round))
    if quote is None:
        if not machine.round_open:
            return "closed"
        return "awaiting_hedge" if filled else "unfilled"
    if quote.sent_ms is None:
        return "announced"
    if quote.cancel_why:
        return "cancelling"
    return "resting_partly_filled" if filled else "resting"


def hedge_stage(machine: Maker | Hedger) -> str:
    """What B does about what is missing."""
    if not isinstance(machine, Hedger):
        return ""
    core = machine.core
    if not core.recovered:
        return "recovering"
    if machine.tries.failed is not None:
        return "failed"
    if core.own.in_flight:
        return "hedge_in_flight"
    wanted = missing(core.maker, core.hedger)
    if wanted and not machine._too_little(wanted):  # what B itself asks
        return "fill_unhedged"
    return "armed" if machine.arming.answer() is not None else "idle"


def lane_stage(machine: Maker | Hedger) -> str:
    """Where the API key stands."""
    return machine.core.lane.phase.value


DIAGRAMS: dict[str, Callable[[Maker | Hedger], str]] = {
    "desk": mode,
    "round": round_stage,
    "hedge": hedge_stage,
    "lane": lane_stage,
}


class Watched(DeskWorld):
    """A small desk that notes every change of a state."""

    def __init__(self, scene: str, seen: dict[str, Arrows], **changes: object) -> None:
        self.seen = seen
        settings, fills = SCENES[scene]
        super().__init__(small_settings(**settings | changes), fills)

    def give(self, role: Role, event: Event, stop_after: int | None) -> None:
        machine = self.sides[role].machine
        assert machine is not None
        before = {name: stage(machine) for name, stage in DIAGRAMS.items()}
        super().give(role, event, stop_after)
        for name, stage in DIAGRAMS.items():
            after = stage(machine)
            if after != before[name]:
                why = {type(event).__name__} if name == "lane" else codes(name, self.effects)
                self.seen[name].setdefault((before[name], after), set()).update(why)

    def run(self, wrong_at: int = 0, wrong: str = "", *, unfilled: bool = False) -> int:
        """Follow the story to its end, one happening going wrong; return how many there were."""
        number = 0
        while not self.ended():
            number += 1
            due = self.next()
            hedge = due.kind == "arrive" and getattr(due.what.request, "kind", None) is OrderKind.HEDGE
            self.happen(due, "none" if hedge and unfilled else wrong if number == wrong_at else "")
        return number

    def wait(self, ms: int) -> None:
        """Let things happen for so long."""
        until = self.now + ms
        while self.now < until:
            self.happen(self.next())

    def say(self, verb: str) -> None:
        """A person says something to both sides."""
        maker = self.sides[Role.MAKER].machine
        assert isinstance(maker, Maker)
        pause_id = maker.latch.pause.id if verb == "resume" and maker.latch.pause is not None else None
        asked = OperatorCommand(id=f"{verb} {self.now}", verb=verb, pause_id=pause_id)
        for role in Role:
            self.give(role, OperatorAsked(command=asked), None)
        self.wait(SETTLE_MS)


def codes(name: str, effects: list[Command]) -> set[str]:
    """What was told in a step about this state."""
    told = {command.code for command in effects if isinstance(command, Say | Alert)}
    return {code for code in told if code.startswith(TOLD[name])} - (BESIDE if name == "desk" else set())


def wrongs(scene: str) -> list[tuple[int, str]]:
    """Every request to the exchange, by its number in the story, with every way in which it can go wrong."""
    world = DeskWorld.scene(scene)
    found = []
    number = 0
    while not world.ended():
        number += 1
        due = world.next()
        if due.kind == "arrive":
            found += [(number, wrong) for wrong in world.wrongs(due)]
        world.happen(due)
    return found


def observe() -> dict[str, Arrows]:
    """Every change of every state, seen while the stories went on."""
    seen: dict[str, Arrows] = defaultdict(dict)
    for scene in SCENES:
        Watched(scene, seen).run()
    usual = next(iter(SCENES))
    for number, wrong in wrongs(usual):
        Watched(usual, seen).run(number, wrong)
    Watched("one try", seen).run(unfilled=True)
    for first in ("", "drain", "pause"):
        for verb in VERBS:
            world = Watched("nothing, then the next attempt", seen)
            world.wait(SETTLE_MS)
            for word in (first, verb, "resume"):
                if word:
                    world.say(word)
    stranger = Watched("nothing, then the next attempt", seen)
    stranger.wait(SETTLE_MS)
    stranger.venue.nonces[Role.HEDGER] += 1
    stranger.kill(Role.MAKER)
    stranger.wait(STRANGER_MS)
    return seen


def mermaid(arrows: Arrows) -> str:
    """One diagram."""
    lines = ["stateDiagram-v2"]
    for (before, after), told in sorted(arrows.items()):
        label = f": {', '.join(sorted(told))}" if told else ""
        lines.append(f"    {before} --> {after}{label}")
    return "\n".join(lines)


def drawn(text: str, seen: dict[str, Arrows]) -> str:
    """A page with its diagrams replaced."""
    for name in DIAGRAMS:
        start, end = f"<!-- diagram: {name} -->\n", "<!-- end -->"
        before, rest = text.split(start, 1)
        text = f"{before}{start}```mermaid\n{mermaid(seen[name])}\n```\n{end}{rest.split(end, 1)[1]}"
    return text


def main() -> None:
    """Write the diagrams into both pages."""
    seen = observe()
    for page in PAGES:
        page.write_text(drawn(page.read_text(encoding="utf-8"), seen), encoding="utf-8")


if __name__ == "__main__":
    main()
