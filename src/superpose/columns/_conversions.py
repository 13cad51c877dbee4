"""Notes of readers on their tables, kept in the metadata of these."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from superpose.errors import listing

# More columns than these with the same sentence share one line.
_SHOWN_ALONE = 3
_CELLS = re.compile(
    r"column (?P<name>'.*?'|\".*?\"): (?P<count>\d+) cells? (?P<what>.*)", re.DOTALL
)
CONVERSIONS = b"superpose.conversions"
WARNINGS = b"superpose.warnings"
_STEPS = b"superpose.steps"


def conversions_of(table: pa.Table) -> list[str]:
    """What a reader has read otherwise than it is written, one sentence each."""
    return _sentences_of(table, CONVERSIONS)


def warnings_of(table: pa.Table) -> list[str]:
    """What the user should know of a file or folder that was read, one sentence each."""
    return _sentences_of(table, WARNINGS)


def with_conversions(table: pa.Table, sentences: Iterable[str]) -> pa.Table:
    """Notes in the metadata of a table what its reader has read otherwise than it is written.

    Args:
        table: what was read.
        sentences: sentences that `message` has written: where, how many and what, how to keep it.
    """
    return _with(table, CONVERSIONS, sentences)


def with_warnings(table: pa.Table, sentences: Iterable[str]) -> pa.Table:
    """Notes in the metadata of a table what the user should know of it, one sentence each."""
    return _with(table, WARNINGS, sentences)


@dataclass
class ReadNotes:
    """Notes of a reader, gathered on the way.

    Args:
        conversions: what is read otherwise than it is written.
        warnings: what the user should know.
    """

    conversions: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def on(self, table: pa.Table) -> pa.Table:
        """The table with these notes in its metadata."""
        return with_warnings(with_conversions(table, self.conversions), self.warnings)


def steps_of(table: pa.Table) -> dict[str, Any]:
    """What the reader learned of the steps of time of a table whose windows are cut, by setting."""
    return json.loads((table.schema.metadata or {}).get(_STEPS, b"{}"))


def with_steps(table: pa.Table, settings: dict[str, Any]) -> pa.Table:
    """Notes in the metadata of a table what the reader learned of its steps of time, by setting."""
    known = table.schema.metadata or {}
    return table.replace_schema_metadata({**known, _STEPS: json.dumps(settings).encode()})


def summary(sentences: Iterable[str]) -> list[str]:
    """A short form of a long list: one line for many columns with the same sentence.

    Example:
        >>> sentences = [f"column '{x}': 2 cells read as missing (2 'NA'); fix" for x in "abcd"]
        >>> summary(sentences)
        ["4 columns: 8 cells read as missing ('a' 2, 'b' 2, 'c' 2, 'd' 2), such as 2 'NA'; fix"]
        >>> summary(sentences[:3]) == sentences[:3]
        True
    """
    alike: dict[str, list[re.Match[str] | str]] = {}
    for sentence in sentences:
        match = _CELLS.fullmatch(sentence)
        alike.setdefault(_shape(match["what"]) if match else sentence, []).append(match or sentence)
    lines = []
    for what, group in alike.items():
        matches = [one for one in group if isinstance(one, re.Match)]
        if len(matches) <= _SHOWN_ALONE:
            lines += [one if isinstance(one, str) else one.string for one in group]
            continue
        what, _, fix = what.partition("; ")
        columns = listing(f"{one['name']} {one['count']}" for one in matches)
        example = re.search(r" \((.*?)\)", matches[0]["what"])
        such = f", such as {example[1]}" if example else ""
        total = sum(int(one["count"]) for one in matches)
        line = f"{len(matches)} columns: {total} cells {what} ({columns}){such}"
        lines.append(f"{line}; {fix}" if fix else line)
    return lines


def _shape(sentence: str) -> str:
    """A sentence without what stands in brackets, which is an example of the column's own."""
    return re.sub(r" \(.*?\)", "", sentence)


def unstated(sentences: Iterable[str], before: Iterable[str]) -> list[str]:
    """Those sentences that were not stated before, with whatever numbers.

    Example:
        >>> unstated(["3 cells turned", "2 cells cut"], ["70 cells turned"])
        ['2 cells cut']
    """

    def sense(sentence: str) -> str:
        return re.sub(r"\d+", "", _shape(sentence))

    known = set(map(sense, before))
    return [sentence for sentence in sentences if sense(sentence) not in known]


def _sentences_of(table: pa.Table, key: bytes) -> list[str]:
    return list(json.loads((table.schema.metadata or {}).get(key, b"[]")))


def _with(table: pa.Table, key: bytes, sentences: Iterable[str]) -> pa.Table:
    every = [*_sentences_of(table, key), *sentences]
    known = table.schema.metadata or {}
    return table.replace_schema_metadata({**known, key: json.dumps(every).encode()})
