from tests.unit.simulator.paper_world import ASK, BID, MID, A, book_change, make_world


def test_best_prices_are_told_only_when_they_change() -> None:
    world = make_world()
    publisher = world.exchange.publisher
    assert publisher.best_changed(1, world.now_us) is None
    world.exchange.state.books[1].change_ambient([(ASK, MID + 5, 3)], snapshot=False)
    changed = publisher.best_changed(1, world.now_us)
    assert changed is not None
    assert (changed.bid, changed.ask) == ((MID - 10, 100), (MID + 5, 3))
    assert publisher.best_changed(1, world.now_us) is None


def test_a_batch_holds_each_changed_level_once_with_its_latest_size() -> None:
    world = make_world()
    publisher = world.exchange.publisher
    publisher.flush_books(world.now_us)
    world.traffic(book_change((BID, MID - 10, 5), (BID, MID - 30, 7)))
    world.traffic(book_change((BID, MID - 10, 9)))
    (batch,) = publisher.flush_book(1, world.now_us)
    assert batch.bids == ((MID - 10, 9), (MID - 30, 7))  # type: ignore[union-attr]
    assert publisher.flush_book(1, world.now_us) == []


def test_a_snapshot_shows_ambient_and_real_size_together() -> None:
    world = make_world()
    world.rest(A, BID, 20, MID - 10)
    world.exchange.publisher.flush_books(world.now_us)
    snapshot = world.exchange.publisher.book_snapshot(1)
    assert snapshot.bids == ((MID - 10, 120), (MID - 20, 300))
    assert snapshot.begin_nonce == 0
    assert snapshot.nonce == world.exchange.state.market_states[1].published_nonce
