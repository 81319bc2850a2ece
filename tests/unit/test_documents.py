"""The documents say what the code does: every key, every channel and every example in them is held against it."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lighter_hedge.config import KNOWN, Settings
from lighter_hedge.config_source import KEY_VARIABLES, REDIS_PARTS, RENAMED, RETIRED
from lighter_hedge.domain.states import SCHEMA, DeskId, Role
from lighter_hedge.messaging.keys import CHANNELS, FIELD, STATES_KEPT, DeskKeys
from lighter_hedge.messaging.messages import (
    FailureMessage,
    FillMessage,
    HedgeFillMessage,
    decode_command,
    decode_state,
    encode,
)
from lighter_hedge.simulator.core.faults.board import FaultBoard
from lighter_hedge.simulator.core.faults.kinds import KINDS
from lighter_hedge.simulator.edge.channels import CHANNELS as CHANNELS_OF_STREAM

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = (ROOT / "docs/messages.md").read_text(encoding="utf-8")
PAPER = (ROOT / "docs/paper-exchange.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
READ_BY_CONFIG_ALONE = {"account_name", "private_key", "private_key_file", "network", "dir"}
"""Used up while the settings are made."""


def rows(text: str) -> dict[str, list[str]]:
    """First cell, bare, to the other cells of every table row that begins with a word in backticks."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            found[cells[0].strip("`")] = cells[1:]
    return found


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of any level."""
    return re.split(r"\n#+ ", text.split(f" {heading}\n", 1)[1])[0]


def example(heading: str) -> bytes:
    block = re.search(r"```json\n(.*?)```", section(MESSAGES, heading), re.DOTALL)
    assert block is not None, heading
    return block.group(1).encode()


# --- messages -----------------------------------------------------------------------------------------------------


def test_every_key_and_channel_is_in_the_tables_and_no_other() -> None:
    keys = DeskKeys(desk=DeskId(pair="x", market="Y"))
    named = [keys.state(Role.MAKER), keys.state(Role.HEDGER), keys.commands, keys.telemetry, keys.uuid]
    expected = {key.replace("x:Y", "{desk}") for key in named} | set(CHANNELS)
    assert rows(MESSAGES).keys() == expected


def test_no_property_of_the_keys_is_forgotten_by_these_tests() -> None:
    public = {name for name in dir(DeskKeys) if not name.startswith("_")}
    assert public == {"desk", "state", "commands", "telemetry", "uuid"}


def test_numbers_in_the_text_are_those_of_the_code() -> None:
    assert f"newest {STATES_KEPT} entries" in MESSAGES
    assert f"field `{FIELD.decode()}`" in MESSAGES
    assert f"`schema` is {SCHEMA}" in MESSAGES


@pytest.mark.parametrize(("heading", "role"), [("State of A", Role.MAKER), ("State of B", Role.HEDGER)])
def test_the_example_of_a_state_is_one_and_whole(heading: str, role: Role) -> None:
    body = example(heading)
    assert json.loads(body) == json.loads(encode(decode_state(role, body)))


def test_the_example_of_a_command_is_one_and_whole() -> None:
    body = example("Command of a person")
    assert json.loads(body) == json.loads(encode(decode_command(body)))


@pytest.mark.parametrize(
    ("channel", "kind"), list(zip(CHANNELS, (FillMessage, HedgeFillMessage, FailureMessage), strict=True))
)
def test_the_example_of_a_channel_is_one_and_whole(channel: str, kind: type[msgspec.Struct]) -> None:
    body = example(f"`{channel}`")
    message = msgspec.json.decode(body, type=kind)
    assert json.loads(body) == json.loads(msgspec.json.encode(message))


# --- configuration --------------------------------------------------------------------------------------------------


def leaves(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= leaves(kind, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = field
    return found


def shown(field: FieldInfo) -> str:
    """A default as the document writes it."""
    if field.is_required():
        return "required"
    value: Any = field.default
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text and "*" not in text else ""


def test_every_setting_is_documented_and_no_other() -> None:
    assert rows(CONFIGURATION).keys() == set(KNOWN.leaves)


@pytest.mark.parametrize("key", sorted(KNOWN.leaves))
def test_the_default_is_that_of_the_code(key: str) -> None:
    assert rows(CONFIGURATION)[key][0] == shown(leaves(Settings)[key])


@pytest.mark.parametrize("key", sorted(KNOWN.leaves))
def test_a_number_has_its_unit(key: str) -> None:
    unit = rows(CONFIGURATION)[key][1]
    for ending, word in (("_ms_max", "milliseconds"), ("_bps_max", "basis points"), ("_usd_max", "USD")):
        if key.endswith(ending):
            assert unit == word
    if re.search(r"seconds|timeout|interval", key):
        assert unit == "seconds"


@pytest.mark.parametrize("key", sorted(KNOWN.leaves))
def test_every_setting_is_read_by_something(key: str) -> None:
    name = key.rpartition(".")[2]
    files = [path for path in (ROOT / "src").rglob("*.py") if not path.name.startswith("config")]
    read = any(re.search(rf"\.{name}\b", path.read_text(encoding="utf-8")) for path in files)
    assert read or name in READ_BY_CONFIG_ALONE


def test_old_keys_and_variables_are_named() -> None:
    for word in (*RENAMED, *RETIRED, *REDIS_PARTS, *KEY_VARIABLES.values()):
        assert f"`{word}`" in CONFIGURATION


# --- architecture, decisions ------------------------------------------------------------------------------------------

ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "src/lighter_hedge"


def mapped() -> dict[str, set[str]]:
    """Folder to files, of the tables of the code map."""
    found: dict[str, set[str]] = {}
    for folder, table in re.findall(
        r"^### `src/lighter_hedge/(\w+)/`[^\n]*\n(.*?)(?=^#)", ARCHITECTURE, re.MULTILINE | re.DOTALL
    ):
        first = "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
        found[folder] = set(re.findall(r"`([\w/]+\.py)`", first))
    return found


@pytest.mark.parametrize("folder", ["domain", "messaging", "processes", "venue"])
def test_the_code_map_names_every_module_and_no_other(folder: str) -> None:
    files = {path.relative_to(PACKAGE / folder).as_posix() for path in (PACKAGE / folder).rglob("*.py")}
    assert mapped()[folder] == {name for name in files if not name.endswith("__init__.py")}


def test_the_code_map_names_every_folder() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {folder for folder in folders if f"`src/lighter_hedge/{folder}/`" not in ARCHITECTURE} == set()


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/adr/README.md"])
def test_files_and_links_named_in_a_document_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    here = (ROOT / name).parent
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("https://") or (here / link).exists(), link
    for path in re.findall(r"`((?:domain|processes)/\w+\.py)`", text):
        assert (PACKAGE / path).exists(), path
    for path in re.findall(r"`((?:tests|docs|config|src)/[\w./-]*)`", text):
        assert (ROOT / path).exists() or "/x/" in path, path


def test_decisions_are_numbered_listed_and_of_a_size() -> None:
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (ROOT / "docs/adr/README.md").read_text(encoding="utf-8"))
    found = sorted(path.name for path in (ROOT / "docs/adr").glob("0*.md"))
    assert listed == found
    assert [int(name[:4]) for name in found] == list(range(1, len(found) + 1))
    for name in found:
        text = (ROOT / "docs/adr" / name).read_text(encoding="utf-8")
        assert re.findall(r"^## (.*)", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], name
        assert re.search(r"^Status: \w+", text, re.MULTILINE), name
        assert 20 <= text.count("\n") <= 40, name


def test_files_named_in_a_decision_exist() -> None:
    for path in (ROOT / "docs/adr").glob("0*.md"):
        for name in re.findall(r"`((?:domain|processes|simulator)/\w+\.py)`", path.read_text(encoding="utf-8")):
            assert (PACKAGE / name).exists(), (path.name, name)


# --- the paper exchange


def test_every_fault_is_documented_with_an_example_that_can_be_armed() -> None:
    told = rows(section(PAPER, "Truth and faults"))
    faults = {name: cells for name, cells in told.items() if name in KINDS}
    assert faults.keys() == KINDS.keys()
    for name, (_, shown) in faults.items():
        fault = json.loads(shown.strip("`"))
        assert fault["kind"] == name
        FaultBoard({"a": 101, "b": 102}, {"BTC": 1}).arm(fault, 0)


def test_every_channel_is_documented() -> None:
    told = section(PAPER, "What it answers")
    assert {channel.name for channel in CHANNELS_OF_STREAM if f"`{channel.name}`" not in told} == set()
