"""How rows are divided into training, validation and test."""

from typing import Literal, Self

from pydantic import model_validator

from ._faults import Fault
from ._section import Name, Section, Share, reject


class SplitConfig(Section):
    """How rows are divided into training, validation and test.

    Args:
        by: how rows are drawn; `column` takes the words train, validation and test from a column.
        column: the column of groups, times or words, for `group`, `time` and `column`.
        groups: the column that tells which rows depend on each other, for `column`: folds keep
            such rows together and the test compares them as one.
        validation: share of the rows that chooses.
        test: share of the rows that is read once, at the end.
    """

    by: Literal["random", "stratified", "group", "time", "column"] = "stratified"
    column: Name | None = None
    groups: Name | None = None
    validation: Share = 0.15
    test: Share = 0.15

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = []
        if self.by in ("group", "time", "column") and self.column is None:
            fix = f"add `column:` with the name of the {_SPLIT_COLUMNS[self.by]} column"
            faults.append(Fault(("column",), f"no column given for a split by {self.by}", fix=fix))
        if self.by in ("random", "stratified") and self.column is not None:
            given = f"{self.column!r} given for a split by {self.by}"
            fix = "write `by: group`, `by: time` or `by: column`, or remove the column"
            faults.append(Fault(("column",), given, fix=fix))
        if self.groups is not None and self.by != "column":
            given = f"{self.groups!r} given for a split by {self.by}"
            fix = "write `by: group` and name it as `column`, or remove it"
            faults.append(Fault(("groups",), given, "for a split by column only", fix))
        elif self.groups is not None and self.groups == self.column:
            given = f"{self.groups!r} given, which is the column of train, validation and test"
            fix = "name the column whose equal values depend on each other, or remove it"
            faults.append(Fault(("groups",), given, fix=fix))
        if self.validation + self.test >= 1:
            given = f"validation {self.validation} and test {self.test} leave nothing to train on"
            faults.append(Fault(("test",), given, "together below 1", "make one smaller"))
        if faults:
            raise reject(*faults)
        return self


_SPLIT_COLUMNS = {"group": "group", "time": "date or time", "column": "train/validation/test"}
