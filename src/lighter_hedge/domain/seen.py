"""What has been seen already: the newest so many, against repetition."""

from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """The newest ``limit`` keys."""

    limit: int
    _keys: dict[Hashable, None] = field(default_factory=dict)

    def add(self, key: Hashable) -> bool:
        """Remember a key; whether it is new. The oldest is forgotten for it."""
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > self.limit:
            del self._keys[next(iter(self._keys))]
        return True

    def __contains__(self, key: Hashable) -> bool:
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)
