"""Bugs around the machines: the order of effects, and what is done with an answer."""

import asyncio
from dataclasses import replace
from typing import Any

from tests.mutants.bug import Plant, bug

from lighter_hedge.domain.commands import Announced, Entry
from lighter_hedge.domain.events import AnswerKind, Prepared, PrepareFailed
from lighter_hedge.messaging.ids import START, text_of
from lighter_hedge.messaging.memory_stream import MemoryMessaging
from lighter_hedge.processes import driver as driver_module
from lighter_hedge.processes.driver import Driver
from lighter_hedge.venue.errors import VenueError
from lighter_hedge.venue.lighter import answers


@bug("processes.driver._prepare", "H3 H25 E1", "unwritten once")
def sends_before_the_journal(plant: Plant) -> None:
    """Signed bytes are sent first and written down a moment later."""

    async def prepare(driver: Any, command: Any) -> None:
        try:
            candidate = await driver.venue.sign(command.request, command.nonce)
        except VenueError as error:
            driver.dispatch(PrepareFailed(ticket=command.ticket, reason=str(error)))
            return
        if driver.exit_code is None:
            driver.dispatch(Prepared(ticket=command.ticket, candidate=candidate))
            await asyncio.sleep(0.02)
            driver._commit()
            driver.journal.commit_candidate(candidate)

    plant.set(Driver, "_prepare", prepare)


@bug("processes.driver._commit", "H3 H19", "pause_written")
def records_are_kept_in_memory(plant: Plant) -> None:
    """What is recorded (but announces) is written down every second, not before what follows it."""
    everything = Entry.__args__
    kinds = tuple(kind for part in everything for kind in getattr(part, "__args__", (part,)) if kind is not Announced)
    plant.set(driver_module, "FACTS", kinds)
    plant.set(driver_module, "FACTS_SECONDS", 1.0)


@bug("venue.lighter.answers.answer_of_http", "H6", "superseded_by_nobody once gate")
def server_error_counts_as_refused(plant: Plant) -> None:
    """HTTP 5xx says that the order was not taken."""

    def make(real: Any) -> Any:
        def answer_of_http(status: int, body: bytes) -> Any:
            answer = real(status, body)
            if answer.kind is AnswerKind.UNKNOWN and status >= 500:
                return replace(answer, kind=AnswerKind.REJECTED, code=status)
            return answer

        return answer_of_http

    plant.around(answers, "answer_of_http", make)


@bug("messaging.memory_stream.MemoryMessaging.last_command", "H24", "no_old_clear")
def commands_from_the_beginning_after_a_restart(plant: Plant) -> None:
    """A new life reads the commands from the beginning of their stream: it carries out what was meant for others."""

    async def last_command(messaging: MemoryMessaging) -> str:
        return text_of(START)

    plant.set(MemoryMessaging, "last_command", last_command)
