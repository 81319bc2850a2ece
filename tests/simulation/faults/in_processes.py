"""What goes wrong with the processes themselves, their machines, their disks and their clocks."""

from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.process import Process
from tests.simulation.stage import Stage
from tests.simulation.world import DESK

from lighter_hedge.domain.states import Role

COPY_SECONDS = 1.1
"""An older copy of a journal is started at least so long after the instance that it replaces: epochs count seconds."""
SKEWS_MS = (300, 2_500, 40_000, 240_000, 800_000)


def kill(stage: Stage) -> str | None:
    process = stage.process()
    if not process.running:
        return None
    stage.world.end(process)
    return process.role.letter


def kill_both(stage: Stage) -> str | None:
    running = [process for process in stage.world.everybody() if process.running]
    for process in running:
        stage.world.end(process)
    return " ".join(process.name for process in running) or None


def crash_between(stage: Stage) -> str | None:
    """Killed between two of its next effects: a commit, a send, an append, a read."""
    process = stage.process()
    if not process.running or process.life is None or process.life.dies_in is not None:
        return None
    process.life.dies_in = stage.rng.randint(1, stage.rng.choice((4, 12, 40)))
    return f"{process.name} in {process.life.dies_in} effects"


def stall(stage: Stage) -> str | None:
    """The event loop hangs for a moment."""
    return _freeze(stage, stage.rng.uniform(0.25, 3.0))


def sleep(stage: Stage) -> str | None:
    """The process is stopped, and goes on as if nothing had been."""
    return _freeze(stage, stage.rng.choice((4.0, 4.0, 8.0, 8.0, 12.0, 60.0)) * (0.5 + stage.rng.random()))


def _freeze(stage: Stage, seconds: float) -> str | None:
    process = stage.process()
    if not process.running or process.frozen:
        return None
    process.freeze()
    stage.later(seconds, lambda: process.thaw(stage.world.loop))
    return f"{process.name} {seconds:.1f} s"


def second_instance(stage: Stage) -> str | None:
    """Another instance starts beside the running one, with a copy of its journal."""
    process = stage.process()
    if not process.running or len(stage.world.others) >= 2:
        return None
    return _beside(stage, process, process.journal.copied())


def second_from_backup(stage: Stage) -> str | None:
    """Another instance starts from an older copy of the journal."""
    process = stage.process()
    backup = stage.backups.get(process.role)
    if not process.running or backup is None or len(stage.world.others) >= 2:
        return None
    if stage.world.loop.time() - process.started < COPY_SECONDS:
        return None
    return _beside(stage, process, backup.copied())


def sleeper_replaced(stage: Stage) -> str | None:
    """A sleeping instance is taken for dead and replaced; later it wakes and goes on with what it meant to do."""
    process = stage.process()
    if not process.running or process.frozen or len(stage.world.others) >= 2:
        return None
    process.freeze()
    stage.later(
        stage.rng.choice((1.0, 3.0, 8.0, 8.0, 60.0)) * (0.3 + stage.rng.random()),
        lambda: process.thaw(stage.world.loop),
    )
    return _beside(stage, process, process.journal.copied())


def _beside(stage: Stage, old: Process, journal: MemoryJournal) -> str:
    world = stage.world
    new = world.instance(old.role, journal)
    new.venue.skew_ms = old.venue.skew_ms
    world.others.append(old)
    world.processes[old.role] = new
    stage.rename(new)
    world.start_process(new)
    stage.truth.hamper(old.role)
    return f"{new.name} beside {old.name}"


def restored(stage: Stage) -> str | None:
    """The process dies, and its machine comes back with an older copy of the journal."""
    process = stage.process()
    backup = stage.backups.get(process.role)
    if backup is None or process.role in {other.role for other in stage.world.others}:
        return None
    stage.world.end(process)
    process.journal = backup.copied()
    process.restart_at = stage.world.loop.time() + COPY_SECONDS
    stage.truth.watch(process)
    return process.role.letter


def journal_lost(stage: Stage) -> str | None:
    """The disk is gone; a person starts the side again without its journal."""
    process = stage.process()
    stage.world.end(process)
    process.journal = MemoryJournal(DESK)
    stage.backups.pop(process.role, None)
    stage.truth.watch(process)
    return process.role.letter


def disk_full(stage: Stage) -> str:
    process = stage.process()
    journal = process.journal
    journal.full = True

    def back() -> None:
        journal.full = False

    stage.later(stage.rng.choice((0.5, 4.0)), back)
    return process.role.letter


def clock_skew(stage: Stage) -> str:
    """The wall clock of one machine jumps, and is set right later."""
    process = stage.process()
    role = process.role
    skew_ms = stage.rng.choice((-1, 1)) * stage.rng.choice(SKEWS_MS)
    process.venue.skew_ms = skew_ms

    def back() -> None:
        stage.world.processes[role].venue.skew_ms = 0
        process.venue.skew_ms = 0

    stage.later(stage.rng.choice((2.0, 10.0)), back)
    return f"{role.letter} {skew_ms} ms"


def kill_sleeping_maker(stage: Stage) -> str | None:
    """A is stopped while B dies, and wakes before B is back: it must not trust an old answer."""
    a, b = stage.world.a, stage.world.b
    if not a.running or a.frozen or not b.running:
        return None
    a.freeze()
    stage.later(stage.rng.uniform(0.5, 6.0), lambda: a.thaw(stage.world.loop))
    stage.world.end(b)
    assert b.role is Role.HEDGER
    return "A sleeps, B dies"


def write_held_up(stage: Stage) -> str | None:
    """The machine decides, and what it decided reaches the socket only later."""
    process = stage.process()
    if process.driver is None:
        return None
    seconds = stage.rng.choice((0.5, 1.5, 2.5, 5.0))
    process.driver.held_up = seconds
    return f"{process.name} {seconds} s"


def skewed_for_long(stage: Stage) -> str:
    """A's clock is wrong by seconds, and stays so."""
    process = stage.world.a
    process.venue.skew_ms = stage.rng.choice((-1, 1)) * stage.rng.choice((1_500, 3_000))

    def back() -> None:
        stage.world.a.venue.skew_ms = process.venue.skew_ms = 0

    stage.later(stage.rng.uniform(10.0, 25.0), back)
    return f"{process.venue.skew_ms} ms"


KINDS = {
    "kill": (kill, 1.5, "H3 H19 H20 E1 E10"),
    "kill_both": (kill_both, 0.5, "H3 H21 E24"),
    "crash_between": (crash_between, 3.0, "H3 H19 H20 H21 H42 E1 E5"),
    "stall": (stall, 1.5, "H40 H15"),
    "sleep": (sleep, 0.3, "H28 E13 E14"),
    "second_instance": (second_instance, 0.4, "H27 E6"),
    "second_from_backup": (second_from_backup, 0.2, "H27 E9"),
    "sleeper_replaced": (sleeper_replaced, 0.3, "H27 H28 E6 E13"),
    "restored": (restored, 0.2, "H23 E9"),
    "journal_lost": (journal_lost, 0.15, "H25 E9"),
    "disk_full": (disk_full, 0.4, "H25 E21"),
    "clock_skew": (clock_skew, 0.5, "H26 E23"),
    "kill_sleeping_maker": (kill_sleeping_maker, 0.3, "H28 E13"),
    "write_held_up": (write_held_up, 1.0, "H28 E13"),
    "skewed_for_long": (skewed_for_long, 0.2, "H26 E23"),
}
