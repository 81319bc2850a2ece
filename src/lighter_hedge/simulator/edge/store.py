"""What a paper exchange keeps on disk: every record's latest state, in SQLite.

Each step of the exchange saves what it changed in one transaction, before anything of it is answered or
pushed. So a killed exchange comes back with exactly what the world has been told, and no log needs to be
replayed.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from lighter_hedge.simulator.core.accounts import Account
from lighter_hedge.simulator.core.orders import Order, Trade, TxRecord
from lighter_hedge.simulator.core.records import AccountFunding, Changes, Counters, Funding, House
from lighter_hedge.simulator.edge.settings import PaperError

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """All records of a saved exchange."""

    accounts: list[Account]
    orders: list[Order]
    trades: list[Trade]
    txs: list[TxRecord]
    fundings: list[Funding]
    account_fundings: list[AccountFunding]
    house: House | None
    counters: Counters


class Store:
    """One database file in the state directory."""

    def __init__(self, directory: Path, *, fsync: bool = False) -> None:
        """Open or create; ``fsync`` makes saves survive the loss of power too.

        Raises:
            PaperError: another exchange uses the directory.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._db = sqlite3.connect(directory / "exchange.sqlite", isolation_level=None, timeout=0.2)
        try:
            self._open(fsync)
        except sqlite3.OperationalError as error:
            self._db.close()
            raise PaperError(f"the state in {directory} is in use or not writable: {error}") from None

    def _open(self, fsync: bool) -> None:
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={'FULL' if fsync else 'NORMAL'}")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS records"
            " (kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,"
            " PRIMARY KEY (kind, id)) WITHOUT ROWID"
        )

    def save(self, changes: Changes) -> None:
        """Save changed records, all or none."""
        if changes.empty:
            return
        rows: list[tuple[str, str, bytes]] = []
        encode = msgspec.json.encode
        rows += [("account", str(one.account_index), encode(one)) for one in changes.accounts]
        rows += [("order", str(one.order_index), encode(one)) for one in changes.orders]
        rows += [("trade", str(one.trade_id), encode(one)) for one in changes.trades]
        rows += [("tx", one.tx_hash, encode(one)) for one in changes.txs]
        rows += [("funding", f"{one.market_index} {one.time_us}", encode(one)) for one in changes.fundings]
        rows += [("paid", str(one.payment.funding_id), encode(one)) for one in changes.account_fundings]
        rows += [("house", "", encode(one)) for one in (changes.house,) if one is not None]
        rows.append(("counters", "", encode(changes.counters)))
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", rows)
        self._db.executemany("DELETE FROM records WHERE kind = ? AND id = ?", changes.forgotten)
        self._db.execute("COMMIT")

    def load(self) -> Saved | None:
        """All records, or None if nothing was ever saved."""
        accounts = list(self._records("account", Account))
        if not accounts:
            return None
        return Saved(
            accounts=accounts,
            orders=list(self._records("order", Order)),
            trades=list(self._records("trade", Trade)),
            txs=list(self._records("tx", TxRecord)),
            fundings=list(self._records("funding", Funding)),
            account_fundings=list(self._records("paid", AccountFunding)),
            house=next(self._records("house", House), None),
            counters=next(iter(self._records("counters", Counters))),
        )

    def _records(self, kind: str, of: type[Record]) -> Iterator[Record]:
        decoder = msgspec.json.Decoder(of)
        for (body,) in self._db.execute("SELECT body FROM records WHERE kind = ?", (kind,)):
            yield decoder.decode(body)

    def close(self) -> None:
        """Close the file."""
        self._db.close()
