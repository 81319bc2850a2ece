"""The two READMEs say the same, and what they name exists."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from lighter_hedge.cli.main import app
from lighter_hedge.ops.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parents[2]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
BOTH = pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["english", "chinese"])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    """Code blocks, without their comments: those are translated."""
    return [re.sub(r" *# .*", "", block) for block in re.findall(r"^```.*?^```", text, re.DOTALL | re.MULTILINE)]


def headings(text: str) -> list[str]:
    """The level of each heading, in order."""
    without_code = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^(#+) \S", without_code, re.MULTILINE)


def first_cells(text: str) -> list[str]:
    """What the first cell of each table row says, where it is code or a number."""
    return re.findall(r"^\| (`[^`]+`|\d+) \|", text, re.MULTILINE)


def shape(text: str) -> list[str]:
    """What each line is, in order: heading, table row, point, picture or nothing of it."""
    marks = re.findall(r"^(#+ |\| |- |!\[|```)", text, re.MULTILINE)
    return [mark.strip() for mark in marks]


def commands() -> dict[str, set[str]]:
    """Every command that people see, with its options."""
    group = get_command(app)
    found: dict[str, set[str]] = {}
    for name, command in vars(group)["commands"].items():
        if not command.hidden:
            found[name] = {option for parameter in command.params for option in parameter.opts}
            for inner, each in getattr(command, "commands", {}).items():
                found[f"{name} {inner}"] = {option for parameter in each.params for option in parameter.opts}
    return found


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))


def test_both_have_the_same_headings_in_the_same_order() -> None:
    assert headings(ENGLISH) == headings(CHINESE)
    assert len(headings(ENGLISH)) > 5


def test_both_have_the_same_shape() -> None:
    assert shape(ENGLISH) == shape(CHINESE)


def test_both_show_the_same_code() -> None:
    assert blocks(ENGLISH) == blocks(CHINESE)


def test_both_tables_have_the_same_rows() -> None:
    assert first_cells(ENGLISH) == first_cells(CHINESE)


def test_both_link_to_the_same_files_but_for_the_language() -> None:
    def links(text: str) -> list[str]:
        return [link.replace(".zh-CN", "") for link in re.findall(r"\]\(([^)]+)\)", text)]

    assert links(ENGLISH) == links(CHINESE)


@BOTH
def test_every_link_leads_somewhere(text: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert link.startswith("https://") or (ROOT / link).exists(), link


@BOTH
def test_each_points_to_the_other(text: str) -> None:
    other = "README.zh-CN.md" if text is ENGLISH else "README.md"
    assert f"]({other})" in "\n".join(text.splitlines()[:4])


@BOTH
def test_the_two_first_commands_are_on_the_first_screen(text: str) -> None:
    screen = "\n".join(text.splitlines()[:20])
    assert "make demo" in screen
    assert "make test" in screen
    assert "![" in screen


@BOTH
def test_every_make_target_exists(text: str) -> None:
    used = set(re.findall(r"\bmake ([a-z]+)\b", text))
    assert used <= targets()


def lines_of_commands(text: str) -> list[list[str]]:
    """Words after the program of every line, or piece of code, that calls it."""
    calls = re.findall(r"(?:^|`)(?:\.venv/bin/)?lighter-hedge ([^`#\n]+)", text, re.MULTILINE)
    return [call.replace("&", "").split() for call in calls]


@BOTH
def test_every_command_and_option_exists(text: str) -> None:
    known = commands()
    calls = lines_of_commands(text)
    assert len(calls) > 15
    for words in calls:
        name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        assert name in known, words
        options = {word for word in words if word.startswith("--")}
        assert options <= known[name], words


@BOTH
def test_the_table_has_every_command(text: str) -> None:
    named = {cell.strip("`").removeprefix("lighter-hedge ") for cell in first_cells(text) if cell.startswith("`")}
    assert named == {name for name in commands() if " " not in name}


@BOTH
def test_the_table_has_every_exit_code(text: str) -> None:
    assert [cell for cell in first_cells(text) if cell.isdigit()] == [str(int(code)) for code in ExitCode]


@BOTH
def test_options_in_the_prose_exist(text: str) -> None:
    known = set().union(*commands().values()) | {"--help", "--rounds"}
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"`(--[a-z-]+)", prose)) <= known
