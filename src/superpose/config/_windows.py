"""Windows that are cut from a table with a row for each step of time."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from superpose.columns import wrong_letters

from ._faults import Fault
from ._section import Ahead, Name, Section, Whole, reject

PLAIN = "number"  # in place of a format of times: numbers that are no dates


class WindowsConfig(Section):
    """Windows that are cut from a long table, which has a row for each step of a recording.

    Args:
        columns: the channels of a window, columns of numbers.
        time: the column that orders the steps of a recording; it rises from row to row.
        group: the column that tells recordings apart; without it the table is one recording.
        length: steps of a window; the last of them is the row that it belongs to.
        step: steps from one window to the next, counted back from the end of a recording.
        ahead: steps that targets of kind forecast look ahead: 24 is each from 1 to 24, a list is
            only those.
        gaps: what to do where the steps of a recording are not regular: `split` lets no window and
            no forecast go beyond such a step, `fill` puts missing steps into windows as steps
            without values, `refuse` is an error.
        every: usual time from one step to the next, in seconds where times are dates;
            from the training rows by default, and kept, so that new rows are compared with it.
        format: how text or numbers in the column of time are written, such as "%d/%m/%Y", or
            `number` for numbers that are no dates; from the training rows by default, and kept.
        weekdays: whether steps are counted in working days, without weekends; from the training
            rows by default, and kept.
        regular: false takes each row for one step, however far the next is; from the training
            rows by default, and kept.
        name: name of the input that holds the windows.
    """

    columns: list[Name] = Field(min_length=1)
    time: Name
    group: Name | None = None
    length: int = Field(ge=2, le=100_000)
    step: Whole = 1
    # Each step ahead has outputs and trees of its own.
    ahead: Ahead | Annotated[list[Whole], Field(min_length=1, max_length=10_000)] | None = None
    gaps: Literal["split", "fill", "refuse"] = "split"
    every: float | None = Field(default=None, gt=0, le=1e12)
    format: str | None = None
    weekdays: bool | None = None
    regular: bool | None = None
    name: Name = "window"

    @field_validator("format")
    @classmethod
    def _format(cls, format: str | None) -> str | None:
        if format not in (None, PLAIN) and (wrong := wrong_letters(str(format))):
            raise reject(Fault((), wrong, fix=f"or write `{PLAIN}` for numbers that are no dates"))
        return format

    @property
    def horizons(self) -> list[int]:
        """How many steps ahead forecasts look, increasing; empty without any."""
        if self.ahead is None:
            return []
        steps = range(1, self.ahead + 1) if isinstance(self.ahead, int) else self.ahead
        return sorted(set(steps))
