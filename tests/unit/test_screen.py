"""What the command line shows of tables too wide to be shown whole."""

from __future__ import annotations

import pytest

from superpose.cli._screen import (
    SHOWN,
    WIDE,
    print_conversions,
    print_schema,
    print_warnings,
    reading_spinner,
)
from superpose.data import ColumnSpec, Schema


def schema(inputs: int) -> Schema:
    specs = [ColumnSpec(f"x{i}", "number") for i in range(inputs)]
    return Schema(specs, [ColumnSpec("y", "number")])


def test_columns_beyond_those_shown_are_counted(capsys):
    print_schema(schema(SHOWN + 1234))
    shown = capsys.readouterr().out
    assert f"x{SHOWN - 1} " in shown
    assert f"x{SHOWN} " not in shown
    assert "input: 1,234 columns more" in shown


def test_a_table_that_fits_is_shown_whole(capsys):
    print_schema(schema(SHOWN))
    assert "more" not in capsys.readouterr().out


@pytest.mark.parametrize("tell", [print_warnings, print_conversions])
def test_sentences_beyond_those_shown_are_counted(capsys, tell):
    tell([f"sentence {i}." for i in range(SHOWN + 7)])
    shown = capsys.readouterr().out
    assert f"sentence {SHOWN - 1}." in shown
    assert f"sentence {SHOWN}." not in shown
    assert "and 7 more; the report of a run has them all" in shown


def test_only_a_wide_table_says_that_it_takes_time(capsys):
    with reading_spinner(WIDE - 1, 60):
        pass
    assert capsys.readouterr() == ("", "")
    with reading_spinner(20_000, 60):
        pass
    assert capsys.readouterr() == ("", "looking at 20,000 columns of 60 rows\n")
