import pytest
from benchmarks.figures import NS_PER_MS, figures, percentile, table


def test_a_percentile_is_one_of_the_values() -> None:
    values = list(range(100, 0, -1))

    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1.0) == 100
    assert percentile([7], 0.5) == 7


def test_a_percentile_between_two_ranks_takes_the_higher() -> None:
    assert percentile([1, 2, 3], 0.5) == 2
    assert percentile([1, 2], 0.51) == 2


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1], 0.0), ([1], 1.1)])
def test_a_percentile_of_nothing_is_refused(values: list[int], share: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile(values, share)


def test_the_figures_are_of_all_blocks_together_and_show_how_the_blocks_differ() -> None:
    quiet, noisy = [NS_PER_MS] * 99, [3 * NS_PER_MS] * 2

    found = figures([quiet, noisy])

    assert found.count == 101
    assert found.p50 == 1.0
    assert found.p99 == 3.0
    assert (found.block_p50_low, found.block_p50_high) == (1.0, 3.0)


def test_the_table_holds_each_way_against_the_floor_and_the_plain_way() -> None:
    ways = {name: figures([[int(ms * NS_PER_MS)]]) for name, ms in (("desk", 2.0), ("floor", 0.5), ("plain", 8.0))}

    rows = table(ways, floor="floor", plain="plain").splitlines()

    assert rows[2] == "| desk | 1 | 2.00 | 2.00 | 4.0 | 4.0 x | 2.00 to 2.00 |"
    assert rows[3] == "| floor | 1 | 0.50 | 0.50 | 1.0 | 16.0 x | 0.50 to 0.50 |"
