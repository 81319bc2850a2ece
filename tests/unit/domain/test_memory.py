from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.states import Mode


def test_an_empty_journal_remembers_a_running_desk_and_nothing_else() -> None:
    memory = Memory(epoch=1, fresh=True)
    assert memory.mode is Mode.RUNNING
    assert (memory.pause, memory.ask, memory.round, memory.announce, memory.tries) == (None,) * 5
    assert not memory.unsettled
    assert not memory.fills


def test_two_memories_share_nothing() -> None:
    one, other = Memory(epoch=1, fresh=True), Memory(epoch=2, fresh=True)
    assert one.fills is not other.fills
    assert one.folded is not other.folded
