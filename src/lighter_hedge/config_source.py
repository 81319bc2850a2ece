"""Where settings come from: YAML with line numbers, environment, credentials file, command line.

Each source becomes a layer of ``Item`` by dotted key; later layers win. Scalars stay text until they are validated, so
that an amount keeps every digit that was written.
"""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

ENV_PREFIX = "LIGHTER_HEDGE_"
ACCOUNTS = ("account_a", "account_b")
KEY_VARIABLES = {name: f"{ENV_PREFIX}{name.upper()}_PRIVATE_KEY" for name in ACCOUNTS}

RENAMED = {
    "lighter.base_url": "venue.base_url",
    "lighter.ws_url": "venue.ws_url",
    "lighter.maker_order_time_out": "strategy.maker_order_timeout",
    "accounts.account_a.api_key_private_key": "accounts.account_a.private_key",
    "accounts.account_b.api_key_private_key": "accounts.account_b.private_key",
}
"""Keys of the old layout that live on under another name."""

RETIRED = {
    "strategy.poll_interval": "nothing is polled any more",
    "strategy.ws_reconnect_delay": "the stream reconnects by itself",
}
"""Keys of the old layout that mean nothing any more, and why."""

REDIS_PARTS = {"redis.host": "127.0.0.1", "redis.port": "6379", "redis.db": "0"}
"""The old layout's three parts of ``redis.url``, with their defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with the settings, and what to do about it. Never holds a secret."""

    path: str
    """The file, ``environment`` or the option that holds it."""
    line: int | None
    """Line in the file, from 1; None where there is none."""
    message: str
    remedy: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}  {self.message}: {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One value as it was written, and where."""

    value: Any
    path: str
    line: int | None = None

    @property
    def origin(self) -> str:
        """What ``config show`` prints: ``config.yaml:7``, ``environment …``."""
        return self.path if self.line is None else f"{self.path}:{self.line}"


Layer = dict[str, Item]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All keys of the present layout."""

    leaves: frozenset[str]
    sections: frozenset[str]

    def nearest(self, key: str) -> str:
        """The right key that ``key`` is most like, or an empty string."""
        section, _, name = key.rpartition(".")
        siblings = {k.rpartition(".")[2]: k for k in self.leaves | self.sections if k.rpartition(".")[0] == section}
        if found := difflib.get_close_matches(name, siblings, n=1, cutoff=0.6):
            return siblings[found[0]]
        by_name = {k.rpartition(".")[2]: k for k in sorted(self.leaves)}
        if found := difflib.get_close_matches(name, by_name, n=1, cutoff=0.75):
            return by_name[found[0]]
        return ""


def read_yaml(path: Path, known: Known, problems: list[Problem], warnings: list[str]) -> Layer:
    """The layer of one YAML file, old keys renamed with a warning; what is wrong is added to ``problems``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        problems.append(
            Problem(
                path=str(path),
                line=None,
                message=f"cannot be read ({reason})",
                remedy="name another file with --config, or copy config/config.example.yaml",
            )
        )
        return {}
    try:
        root = YAML().compose(text)
    except (YAMLError, RecursionError, ValueError, OverflowError) as error:  # the last two: an escape of no character
        problems.append(_bad_yaml(path, error))
        return {}
    layer: Layer = {}
    alias = None if root is None else _alias(root)
    if alias is not None:
        line = alias.start_mark.line + 1
        what = "stands in two places by an alias (*)"
        problems.append(Problem(path=path.name, line=line, message=what, remedy="write it out in both"))
    elif root is not None and not isinstance(root, MappingNode):
        problems.append(Problem(path=path.name, line=1, message="holds no keys", remedy="write 'key: value' lines"))
    elif root is not None:
        _walk(root, "", path, known, layer, problems)
    return _modern(layer, known, path, problems, warnings)


def _alias(root: Node) -> Node | None:
    """A node that stands in two places. Aliases may hold themselves, and a few lines of them may be without end."""
    seen: set[int] = set()
    left = [root]
    while left:
        node = left.pop()
        if id(node) in seen:
            return node
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            left += node.value
        elif isinstance(node, MappingNode):
            left += [part for pair in node.value for part in pair]
    return None


def _bad_yaml(path: Path, error: Exception) -> Problem:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    what = error.problem if isinstance(error, MarkedYAMLError) and error.problem else "is no YAML"
    line = None if mark is None else mark.line + 1
    return Problem(path=path.name, line=line, message=f"bad YAML: {what}", remedy="mend the indentation or the quotes")


def _walk(node: MappingNode, prefix: str, path: Path, known: Known, layer: Layer, problems: list[Problem]) -> None:
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = f"{prefix}.{key_node.value}" if prefix else str(key_node.value)
        line = key_node.start_mark.line + 1
        if key in seen:
            message = f"{key} stands twice (first on line {seen[key]})"
            problems.append(Problem(path=path.name, line=line, message=message, remedy="keep one"))
        elif isinstance(value_node, MappingNode) and key not in known.leaves:
            _walk(value_node, key, path, known, layer, problems)
        elif not (key in known.sections and _plain(value_node) is None):
            layer[key] = Item(value=_plain(value_node), path=path.name, line=line)
        seen.setdefault(key, line)


def _plain(node: Node) -> Any:
    match node:
        case ScalarNode():
            return None if str(node.tag).endswith(":null") else str(node.value)
        case SequenceNode():
            return [_plain(child) for child in node.value]
        case _:
            return {str(k.value): _plain(v) for k, v in node.value}


def _modern(layer: Layer, known: Known, path: Path, problems: list[Problem], warnings: list[str]) -> Layer:
    """Rename the old layout's keys, drop the retired ones and name the unknown ones."""
    result: Layer = {}
    redis: dict[str, Item] = {}
    for key, item in layer.items():
        where = f"{path.name}:{item.line}"
        if key in RENAMED:
            warnings.append(f"{where}  {key} is now called {RENAMED[key]}")
            result.setdefault(RENAMED[key], item)
        elif key in RETIRED:
            warnings.append(f"{where}  {key} is retired and has no effect: {RETIRED[key]}")
        elif key in REDIS_PARTS:
            warnings.append(f"{where}  {key} is now a part of redis.url")
            redis[key] = item
        elif key in known.leaves:
            result[key] = item
        else:
            problems.append(_unknown(key, item, known))
    if redis and "redis.url" not in result:
        host, port, db = (str(redis[k].value) if k in redis else plain for k, plain in REDIS_PARTS.items())
        first = next(iter(redis.values()))
        result["redis.url"] = Item(value=f"redis://{host}:{port}/{db}", path=first.path, line=first.line)
    return result


def _unknown(key: str, item: Item, known: Known) -> Problem:
    if key in known.sections:
        return Problem(
            path=item.path, line=item.line, message=f"{key} holds a value", remedy="write its keys below it, indented"
        )
    nearest = known.nearest(key)
    remedy = f"did you mean {nearest}?" if nearest else "remove it; config/config.example.yaml shows every key"
    return Problem(path=item.path, line=item.line, message=f"unknown key {key}", remedy=remedy)


def read_environment(env: Mapping[str, str], known: Known, problems: list[Problem]) -> Layer:
    """The layer of ``LIGHTER_HEDGE_<SECTION>__<KEY>`` and of the two private keys' variables."""
    layer: Layer = {}
    for name, variable in KEY_VARIABLES.items():
        if env.get(variable):
            layer[f"accounts.{name}.private_key"] = Item(value=env[variable], path=f"environment {variable}")
    for variable, value in sorted(env.items()):
        if not variable.startswith(ENV_PREFIX) or "__" not in variable:
            continue
        key = variable.removeprefix(ENV_PREFIX).lower().replace("__", ".")
        item = Item(value=value, path=f"environment {variable}")
        if key in known.leaves:
            layer.setdefault(key, item)
        else:
            problems.append(_unknown(key, item, known))
    return layer


def read_secret_files(env: Mapping[str, str], named: Mapping[str, str], problems: list[Problem]) -> Layer:
    """The layer of secret files: ``$CREDENTIALS_DIRECTORY/account_a_private_key``, else a named file.

    ``named`` maps an account to its ``private_key_file``, made absolute. A named file that others can read is refused.
    """
    layer: Layer = {}
    directory = env.get("CREDENTIALS_DIRECTORY")
    for name in ACCOUNTS:
        given = Path(directory, f"{name}_private_key") if directory else None
        if given is not None and given.is_file():
            path, private = given, True
        elif name in named:
            path, private = Path(named[name]), False
        else:
            continue
        key = f"accounts.{name}.private_key"
        try:
            if not private and readable_by_others(path):
                problems.append(
                    Problem(
                        path=str(path),
                        line=None,
                        message=f"{name}'s key file can be read by others",
                        remedy="chmod 600 it",
                    )
                )
                continue
            layer[key] = Item(value=path.read_text(encoding="ascii").strip(), path=f"secret file {path.name}")
        except (OSError, UnicodeDecodeError):
            problems.append(
                Problem(
                    path=str(path),
                    line=None,
                    message=f"{name}'s key file cannot be read",
                    remedy="check path and owner",
                )
            )
    return layer


def readable_by_others(path: Path) -> bool:
    """Whether group or others may read the file."""
    return bool(path.stat().st_mode & 0o044)


def read_credentials(path: Path, wanted: Mapping[str, str], problems: list[Problem]) -> Layer:
    """The layer of a paper exchange's credentials file: URLs, chain id, accounts and keys.

    ``wanted`` maps an account to the API key index that the other sources ask for; without one the first key is taken.
    """
    remedy = "start the paper exchange with --credentials FILE and name that file"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        layer = _credentials_layer(data, path.name, wanted)
    except OSError as error:
        problems.append(Problem(path=str(path), line=None, message=f"cannot be read ({error.strerror})", remedy=remedy))
    except (ValueError, RecursionError):
        problems.append(Problem(path=str(path), line=None, message="is no JSON", remedy=remedy))
    except (KeyError, TypeError, IndexError, AttributeError):
        problems.append(Problem(path=str(path), line=None, message="is no credentials file", remedy=remedy))
    else:
        return layer
    return {}


def _credentials_layer(data: Any, source: str, wanted: Mapping[str, str]) -> Layer:
    values: dict[str, Any] = {"venue.network": "paper"}
    for key in ("base_url", "ws_url", "chain_id"):
        values[f"venue.{key}"] = data[key]
    for name, account in zip(ACCOUNTS, (data["accounts"][0], data["accounts"][1]), strict=True):
        keys = {str(k["api_key_index"]): k for k in account["api_keys"]}
        key = keys.get(wanted.get(name, "")) or account["api_keys"][0]
        values[f"accounts.{name}.account_name"] = account["name"]
        values[f"accounts.{name}.account_index"] = account["account_index"]
        values[f"accounts.{name}.api_key_index"] = key["api_key_index"]
        values[f"accounts.{name}.private_key"] = key["private_key"]
    if not all(isinstance(value, str | int) for value in values.values()):
        raise TypeError("only texts and numbers")
    return {key: Item(value=value, path=f"credentials {source}") for key, value in values.items()}


def read_overrides(overrides: Mapping[str, object], known: Known) -> Layer:
    """The layer of the command line: dotted keys; None means not given."""
    unknown = [key for key in overrides if key not in known.leaves]
    assert not unknown, f"the command line sets unknown keys {unknown}"
    return {
        key: Item(value=str(value), path=f"--{key.rpartition('.')[2].replace('_', '-')}")
        for key, value in overrides.items()
        if value is not None
    }


def merged(layers: Iterable[Layer]) -> Layer:
    """All layers in one; a later layer wins."""
    result: Layer = {}
    for layer in layers:
        result.update(layer)
    return result


def nested(layer: Layer) -> dict[str, Any]:
    """Dotted keys as nested dictionaries, for validation."""
    result: dict[str, Any] = {}
    for key, item in layer.items():
        *sections, name = key.split(".")
        place = result
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = item.value
    return result


def item_of(layer: Layer, location: Sequence[object]) -> Item | None:
    """The item that a validation error speaks of, or the nearest one above or beside it."""
    parts = [str(part) for part in location]
    while parts:
        key = ".".join(parts)
        if key in layer:
            return layer[key]
        parts.pop()
        inside = [item for k, item in layer.items() if k.startswith(key + ".")]
        if inside:
            return inside[0]
    return None
