from lighter_hedge.domain.exposure import Since


def test_an_age_counts_from_the_first_time_a_condition_held() -> None:
    since = Since()
    assert since.age_ms(100) == 0
    since.update(True, 100)
    since.update(True, 150)
    assert since.age_ms(170) == 70


def test_a_condition_that_ends_begins_anew() -> None:
    since = Since()
    since.update(True, 100)
    since.update(False, 150)
    assert since.age_ms(200) == 0
    since.update(True, 300)
    assert since.age_ms(301) == 1
