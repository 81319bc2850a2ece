"""What a planted bug is, how it is planted, and how it is taken out again."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_MISSING = object()

ASSERTION = "assertion"
"""What sees a bug where it is not a checker: an assertion of the code itself, which stays on in production."""


@dataclass(slots=True)
class Plant:
    """Changes the code that runs, and changes it back."""

    refused: int = 0
    """How often the last look before the socket has refused something."""
    _undo: list[tuple[Any, str, Any]] = field(default_factory=list)

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Replace an attribute of a class or a module. It must be there."""
        known = vars(owner)[name]
        self._undo.append((owner, name, known))
        setattr(owner, name, value)

    def put(self, owner: dict[str, Any], name: str, value: Any) -> None:
        """Replace an entry of a dictionary. It must be there."""
        self._undo.append((owner, name, owner[name]))
        owner[name] = value

    def around(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace a function by what ``make`` makes of it."""
        self.set(owner, name, make(vars(owner)[name]))

    def everywhere(self, function: Any, other: Any) -> None:
        """Replace a function in every module that has imported it by name."""
        for name, module in list(sys.modules.items()):
            if name.startswith("lighter_hedge.") and vars(module).get(function.__name__, _MISSING) is function:
                self.set(module, function.__name__, other)

    def remove(self) -> None:
        """Take everything out, last in first out."""
        while self._undo:
            owner, name, known = self._undo.pop()
            if isinstance(owner, dict):
                owner[name] = known
            else:
                setattr(owner, name, known)


Planting = Callable[[Plant], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One planted bug."""

    name: str
    what: str
    """In one sentence, what the code does now."""
    defence: str
    """What it takes out: ``domain.module.function``."""
    serves: tuple[str, ...]
    """Hazards (H) and sequences (E) that the defence is for."""
    seen_by: tuple[str, ...]
    """Checkers, any of which must find it."""
    plant: Planting
    saved_by: str = ""
    """A second defence that stops all of it; it is taken out too, and alone it must stop the bug."""
    unsave: Planting | None = None

    @property
    def module(self) -> str:
        """The module whose defence it takes out."""
        return ".".join(self.defence.split(".")[:2])


BUGS: dict[str, Bug] = {}


def bug(
    defence: str, serves: str, seen_by: str, *, saved_by: str = "", unsave: Planting | None = None
) -> Callable[[Planting], Planting]:
    """Put a planted bug on the list. Its name and its sentence are the function's own."""

    def listed(plant: Planting) -> Planting:
        name = plant.__name__
        assert name not in BUGS, name
        what = " ".join((plant.__doc__ or "").split())
        assert what, f"{name} says nothing"
        assert bool(saved_by) == (unsave is not None), name
        BUGS[name] = Bug(
            name=name,
            what=what,
            defence=defence,
            serves=tuple(serves.split()),
            seen_by=tuple(seen_by.split()),
            plant=plant,
            saved_by=saved_by,
            unsave=unsave,
        )
        return plant

    return listed


@contextmanager
def planted(one: Bug | None, *, saved: bool = False) -> Iterator[Plant]:
    """The code with a bug in it, or without one.

    Args:
        one: which; None for the code as it is.
        saved: leave the second defence standing.
    """
    plant = Plant()
    try:
        if one is not None:
            one.plant(plant)
            if one.unsave is not None and not saved:
                one.unsave(plant)
        yield plant
    finally:
        plant.remove()
