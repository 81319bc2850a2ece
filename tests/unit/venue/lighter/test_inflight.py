"""Replies find their sends; a guess rejects nothing."""

import asyncio

from lighter_hedge.domain.events import Answer, AnswerKind
from lighter_hedge.venue.lighter.inflight import REMEMBERED_SECONDS, InFlight

ACCEPTED = Answer(kind=AnswerKind.ACCEPTED, code=200)
REJECTED = Answer(kind=AnswerKind.REJECTED, code=21702, message="price")


def test_replies_are_matched_by_id_in_any_order() -> None:
    async def story() -> None:
        sends = InFlight()
        first, second = sends.begin(0.0), sends.begin(0.0)
        sends.reply(second.id, ACCEPTED)
        sends.reply(first.id, REJECTED)
        assert (first.answer.result(), second.answer.result()) == (REJECTED, ACCEPTED)
        sends.reply(first.id, ACCEPTED)
        assert len(sends) == 0

    asyncio.run(story())


def test_an_error_without_id_belongs_to_the_only_send() -> None:
    async def story() -> None:
        sends = InFlight()
        assert not sends.reply_without_id(REJECTED, 0.0)
        only = sends.begin(0.0)
        assert sends.reply_without_id(REJECTED, 0.0)
        assert only.answer.result() == REJECTED

    asyncio.run(story())


def test_of_several_sends_the_oldest_becomes_unknown() -> None:
    async def story() -> None:
        sends = InFlight()
        oldest, newest = sends.begin(0.0), sends.begin(0.0)
        assert sends.reply_without_id(REJECTED, 0.0)
        answer = oldest.answer.result()
        assert (answer.kind, answer.code, answer.message) == (AnswerKind.UNKNOWN, 21702, "price")
        assert not newest.answer.done()

    asyncio.run(story())


def test_a_late_error_of_a_send_that_was_given_up_does_not_reject_the_next() -> None:
    async def story() -> None:
        sends = InFlight()
        given_up = sends.begin(0.0)
        given_up.answer.cancel()
        current = sends.begin(3.0)
        assert sends.reply_without_id(REJECTED, 3.1)
        assert not current.answer.done()

    asyncio.run(story())


def test_a_send_that_was_given_up_is_forgotten_in_the_end() -> None:
    async def story() -> None:
        sends = InFlight()
        sends.begin(0.0).answer.cancel()
        current = sends.begin(REMEMBERED_SECONDS + 0.1)
        assert sends.reply_without_id(REJECTED, REMEMBERED_SECONDS + 0.2)
        assert current.answer.result() == REJECTED

    asyncio.run(story())


def test_a_given_up_send_is_forgotten_when_an_error_comes_too_late_for_it() -> None:
    async def story() -> None:
        sends = InFlight()
        sends.begin(0.0).answer.cancel()
        current = sends.begin(REMEMBERED_SECONDS - 1)
        assert sends.reply_without_id(REJECTED, REMEMBERED_SECONDS + 0.1)
        assert current.answer.result() == REJECTED

    asyncio.run(story())


def test_a_send_that_is_waited_for_is_never_forgotten() -> None:
    async def story() -> None:
        sends = InFlight()
        waiting = sends.begin(0.0)
        sends.begin(REMEMBERED_SECONDS + 1)
        sends.reply(waiting.id, ACCEPTED)
        assert waiting.answer.result() == ACCEPTED

    asyncio.run(story())


def test_a_lost_connection_leaves_all_unknown() -> None:
    async def story() -> None:
        sends = InFlight()
        flights = [sends.begin(0.0), sends.begin(0.0)]
        sends.lose("gone")
        assert {flight.answer.result().kind for flight in flights} == {AnswerKind.UNKNOWN}

    asyncio.run(story())
