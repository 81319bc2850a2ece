"""Planted bugs: each takes one defence out of the real code, and the simulation must see it.

``python -m tests.mutants`` plants each in turn and plays seeds in order until a checker, or an assertion of the code
itself, finds it. A bug that survives means: no fault tests this defence, or another one does its work.
"""

from tests.mutants import bugs_books, bugs_hedger, bugs_lane, bugs_maker, bugs_process

ALL = (bugs_lane, bugs_books, bugs_maker, bugs_hedger, bugs_process)
"""Importing these puts every bug on the list."""
