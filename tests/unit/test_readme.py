"""Each page and its translation say the same, and what the READMEs name exists."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from lighter_hedge.cli.main import app
from lighter_hedge.config import KNOWN
from lighter_hedge.config_source import RENAMED, RETIRED
from lighter_hedge.ops.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parents[2]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
BOTH = pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["english", "chinese"])
TRANSLATED = {
    ROOT / "README.md": ROOT / "README.zh-CN.md",
    **{ROOT / "docs" / page.name: page for page in sorted((ROOT / "docs" / "zh-CN").glob("*.md"))},
}
"""English page to its Chinese one."""
PAIRS = pytest.mark.parametrize(("english", "chinese"), TRANSLATED.items(), ids=[page.stem for page in TRANSLATED])
PAGES = pytest.mark.parametrize(
    "page", [page for pair in TRANSLATED.items() for page in pair], ids=lambda page: page.relative_to(ROOT).as_posix()
)
RETIRED_KEYS = {*RENAMED, *RETIRED}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def blocks(text: str) -> list[str]:
    """Code blocks, without their comments: those are translated."""
    return [re.sub(r" *# .*", "", block) for block in re.findall(r"^```.*?^```", text, re.DOTALL | re.MULTILINE)]


def headings(text: str) -> list[str]:
    """The level of each heading, in order."""
    return re.findall(r"^(#+) \S", without_code(text), re.MULTILINE)


def first_cells(text: str) -> list[str]:
    """What the first cell of each table row says, where it is code, a number or a code of the logs."""
    return re.findall(r"^\| (`[^`]+`|\d+|[A-Z_]{2,}(?:, [A-Z_]+)*) \|", text, re.MULTILINE)


def marked(text: str) -> list[list[str]]:
    """What stands in backticks in each table row, and between two headings: a sentence may turn its words around."""
    lines = without_code(text).splitlines()
    sections = re.split(r"^#+ .*$", "\n".join(line for line in lines if not line.startswith("|")), flags=re.MULTILINE)
    return [
        sorted(re.findall(r"`([^`]+)`", part)) for part in [*sections, *(line for line in lines if line[:1] == "|")]
    ]


def shape(text: str) -> list[str]:
    """What each line is, in order: heading, table row, point, picture or nothing of it."""
    marks = re.findall(r"^(#+ |\| |- |!\[|```)", text, re.MULTILINE)
    return [mark.strip() for mark in marks]


def links(page: Path) -> list[str]:
    """Where a page's links lead, in order: addresses, or files of the repository."""
    found = re.findall(r"\]\(([^)]+)\)", read(page))
    inner = [link if link.startswith("https://") else (page.parent / link).resolve().as_posix() for link in found]
    return [link.removeprefix(f"{ROOT}/") for link in inner]


def commands(*, hidden: bool = False) -> dict[str, set[str]]:
    """Every command that people see, with its options; with ``hidden`` also those that programs call."""
    group = get_command(app)
    found: dict[str, set[str]] = {}
    for name, command in vars(group)["commands"].items():
        if hidden or not command.hidden:
            found[name] = {option for parameter in command.params for option in parameter.opts}
            for inner, each in getattr(command, "commands", {}).items():
                found[f"{name} {inner}"] = {option for parameter in each.params for option in parameter.opts}
    return found


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))


@PAIRS
def test_both_have_the_same_headings_in_the_same_order(english: Path, chinese: Path) -> None:
    assert headings(read(english)) == headings(read(chinese))
    assert headings(read(english))[0] == "#"


@PAIRS
def test_both_have_the_same_shape(english: Path, chinese: Path) -> None:
    assert shape(read(english)) == shape(read(chinese))


@PAIRS
def test_both_show_the_same_code(english: Path, chinese: Path) -> None:
    assert blocks(read(english)) == blocks(read(chinese))


@PAIRS
def test_both_tables_have_the_same_rows(english: Path, chinese: Path) -> None:
    assert first_cells(read(english)) == first_cells(read(chinese))


@PAIRS
def test_both_name_the_same_keys_values_and_commands_in_each_row_and_section(english: Path, chinese: Path) -> None:
    assert marked(read(english)) == marked(read(chinese))


@PAIRS
def test_both_link_to_the_same_files_each_in_its_language(english: Path, chinese: Path) -> None:
    here = {
        first.relative_to(ROOT).as_posix(): second.relative_to(ROOT).as_posix() for first, second in TRANSLATED.items()
    }
    here["docs/round.svg"] = "docs/round.zh-CN.svg"
    here["docs/images/page.png"] = "docs/images/page.zh-CN.png"
    assert [here.get(link, link) for link in links(english)[1:]] == links(chinese)[1:]


@PAGES
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if not link.startswith("https://") and not (ROOT / link).exists()] == []


@PAIRS
def test_each_points_to_the_other_on_top(english: Path, chinese: Path) -> None:
    assert links(english)[0] == chinese.relative_to(ROOT).as_posix()
    assert links(chinese)[0] == english.relative_to(ROOT).as_posix()
    assert read(english).splitlines()[2].startswith("**English** | [简体中文](")
    assert read(chinese).splitlines()[2].endswith(" | **简体中文**")


def test_a_page_that_names_a_translation_has_one() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert {page for page in pages if "[简体中文](" in read(page)} == TRANSLATED.keys()


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


@PAGES
def test_every_command_and_option_exists(page: Path) -> None:
    known = commands(hidden=True)
    calls = lines_of_commands(read(page))
    assert len(calls) > 15 or page.stem not in {"README", "README.zh-CN"}
    for words in calls:
        name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        assert name in known, words
        options = {word for word in words if word.startswith("--")}
        assert options <= known[name], words


@PAGES
def test_every_setting_named_in_a_page_exists(page: Path) -> None:
    sections = "venue|accounts|redis|desk|strategy|limits|log|web|alerts|paper"
    named = {key.rstrip(".") for key in re.findall(rf"`((?:{sections})\.[a-z_.]+)`", read(page))}
    files = {name for name in named if name.endswith((".py", ".yaml", ".json"))}
    assert named - files - {"redis.conf", "redis.host", "redis.port", "redis.db"} <= set(KNOWN.leaves) | RETIRED_KEYS


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
    assert set(re.findall(r"`(--[a-z-]+)", without_code(text))) <= known
