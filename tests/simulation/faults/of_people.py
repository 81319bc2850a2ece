"""What people do, at the right moment and at the wrong one."""

from tests.simulation.stage import Stage

from lighter_hedge.domain.states import Role


def pause(stage: Stage) -> str:
    stage.say("pause", reason="a person looks")
    return ""


def resume_stale(stage: Stage) -> str:
    """A resume that names a pause of long ago, or none."""
    stage.say("resume", pause_id=stage.rng.choice((1, 1_800_000_000_000)), hedge_now=stage.rng.random() < 0.3)
    stage.truth.person_asked = stage.world.loop.time()
    return ""


def drain(stage: Stage) -> str:
    stage.say("drain")
    return ""


def clear(stage: Stage) -> str:
    """Close everything, and go on later."""
    stage.truth.person_asked = stage.world.loop.time()
    stage.say("clear")
    return ""


def stop_by_person(stage: Stage) -> str | None:
    """The user's own steps: stop, and start again later. Only this start ends a pause."""
    roles = stage.rng.choice(((Role.MAKER,), (Role.HEDGER,), (Role.MAKER, Role.HEDGER), (Role.HEDGER, Role.MAKER)))
    stopped = [role.letter for role in roles if _stop(stage, role, recorded=True)]
    return " ".join(stopped) or None


def terminated(stage: Stage) -> str | None:
    """A bare SIGTERM: a reboot, a service that is restarted. It is no person's stop."""
    role = stage.side()
    return role.letter if _stop(stage, role, recorded=False) else None


def _stop(stage: Stage, role: Role, *, recorded: bool) -> bool:
    process = stage.world.processes[role]
    driver = process.driver
    if not process.running or process.frozen or driver is None or process.life is None:
        return False
    if recorded:
        process.journal.person_stopped = True
        stage.truth.person_asked = stage.world.loop.time()
    stage.world.loop.call_soon(driver.stop, context=process.life.context)
    return True


KINDS = {
    "pause": (pause, 0.7, "E12 H41"),
    "resume_stale": (resume_stale, 1.0, "E12"),
    "drain": (drain, 0.3, "E15"),
    "clear": (clear, 0.3, "H12 E4"),
    "stop_by_person": (stop_by_person, 0.4, "E10 E11 H42"),
    "terminated": (terminated, 0.4, "E10 E12"),
}
