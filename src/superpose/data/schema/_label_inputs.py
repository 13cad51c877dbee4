"""Which input the labels of a target are of: an image, or words."""

from collections.abc import Mapping

import pyarrow.compute as pc

from superpose.columns import is_list, is_text, lists_words, require_aligned
from superpose.config import TargetConfig
from superpose.errors import listing
from superpose.kinds import INPUT_KINDS, Pictures

from ._column_checks import ColumnChecks, ColumnEntry
from ._guessing import guess_input, may_hold_words
from ._schema import has_column

# Kinds of an input that can be read word by word; None is one that nobody has declared.
READ_BY_WORDS = (None, "text", "pretrained-text")


class LabelInputs:
    """Finds the inputs that targets with several labels in a row are of.

    Args:
        checks: the table and its settings.
        ignored: columns that are not used; it is read late, and may grow until then.
    """

    def __init__(self, checks: ColumnChecks, ignored: Mapping[str, str]) -> None:
        self.checks = checks
        self.table = checks.table
        self.config = checks.config
        self.ignored = ignored

    # Targets of an image.

    def image_of(self, entry: ColumnEntry[TargetConfig]) -> str | None:
        """The image whose locations a target labels, or None if that is not known."""
        stated = entry.column.options.get("of")
        where = self.config.at(*entry.keys, "of")
        images = self.images()
        if stated is None and len(images) == 1:
            return images[0]
        if stated is None:
            given = f"target {entry.name!r} does not say which image it is of"
            fix = "write `of:` with the name of the image, and declare it as `kind: image`"
            self.checks.faults.add(where, given, listing(images), fix=fix)
            return None
        if not self.checks.known(stated, *entry.keys, "of"):
            return None
        if stated not in images:
            given = f"{stated!r} is no image among the inputs"
            fix = f"write `{{name: {stated}, kind: image}}` under inputs"
            self.checks.faults.add(where, given, listing(images), fix=fix)
            return None
        return str(stated)

    def images(self) -> list[str]:
        """The inputs that are images: declared, or guessed."""
        taken = {target.name for target in self.config.targets} | set(self.ignored)
        if self.config.inputs == "auto":
            kinds = dict.fromkeys(n for n in self.table.column_names if n not in taken)
        else:
            kinds = {column.name: column.declared_kind for column in self.config.inputs}
        there = {name: kind for name, kind in kinds.items() if has_column(self.table, name)}
        return [
            name
            for name, kind in there.items()
            if _shows(kind or guess_input(name, self.table.column(name)).kind)
        ]

    # Targets with a label for each word of an input.

    def candidates(self) -> list[str]:
        """The columns that may hold the words that a target labels."""
        taken = {target.name for target in self.config.targets} | set(self.ignored)
        if self.config.inputs != "auto":
            named = [
                column for column in self.config.inputs if column.declared_kind in READ_BY_WORDS
            ]
            taken |= set(self.table.column_names) - {column.name for column in named}
        return [name for name in self.table.column_names if name not in taken]

    def lists_like(self, entry: ColumnEntry[TargetConfig]) -> list[str]:
        """The columns with lists of words that are as long as a target's in every row."""
        if not lists_words(entry.values.type):
            return []
        lengths = pc.list_value_length(entry.values)
        if pc.count_distinct(lengths).as_py() < 2:
            return []  # a list of the same three names in every row may be anything
        columns = []
        for other in self.candidates():
            words = self.table.column(other)
            if lists_words(words.type):
                same = pc.equal(pc.list_value_length(words), lengths)
                if pc.all(same, min_count=0).as_py():
                    columns.append(other)
        return columns

    def words_of(self, entry: ColumnEntry[TargetConfig]) -> str | None:
        """The input whose words a target labels, or None if that is not known."""
        column = entry.column.options.get("of")
        where = self.config.at(*entry.keys, "of")
        if column is None:
            columns = self.lists_like(entry)
            if not columns:
                columns = [c for c in self.candidates() if may_hold_words(self.table.column(c))]
            if len(columns) != 1:
                given = f"target {entry.name!r} does not say which input its labels are of"
                fix = "write `of:` with the name of the input"
                self.checks.faults.add(where, given, listing(columns or self.candidates()), fix=fix)
                return None
            column = columns[0]
        elif not self.checks.known(column, *entry.keys, "of"):
            return None
        elif column not in self.candidates():
            given = f"{column!r} is no text among the inputs"
            fix = "take it up under inputs, or out of ignore"
            self.checks.faults.add(where, given, listing(self.candidates()), fix=fix)
            return None
        words = self.table.column(column)
        if not (is_text(words.type) or is_list(words.type)):
            given = f"column {column!r} holds {words.type}"
            self.checks.faults.add(
                where, given, "lists of words, or text with blanks between the words"
            )
            return None
        before = len(self.checks.faults.messages)
        self.checks.attempt(
            entry.keys, require_aligned, entry.name, entry.values, of=column, words=words
        )
        if len(self.checks.faults.messages) > before:
            return None
        return column


def _shows(kind: str | None) -> bool:
    """Whether an input kind is one of images."""
    return kind in INPUT_KINDS and issubclass(INPUT_KINDS[kind], Pictures)
