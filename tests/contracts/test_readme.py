"""What the pages say is true: their code runs, their commands exist, their links lead somewhere."""

import re
import runpy
import shlex
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import typer.main
import yaml

import superpose.prepare
from superpose.cli import app
from superpose.config import Config
from superpose.kinds import INPUT_KINDS, TARGET_KINDS
from superpose.methods import FUSION_METHODS
from superpose.nn import HEADS
from superpose.prepare import Prepared, prepare

ROOT = Path(__file__).parents[2]
README, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What pages add lines to.
TABLES: tuple[dict[Any, Any], ...] = (INPUT_KINDS, TARGET_KINDS, HEADS, FUSION_METHODS)
WRITTEN: list[str] = []  # modules that pages have made
ROWS = 150  # that a page's model is trained on: the code is what is tested here, not the model


def blocks(page: Path, *languages: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [code for language, code in BLOCK.findall(text) if language in languages]


def having(*languages: str) -> Any:
    pages = [page for page in PAGES if blocks(page, *languages)]
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.name)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Every model is trained on a few rows, for an epoch, without trees, in a folder of its own."""

    def small(table: pa.Table, config: Config) -> Prepared:
        some = np.unique(np.linspace(0, table.num_rows - 1, ROWS).astype(int))
        sizes = {"width": 8, "members": 1, "state": 4, "rank": 2, "embedding": 2}
        model = config.model.model_copy(update=sizes)
        training = config.training.model_copy(update={"epochs": 1, "batch_size": 32})
        wanted = config.proof.references
        least = {"folds": 2, "repeats": 1, "references": "network" if wanted == "all" else wanted}
        proof = config.proof.model_copy(update=least)
        parts = {"model": model, "training": training, "proof": proof}
        return prepare(table.take(pa.array(some)), config.model_copy(update=parts))

    monkeypatch.setattr(superpose.prepare, "prepare", small)
    monkeypatch.chdir(tmp_path)
    tables = [(table, dict(table)) for table in TABLES]
    with warnings.catch_warnings():
        # So few rows don't hold every class; what is warned about is not what is tested.
        warnings.simplefilter("ignore")
        yield
    for table, before in tables:
        table.clear()
        table.update(before)
    for name in WRITTEN:
        sys.modules.pop(name, None)
    WRITTEN.clear()


def run(code: str, names: dict[str, Any], where: str) -> None:
    """Runs a block; one that begins with the name of a source file becomes that module."""
    module = re.match(r"# src/(superpose/\S+)\.py\n", code)
    if module:
        name = module[1].replace("/", ".")
        WRITTEN.append(name)
        sys.modules[name] = types.ModuleType(name)
        names = vars(sys.modules[name])
        names["__package__"] = name.rpartition(".")[0]
    exec(compile(code, where, "exec"), names)


@having("python")
def test_the_python_blocks_of_a_page_run_one_after_the_other(page: Path, tiny: None) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for number, code in enumerate(blocks(page, "python"), start=1):
        run(code, names, f"{page.name}, block {number}")


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_runs_and_is_short(
    file: Path, tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Examples on public data say that it is missing; their own tests run them on a slice of it.
    monkeypatch.setenv("SUPERPOSE_DATA", str(tmp_path))
    runpy.run_path(str(file), run_name="__main__")
    assert len(file.read_text(encoding="utf-8").splitlines()) < 100


@having("yaml")
def test_the_settings_that_a_page_shows_are_valid(page: Path) -> None:
    for text in blocks(page, "yaml"):
        Config.model_validate(yaml.safe_load(text))


@having("sh")
def test_the_commands_that_a_page_shows_exist(page: Path) -> None:
    verbs = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    for line in "".join(blocks(page, "sh")).splitlines():
        words = shlex.split(line, comments=True)
        if not words or words[0] == "pip":
            continue
        assert words[0] in ("make", "superpose"), line
        if words[0] == "make":
            assert words[1] in rules, line
            continue
        assert words[1] in verbs, line
        known = {option for parameter in verbs[words[1]].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_both_readmes_show_the_same_code_but_for_comments() -> None:
    def bare(page: Path) -> list[str]:
        languages = ("python", "sh", "yaml", "text")
        return [re.sub(r" *#.*", "", code) for code in blocks(page, *languages)]

    assert bare(README) == bare(CHINESE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    text = re.sub(r"<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_page_of_settings_is_what_the_script_writes() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "write_settings_doc.py"), run_name="script")
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"](), (
        "docs/settings.md is not up to date; run python scripts/write_settings_doc.py"
    )
