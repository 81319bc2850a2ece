"""Damaged inputs from good ones: quickly, by the grammar of JSON where there is any, and by bytes.

Where each value and member of a seed stands is found once. A mutation then cuts and joins bytes and parses nothing, so
that the fuzzed code, and not the fuzzer, takes the time.
"""

import json
import re
from collections.abc import Sequence
from random import Random

TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|[][{}:,]')

LONG = b"9" * 400
EVIL: tuple[bytes, ...] = (
    *(b"0", b"1", b"2", b"5", b"-1", b"-0", b"7", b"99", b"255", b"256", b"65536", b"1.0", b"0.5", b"1e3", b"1e400"),
    *(b"4294967296", b"281474976710656", b"9223372036854775807", b"9223372036854775808", b"18446744073709551616"),
    *(b"-9223372036854775809", LONG, b"9" * 5000, b"null", b"true", b"false", b"[]", b"{}", b"[[]]", b'{"a":[{}]}'),
    *(b'""', b'"0"', b'"-1"', b'"-0.5"', b'"1"', b'"0.00000"', b'"1e3"', b'"1e-3"', b'"1E+999999"', b'"1e99999999999"'),
    *(b'"NaN"', b'"sNaN"', b'"Infinity"', b'"-Infinity"', b'"+1"', b'" 1"', b'"1_000"', b'"1,5"', b'"."', b'"1."'),
    *(b'".5"', b'"0x10"', b'"1.2.3"', b'"12345678901234567890123456789012.5"', b'"' + LONG + b'"', b'"' + b"9" * 5000),
    *('"١"'.encode(), '"²"'.encode(), '"１.５"'.encode(), b'"\xff\xfe"', b'"\\ud800"', b'"\\u0000"', b'"a\\"b"'),
    *(b'"true"', b'"null"', b'"1"', b'"2"', b'"255"', b'"filled"', b'"canceled"', b'"trade"', b'"buy"', b'"maker"'),
    *(b"NaN", b"Infinity", b"-", b"[" * 3000, b'{"a":' * 2000, b'"x"', b'"account_all:1"', b'"account_all:-1"'),
)
"""What has broken parsers before: borders of integers, numbers that are none, other digits, depth, damaged text."""

SMALL = tuple(text for text in EVIL if len(text) < 100)
Span = tuple[int, int]


class Seed:
    """One good input, and where its values and members stand."""

    __slots__ = ("data", "members", "values")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.values: list[Span] = []
        """Every value, containers too."""
        self.members: list[Span] = []
        """Every member of an object and element of an array, with its key."""
        if len(data) <= 20_000:
            self._scan()

    def _scan(self) -> None:
        opened: list[int] = []
        begun: list[int] = []
        for match in TOKEN.finditer(self.data):
            kind, start, end = match.group()[:1], match.start(), match.end()
            if kind in b"{[":
                opened.append(start)
                begun.append(end)
            elif kind in b"}]" and opened:
                self.values.append((opened.pop(), end))
                member = (begun.pop(), start)
                if member[0] < member[1]:
                    self.members.append(member)
            elif kind == b"," and begun:
                self.members.append((begun[-1], start))
                begun[-1] = end
            elif kind not in b":,{}[]":
                self.values.append((start, end))


class Mutator:
    """An endless source of damaged inputs, the same for the same seed number."""

    def __init__(self, seeds: Sequence[bytes], number: int) -> None:
        assert seeds
        self._seeds = [Seed(data) for data in seeds]
        self._random = Random(number)
        self._parts = [one.data[a:b] for one in self._seeds for a, b in one.values if b - a < 400][:5000] or [b"0"]

    def next(self) -> bytes:
        """One input: a seed with one to three changes, now and then the seed itself."""
        chance = self._random.random
        seeds = self._seeds
        seed = seeds[int(chance() * len(seeds))]
        data = seed.data
        count = int(chance() * 4)
        if count == 0 and chance() < 0.8:
            count = 1
        limit = len(data)
        for _ in range(count):
            data, limit = self._change(seed, data, limit)
        return data

    def _change(self, seed: Seed, data: bytes, limit: int) -> tuple[bytes, int]:
        """Change something before ``limit``, behind which the spans no longer fit; the new limit."""
        chance = self._random.random
        kind = chance()
        if kind < 0.60 and seed.values:
            start, end = seed.values[int(chance() * len(seed.values))]
            if end <= limit:
                return data[:start] + self._value(data[start:end]) + data[end:], start
        elif kind < 0.80 and seed.members:
            start, end = seed.members[int(chance() * len(seed.members))]
            if end <= limit:
                part = data[start:end]
                if chance() < 0.5:  # leave it out, or say it twice
                    return data[:start].rstrip(b",") + data[end:].lstrip(b","), start - 1
                return data[:start] + part + b"," + part + data[end:], start
        return self._bytes(data, limit)

    def _value(self, old: bytes) -> bytes:
        chance = self._random.random
        kind = chance()
        if kind < 0.45:
            return SMALL[int(chance() * len(SMALL))]
        if kind < 0.50:
            return EVIL[int(chance() * len(EVIL))]
        if kind < 0.75:
            return self._parts[int(chance() * len(self._parts))]
        place = int(chance() * len(old))
        if kind < 0.90:  # another digit or letter
            return old[:place] + bytes((48 + int(chance() * 10),)) + old[place + 1 :]
        return b'"' + old + b'"' if old[:1] != b'"' else old[1:-1]

    def _bytes(self, data: bytes, limit: int) -> tuple[bytes, int]:
        chance = self._random.random
        place = int(chance() * (limit + 1)) if limit > 0 else 0
        kind = chance()
        if kind < 0.35:
            return data[:place] + bytes((int(chance() * 256),)) + data[place + 1 :], place
        if kind < 0.55:
            return data[:place] + data[place + 1 + int(chance() * 4) :], place
        if kind < 0.85:
            return data[:place] + SMALL[int(chance() * len(SMALL))] + data[place:], place
        if kind < 0.93:
            return data[:place], place
        return data[:place] + bytes(int(chance() * 256) for _ in range(int(chance() * 8))) + data[place:], place


def compact(value: object) -> bytes:
    """JSON as the venue writes it."""
    return json.dumps(value, separators=(",", ":")).encode()
