"""Lists that were written as text are lists again."""

import pyarrow as pa
import pytest

from superpose.data.read._list_text import as_lists
from superpose.data.read._reading import read_table
from superpose.errors import DataError


@pytest.mark.parametrize(
    ("cells", "lists"),
    [
        (["['red', 'blue']", "[]", None, ""], [["red", "blue"], [], None, None]),
        (['["red", "blue"]', '["red"]'], [["red", "blue"], ["red"]]),
        (["('a', 'b')", "('c',)"], [["a", "b"], ["c"]]),
        (["{'b', 'a'}", "{'c'}"], [["a", "b"], ["c"]]),
        (["['red' 'blue']", "['red']"], [["red", "blue"], ["red"]]),
        (["[np.str_('a'), np.str_('b')]", "[np.str_('a')]"], [["a", "b"], ["a"]]),
        (["[np.float64(1.5)]", "NA"], [[1.5], None]),
        (["[1, 2]", "[3]"], [[1, 2], [3]]),
        (["[0.5 1.5]", "[2. -3e1]"], [[0.5, 1.5], [2.0, -30.0]]),
        (["[[1.0, 2.0], [3.0, 4.0]]"], [[[1.0, 2.0], [3.0, 4.0]]]),
    ],
)
def test_written_lists_are_read(cells: list[str | None], lists: list) -> None:
    result = as_lists("x", pa.chunked_array([pa.array(cells, pa.string())]))
    assert result is not None
    assert result[0].to_pylist() == lists
    assert result[1].endswith("with a list written as text are read as lists")


@pytest.mark.parametrize(
    "cells",
    [
        ["red", "blue"],
        ["[note] see below", "(a), (b)", "[1] a paper"],
        ['[{"class": "cat", "box": [0, 0, 1, 1]}]', "[]"],  # the kind boxes reads these
        ["[1, 'a']", "['b', 2]"],  # members of several types
        ["[" * 5000, "[" * 5000],
        ["[f(1)]", "[__import__('os')]"],
    ],
)
def test_other_text_stays_text(cells: list[str]) -> None:
    assert as_lists("x", pa.chunked_array([cells])) is None


def test_a_broken_list_among_others_is_named() -> None:
    cells = pa.chunked_array([["['a']"] * 20 + ["['a'"]])
    with pytest.raises(DataError) as caught:
        as_lists("tags", cells)
    assert str(caught.value) == (
        "column 'tags', row 20: \"['a'\" is no list, as the cells of 20 rows are; mend the cell"
    )


def test_the_table_tells_of_lists(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,t\n1,\"['a', 'b']\"\n2,[]\n")
    table = read_table(path)
    assert table["t"].to_pylist() == [["a", "b"], []]
    assert b"2 cells with a list" in table.schema.metadata[b"superpose.conversions"]
