"""Reading files with a word and its labels on each line, a blank line between sentences."""

from pathlib import Path

import pyarrow as pa

from superpose.columns import open_text, require_utf8
from superpose.errors import DataError, beyond, location, message

# Of the ten columns of CoNLL-U those that hold a label for each word; the others are numbers of
# words, links between words and notes.
_UNIVERSAL = {1: "words", 2: "lemma", 3: "upos", 4: "xpos", 5: "feats", 7: "deprel"}
_SHOWN_LINES = 3


def read_conll(path: Path) -> pa.Table:
    """Reads a column file, gzipped or not, as one row for each sentence.

    Its columns are lists: ``words``, then ``column_2`` and so on, the last one ``tags``; of CoNLL-U
    ``words``, ``lemma``, ``upos``, ``xpos``, ``feats`` and ``deprel``, where ``_`` is missing.
    Columns are divided by tabs, or by blanks where there is no tab.

    Args:
        path: the file, not empty.

    Raises:
        DataError: lines with another number of columns than the first, with their numbers.
    """
    require_utf8(path)
    universal = ".conllu" in path.suffixes
    sentences: list[list[list[str]]] = [[]]
    n_columns = 0
    tabs = False
    uneven: list[str] = []
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            line = line.rstrip("\r\n")
            if not line.strip():
                if sentences[-1]:
                    sentences.append([])
                continue
            if line.startswith("-DOCSTART-") or (universal and line.startswith("#")):
                continue
            if not n_columns:
                tabs = "\t" in line
            cells = line.split("\t") if tabs else line.split()
            n_columns = n_columns or len(cells)
            if len(cells) != n_columns:
                uneven.append(f"line {number} has {len(cells)}")
            # Of CoNLL-U, words that were joined (1-2) or left out (1.1) have no label of their own.
            elif not universal or cells[0].isdigit():
                sentences[-1].append(cells)
    if not sentences[-1]:
        sentences.pop()
    _require_columns(path, n_columns, universal=universal, uneven=uneven)
    names = _UNIVERSAL if universal else _names(n_columns)
    return pa.table(
        {
            name: pa.array(
                [[_cell(cells[at], at, universal) for cells in rows] for rows in sentences],
                pa.list_(pa.string()),
            )
            for at, name in names.items()
        }
    )


def _names(n_columns: int) -> dict[int, str]:
    names = {0: "words", n_columns - 1: "tags"}
    names |= {at: f"column_{at + 1}" for at in range(1, n_columns - 1)}
    return dict(sorted(names.items()))


def _cell(text: str, at: int, universal: bool) -> str | None:
    # A word may be an underscore, and then so is its lemma.
    return None if universal and at > 2 and text == "_" else text


def _require_columns(path: Path, n_columns: int, *, universal: bool, uneven: list[str]) -> None:
    """Makes sure that every line has as many columns as the first, and at least a label."""
    if uneven:
        more = len(uneven) - _SHOWN_LINES
        shown = ", ".join(uneven[:_SHOWN_LINES]) + beyond(more, "; so it goes on in {} more")
        raise DataError(
            message(
                location(file=path, line=int(uneven[0].split()[1])),
                f"the first word has {n_columns} columns, {shown}",
                "as many columns for every word, and a blank line between sentences",
                fix="look for a missing label, or a blank inside of one",
            )
        )
    if n_columns < 2 or (universal and n_columns != 10):
        allowed = "the ten columns of CoNLL-U" if universal else "a word and at least one label"
        given = f"{n_columns} column{'s' * (n_columns != 1)} on each line"
        raise DataError(message(location(file=path), given, allowed))
