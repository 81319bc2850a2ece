"""What can be changed in a source file: one small change at a time, each a bug that a test should see.

Left alone: annotations, decorators, docstrings, and texts with a space in them, which people read and no rule depends
on; ``assert_never``, which the type checker reads. An assertion is only turned round (is it ever reached?): that it
holds is what the other mutants show.
"""

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
Put = Callable[[ast.AST], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One change to one function, or to what stands outside of functions (``where`` is then empty)."""

    where: str
    """``Class.method``, ``function``, ``function()`` for its defaults, a constant or a field; empty for the rest."""
    line: int
    before: str
    after: str
    number: int = 0
    """Counts equal changes within the same function."""
    file: ast.Module
    node: ast.AST
    put: Put
    changed: ast.AST

    def tree(self) -> ast.Module:
        """A copy of the whole file with the change made."""
        self.put(self.changed)
        copy = ast.fix_missing_locations(deepcopy(self.file))
        self.put(self.node)
        return copy

    @property
    def name(self) -> str:
        """Names the change for as long as the changed expression stands, wherever it moves in its function."""
        again = f" ({self.number + 1})" if self.number else ""
        return f"{self.where or 'top'}: {self.before} -> {self.after}{again}"


def mutations(source: str) -> Iterator[Mutation]:
    """Every change to one source file."""
    tree = ast.parse(source)
    count: dict[tuple[str, str, str], int] = {}
    for where, node, put, changed in list(_sites(tree)):
        before, after = _shown(node), _shown(changed)
        key = (where, before, after)
        count[key] = count.get(key, -1) + 1
        line = getattr(node, "lineno", 0)
        yield Mutation(
            where=where,
            line=line,
            before=before,
            after=after,
            number=count[key],
            file=tree,
            node=node,
            put=put,
            changed=changed,
        )


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 110 else f"{text[:80]} … {text[-28:]}"


Site = tuple[str, ast.AST, Put, ast.AST]


def _sites(tree: ast.Module) -> Iterator[Site]:
    for node in tree.body:
        yield from _below(node, "", _into(tree.body, tree.body.index(node)))


def _into(place: list[ast.stmt], position: int) -> Put:
    def put(changed: ast.AST) -> None:
        assert isinstance(changed, ast.stmt)
        place[position] = changed

    return put


def _below(node: ast.AST, where: str, put: Put, *, inside_function: bool = False) -> Iterator[Site]:
    """The changes of a node, then of all below it."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        name = where if inside_function else f"{where}.{node.name}".lstrip(".")
        yield from _children(node, name, inside_function=inside_function or isinstance(node, ast.FunctionDef))
        return
    if isinstance(node, ast.arguments):
        where = f"{where}()"  # a default is no part of the function's code
    if isinstance(node, ast.Import | ast.ImportFrom) or _is_prose(node):
        return
    if not inside_function:
        where = _assigned(node, where)
    if isinstance(node, ast.Assert):
        changed = ast.Assert(test=ast.UnaryOp(op=ast.Not(), operand=node.test), msg=node.msg)
        yield where, node, put, ast.copy_location(changed, node)
        return
    for changed_node in _changes(node):
        yield where, node, put, ast.copy_location(changed_node, node)
    yield from _children(node, where, inside_function=inside_function)


def _assigned(node: ast.AST, where: str) -> str:
    """A constant or a field is named by what it is assigned to."""
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return f"{where}.{target.id}".lstrip(".") if isinstance(target, ast.Name) else where


def _is_prose(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.unparse(node.value.func) == "assert_never"  # for the type checker alone
    value = node.value if isinstance(node, ast.Expr) else node
    text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return text and (isinstance(node, ast.Expr) or " " in str(getattr(value, "value", "")))


SKIPPED = {"annotation", "returns", "decorator_list", "ctx", "bases", "type_params"}


def _children(node: ast.AST, where: str, *, inside_function: bool) -> Iterator[Site]:
    for name, value in ast.iter_fields(node):
        if name in SKIPPED or (isinstance(node, ast.MatchClass) and name == "cls"):
            continue
        if isinstance(value, ast.AST):
            yield from _below(value, where, _setter(node, name), inside_function=inside_function)
        elif isinstance(value, list):
            for position, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield from _below(child, where, _list_setter(value, position), inside_function=inside_function)


def _setter(node: ast.AST, name: str) -> Put:
    def put(changed: ast.AST) -> None:
        setattr(node, name, changed)

    return put


def _list_setter(place: list[ast.AST], position: int) -> Put:
    def put(changed: ast.AST) -> None:
        place[position] = changed

    return put


# --- what becomes of what -------------------------------------------------------------------------------------------


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=right):
            for position, op in enumerate(ops):
                changed = [COMPARISONS[type(op)]() if here == position else each for here, each in enumerate(ops)]
                yield ast.Compare(left=left, ops=changed, comparators=right)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(op=ast.Or() if isinstance(op, ast.And) else ast.And(), values=values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            yield ast.BinOp(left=left, op=OPERATORS[type(op)](), right=right)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            yield operand
        case ast.Constant():
            yield from _constants(node.value)
        case ast.Name(id=name) if name in NAMES:
            yield ast.Name(id=NAMES[name], ctx=ast.Load())
        case ast.stmt():
            yield from _statements(node)
        case _:
            yield from _expressions(node)


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Call(func=func, args=args, keywords=keywords):
            for each in keywords:
                if each.arg is not None:
                    yield ast.Call(func=func, args=args, keywords=[other for other in keywords if other is not each])
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test=test, body=orelse, orelse=body)
        case ast.comprehension(target=target, iter=source, ifs=[_, *_], is_async=is_async):
            yield ast.comprehension(target=target, iter=source, ifs=[], is_async=is_async)
        case _:
            pass


def _constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, str):
        yield ast.Constant(f"{value}?")


def _statements(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(test=ast.UnaryOp(op=ast.Not(), operand=test), body=body, orelse=orelse)
        case ast.While(test=test, orelse=orelse):
            yield ast.While(test=test, body=[ast.Break()], orelse=orelse)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(value=ast.Constant(value=None))
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case ast.Expr(value=ast.Call()) | ast.Delete():
            yield ast.Pass()
        case ast.AugAssign(target=target, op=op, value=value):
            yield ast.Pass()
            if type(op) in OPERATORS:
                yield ast.AugAssign(target=target, op=OPERATORS[type(op)](), value=value)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript() | ast.Tuple()]):
            yield ast.Pass()
        case _:
            pass
