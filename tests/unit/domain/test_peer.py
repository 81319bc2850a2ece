"""The other side's newest state, and when the own is told."""

from tests.unit.domain.builders import at, hedger_state, maker_state

from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.peer import Acks, Heard, Telling
from lighter_hedge.domain.states import HedgerState, MakerState


def test_only_a_newer_state_is_taken() -> None:
    heard: Heard[HedgerState] = Heard()
    first = hedger_state(epoch=5, seq=2)
    assert heard.hear(first, at(0))
    assert not heard.hear(hedger_state(epoch=5, seq=2), at(10))
    assert not heard.hear(hedger_state(epoch=4, seq=9), at(10))
    assert (heard.state, heard.heard_ms) == (first, at(0).mono_ms)
    assert heard.hear(hedger_state(epoch=6, seq=1), at(20))
    assert heard.heard_ms == at(20).mono_ms


def test_an_instance_of_a_lower_epoch_is_believed_once_it_has_gone_on_alone_for_long() -> None:
    heard: Heard[HedgerState] = Heard()
    heard.hear(hedger_state(epoch=5, seq=2), at(0))
    for seq, now_ms in ((1, 1_000), (2, 6_000), (3, 10_000 + 999)):
        assert not heard.hear(hedger_state(epoch=4, seq=seq), at(now_ms))
    assert not heard.hear(hedger_state(epoch=4, seq=3), at(10_000 + 1_000)), "it does not go on"
    assert not heard.hear(hedger_state(epoch=3, seq=7), at(10_000 + 1_000)), "yet another one"
    for seq in (4, 5):
        assert not heard.hear(hedger_state(epoch=4, seq=seq), at(10_000 + 1_000))
    behind = hedger_state(epoch=4, seq=6)
    assert heard.hear(behind, at(2 * 10_000 + 1_000))
    assert heard.state == behind


def test_an_instance_of_the_same_epoch_is_believed_once_it_has_gone_on_alone_for_long() -> None:
    heard: Heard[HedgerState] = Heard()
    heard.hear(hedger_state(epoch=5, seq=60), at(0))
    assert not heard.hear(hedger_state(epoch=5, seq=1), at(1_000))
    assert not heard.hear(hedger_state(epoch=5, seq=1), at(12_000)), "an old word said again"
    assert heard.hear(hedger_state(epoch=5, seq=2), at(12_000))
    assert heard.hear(hedger_state(epoch=5, seq=3), at(12_000)), "now it is the known one"


def test_an_instance_of_a_lower_epoch_is_not_believed_beside_the_known_one() -> None:
    heard: Heard[HedgerState] = Heard()
    for seq in range(40):
        assert heard.hear(hedger_state(epoch=5, seq=seq), at(1_000 * seq))
        assert not heard.hear(hedger_state(epoch=4, seq=seq), at(1_000 * seq))
        assert not heard.hear(hedger_state(epoch=5, seq=0), at(1_000 * seq))


def test_silence_begins_after_the_limit() -> None:
    heard: Heard[HedgerState] = Heard()
    assert heard.silent(at(0), 3_000)
    heard.hear(hedger_state(), at(0))
    assert not heard.silent(at(3_000), 3_000)
    assert heard.silent(at(3_001), 3_000)


def test_a_state_is_told_when_it_has_changed_and_every_heartbeat() -> None:
    telling: Telling[MakerState] = Telling(1_000)
    number = 1

    def state(now: Instant, last: MakerState | None = None) -> MakerState:
        return maker_state(at_ms=now.wall_ms if last is None else last.at_ms, round=number)

    assert telling.due(state, at(0)) == state(at(0))
    assert telling.due(state, at(999)) is None
    number = 9
    assert telling.due(state, at(999)) == state(at(999))
    assert telling.told == state(at(999))
    assert telling.due(state, at(1_998)) is None
    assert telling.due(state, at(1_999)) is not None


def test_the_newest_acknowledgements_are_kept() -> None:
    acks = Acks()
    for number in range(17):
        acks.add(f"c{number}")
    assert "c0" not in acks
    assert "c1" in acks
    assert acks.ids[-1] == "c16"
