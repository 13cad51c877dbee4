"""The sections of the settings: each a model of its own, unknown keys and wrong values refused.

Kinds are looked up in the tables of `superpose.kinds`, so that a new kind needs no line here.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from superpose.balance import BALANCERS
from superpose.columns import wrong_letters
from superpose.errors import did_you_mean
from superpose.kinds import INPUT_KINDS, TARGET_KINDS, InputKind, TargetKind

from ._config_faults import Fault, report


def _word(value: Any) -> Any:
    """Column names such as 1 or 2020 are read as numbers; they are words."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else value


def named(value: Any) -> Any:
    """A column may be given by its name alone."""
    return {"name": value} if isinstance(value, str | int | float) else value


def method(value: Any) -> Any:
    """A balancing method may be given by its name alone."""
    return {"method": value} if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(min_length=1), BeforeValidator(_word)]
Share = Annotated[float, Field(gt=0, lt=1)]
# Bounds that nobody meets who means what is written: a slip of the keyboard is refused at once,
# where it would run for years or fill the memory. Sums of settings are for `data/_memory.py`.
Whole = Annotated[int, Field(ge=1, le=1_000_000)]
Width = Annotated[int, Field(ge=1, le=16_384)]  # a square matrix of it has 1 GiB
Layers = Annotated[int, Field(ge=1, le=128)]
Ahead = Annotated[int, Field(ge=1, le=10_000)]
# Networks that are trained side by side, or of which a network is made.
Copies = Annotated[int, Field(ge=1, le=1000)]
Auto = Literal["auto"]
PLAIN = "number"  # in place of a format of times: numbers that are no dates


def _reject(*faults: Fault) -> PydanticCustomError:
    """An error of a validator that carries faults with their places."""
    return PydanticCustomError("faults", "faults", {"faults": faults})


class Section(BaseModel):
    """A part of the settings: unknown keys are faults, and "3" is no number."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, validate_default=False
    )


class ColumnConfig(Section):
    """One declared column; beside what every column has it takes the options of its kind."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)
    kinds: ClassVar[Mapping[str, type[InputKind | TargetKind]]]

    name: Name
    kind: str | None = None
    missing: list[str | int | float] | None = None
    decimal: Literal[".", ","] | None = None

    @property
    def missing_words(self) -> tuple[str, ...] | None:
        """The values that stand for a missing one, as text; None where the usual words do."""
        return None if self.missing is None else ("", *(f"{word}".strip() for word in self.missing))

    @property
    def told(self) -> str | None:
        """The declared kind, or the only one that has all the options that are given."""
        able = self.candidates
        if self.kind is None and self.decimal is not None:
            return "number"
        return self.kind or (able[0] if len(able) == 1 else None)

    @property
    def candidates(self) -> list[str]:
        """The kinds with all the options that are given, where no kind is declared."""
        keys = set(self.options)
        if self.kind is not None or not keys:
            return []
        return [k for k, kind in self.kinds.items() if keys <= set(kind.options.model_fields)]

    @property
    def options(self) -> dict[str, Any]:
        """The options of the kind, as far as they are set."""
        return {key: value for key, value in (self.model_extra or {}).items() if value is not None}

    @model_validator(mode="after")
    def _decimal_of_numbers(self) -> Self:
        if self.decimal is not None and self.kind not in (None, "number", "count"):
            given = f"{self.decimal!r} given for a column of kind {self.kind}"
            fix = "remove it, or write `kind: number`"
            raise _reject(Fault(("decimal",), given, "for kind number or count only", fix))
        return self

    @model_validator(mode="after")
    def _options_of_kind(self) -> Self:
        if not self.model_extra:
            return self
        own, refused = list(type(self).model_fields), []
        able = [self.kind] if self.kind else self.candidates
        if not able and self.options:
            raise _reject(*(self._homeless(key, own) for key in self.options))
        # Where several kinds have the options, one that takes them is enough: the values decide.
        for told in able:
            try:
                self.kinds[told].options.model_validate(self.model_extra)
                return self
            except ValidationError as error:
                known = [*own, *self.kinds[told].options.model_fields]
                faults = report(error, self.model_extra, self.kinds[told].options)
                refused.append([self._in_words(fault, told, known) for fault in faults])
        if refused:
            raise _reject(*refused[0])
        return self

    def _homes(self, key: str) -> list[str]:
        """The kinds that have an option."""
        return [k for k, kind in self.kinds.items() if key in kind.options.model_fields]

    def _homeless(self, key: str, own: list[str]) -> Fault:
        """The fault of an option whose kind is not known."""
        if homes := self._homes(key):
            fix = f"add the kind it belongs to, such as `kind: {homes[0]}`"
            return Fault((key,), f"{key} given without a kind", f"kind {' or '.join(homes)}", fix)
        others = [o for kind in self.kinds.values() for o in kind.options.model_fields]
        allowed = f"{', '.join(own)}, and the options of its kind"
        return Fault((key,), "unknown key", allowed, did_you_mean(key, [*own, *others]))

    def _in_words(self, fault: Fault, told: str, known: list[str]) -> Fault:
        """A fault of an option, told with all that stands beside it."""
        key = str(fault.keys[0])
        if key in known:
            return fault
        homes = self._homes(key)
        if not homes:
            return Fault(fault.keys, "unknown key", ", ".join(known), did_you_mean(key, known))
        fix = f"{key} belongs to kind {' or '.join(homes)}; remove it, or write `kind: {homes[0]}`"
        return Fault(fault.keys, f"{key} given for a column of kind {told}", fix=fix)


class InputConfig(ColumnConfig):
    """One declared input; the options of its kind stand beside these keys.

    Args:
        name: name of the column.
        kind: a key of `INPUT_KINDS`; inferred when left out.
        missing: values of the column that stand for a missing one, such as [-999, none]; the usual
            words, such as NA and ?, when left out, and [] for no word at all.
        decimal: the sign before the decimals of numbers that are written as text; inferred when
            left out.
    """

    kinds: ClassVar[Mapping[str, type[InputKind | TargetKind]]] = INPUT_KINDS

    @field_validator("kind")
    @classmethod
    def _kind(cls, kind: str | None) -> str | None:
        return _known_kind(kind, "input", list(INPUT_KINDS), list(TARGET_KINDS))


class TargetConfig(ColumnConfig):
    """One declared target; the options of its kind stand beside these keys.

    Args:
        name: name of the column.
        kind: a key of `TARGET_KINDS`; inferred when left out.
        missing: values that stand for a missing label, as of an input.
        decimal: the sign before decimals, as of an input.
        weight: weight in the joint loss, from 0.000001 to 1000000.
    """

    kinds: ClassVar[Mapping[str, type[InputKind | TargetKind]]] = TARGET_KINDS

    # Beyond, float32 has no digits left for the other targets' share of a gradient.
    weight: float = Field(default=1.0, ge=1e-6, le=1e6)

    @field_validator("kind")
    @classmethod
    def _kind(cls, kind: str | None) -> str | None:
        return _known_kind(kind, "target", list(TARGET_KINDS), list(INPUT_KINDS))

    @model_validator(mode="after")
    def _not_of_itself(self) -> Self:
        if self.options.get("of") == self.name:
            fix = "name the input that the target is of"
            raise _reject(Fault(("of",), f"{self.name!r} is the target itself", fix=fix))
        return self


class SplitConfig(Section):
    """How rows are divided into training, validation and test.

    Args:
        by: how rows are drawn; `column` takes the words train, validation and test from a column.
        column: the column of groups, times or words, for `group`, `time` and `column`.
        groups: the column that tells which rows depend on each other, for `column`: folds keep
            such rows together and the test compares them as one.
        validation: share of the rows that chooses, between 0 and 1.
        test: share of the rows that is read once, at the end, between 0 and 1.
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
            raise _reject(*faults)
        return self


_SPLIT_COLUMNS = {"group": "group", "time": "date or time", "column": "train/validation/test"}


class WindowsConfig(Section):
    """Windows that are cut from a long table, which has a row for each step of a recording.

    Args:
        columns: the channels of a window, columns of numbers.
        time: the column that orders the steps of a recording; it rises from row to row.
        group: the column that tells recordings apart; without it the table is one recording.
        length: steps of a window, from 2 to 100000; the last of them is the row that it belongs to.
        step: steps from one window to the next, counted back from the end of a recording.
        ahead: steps that targets of kind forecast look ahead: 24 is each from 1 to 24, a list is
            those alone.
        gaps: what to do where the steps of a recording are not regular: `split` lets no window and
            no forecast go beyond such a place, `fill` puts missing steps into windows as steps
            without values, `refuse` is an error.
        every: usual time from one step to the next, above 0, in seconds where times are dates;
            found in the training rows by default, and kept, so that new rows are compared with it.
        format: how text or numbers in the column of time are written, such as "%d/%m/%Y", or
            `number` for numbers that are no dates; found in the training rows by default, and kept.
        weekdays: whether steps are counted in working days, without weekends; found in the training
            rows by default, and kept.
        regular: false takes each row for one step, however far the next is; found in the training
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
            raise _reject(Fault((), wrong, fix=f"or write `{PLAIN}` for numbers that are no dates"))
        return format

    @property
    def horizons(self) -> list[int]:
        """How many steps ahead forecasts look, increasing; empty without any."""
        if self.ahead is None:
            return []
        found = range(1, self.ahead + 1) if isinstance(self.ahead, int) else self.ahead
        return sorted(set(found))


class ModelConfig(Section):
    """The network.

    Args:
        fusion: how targets share; `superpose fusions` tells what each method is and costs.
        width: width of the trunk; auto is 192, for small tables 128, below 300 rows 64.
        members: members of the ensemble that share most weights; auto is 8, or 4 where folds
            are an ensemble already.
        depth: layers of the trunk.
        state: width of a task state.
        rank: rank of the attention between tasks.
        blocks: blocks of fusion, or layers of experts; 0 is the same as no fusion.
        embedding: width of the embedding of an input column.
        dropout: share of activations dropped in training, from 0 to below 1.
        donor_gradient: share of a listening target's gradient that reaches the targets it listens
            to, from 0 to 1; of the methods that listen.
        given: whether the model learns to use targets that are measured already.
    """

    fusion: Literal[
        "task-attention",
        "static",
        "inducing",
        "cross-stitch",
        "mmoe",
        "ple",
        "adatt",
        "mtan",
        "born",
        "born-real",
        "signed",
        "essay",
        "none",
    ] = "task-attention"
    width: Auto | Width = "auto"
    members: Auto | Copies = "auto"
    depth: Layers = 2
    state: Width = 32
    rank: Width = 16
    blocks: int = Field(default=1, ge=0, le=128)
    embedding: Width = 16
    dropout: float = Field(default=0.1, ge=0, lt=1)
    donor_gradient: float = Field(default=1.0, ge=0, le=1)
    given: bool = True


class TrainingConfig(Section):
    """The training loop.

    Args:
        epochs: most passes over the training rows.
        patience: passes without a better validation loss of any target before training stops.
        batch_size: rows per step; auto takes a sixteenth of the training rows, from 16 to 512.
        learning_rate: step size of AdamW, above 0 and at most 1.
        weight_decay: decoupled weight decay of AdamW, 0 or more.
        average: epochs over which the weights that predict are averaged, 0 or more; more suit long
            trainings with small batches.
        clip: largest norm of the gradient, above 0.
        accumulate: batches per step of the optimiser.
        precision: number format of the forward pass.
        device: where the network is trained.
        tracker: where the curves are also sent.
        max_minutes: minutes after which a network stops with what it has, or no limit.
        sampling: how often rows of each of several sources are drawn: in proportion to its rows n,
            to n ** (1 / temperature), or all alike.
        temperature: 1 is proportional, infinity would be uniform.
        modality_dropout: chance that an image, a sound, a text, a series or another input that is
            no plain column is hidden in a training row, from 0 to below 1: later rows may lack it.
    """

    epochs: Whole = 100
    patience: Whole = 8
    batch_size: Auto | Whole = "auto"
    learning_rate: float = Field(default=0.003, gt=0, le=1)
    # Weights shrink by rate times decay in a step: beyond 1 / rate they change their signs.
    weight_decay: float = Field(default=0.01, ge=0, le=100)
    average: float = Field(default=1.0, ge=0, le=1000)
    clip: float = Field(default=1.0, gt=0, le=1e6)
    accumulate: Whole = 1
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    tracker: Literal["none", "tensorboard", "wandb", "mlflow"] = "none"
    max_minutes: Annotated[float, Field(gt=0, le=1e6)] | None = None
    sampling: Literal["proportional", "temperature", "uniform"] = "proportional"
    temperature: float = Field(default=2.0, ge=1, le=1000)
    modality_dropout: float = Field(default=0.0, ge=0, lt=1)


class BalanceConfig(Section):
    """How targets are weighed against each other while the network learns.

    Args:
        method: `superpose balances` tells what each method is; sum takes the weights of the targets
            as they are.
        every: steps after which a method that reads gradients reads them again, 1 or more.
        at: where gradients are read: at the output of the trunk, or, exactly and at the price of a
            backward pass for each target, on all shared parameters.
        options: numbers that the method may be told, by name.
    """

    method: str = "sum"
    every: Whole = 4
    at: Literal["trunk", "parameters"] = "trunk"
    options: dict[str, float] = {}

    @field_validator("method")
    @classmethod
    def _method(cls, method: str) -> str:
        if method not in BALANCERS:
            fix = did_you_mean(method, BALANCERS)
            raise _reject(Fault((), f"{method!r} given", ", ".join(BALANCERS), fix))
        return method

    @model_validator(mode="after")
    def _options(self) -> Self:
        known, faults = BALANCERS[self.method].options, []
        for name, value in self.options.items():
            if name not in known:
                allowed = ", ".join(known) or f"none, {self.method} has no options"
                given, fix = f"{name!r} given for {self.method}", did_you_mean(name, known)
                faults.append(Fault(("options", name), given, allowed, fix))
            elif not known[name].least <= value <= known[name].most:
                least, most = known[name].least, known[name].most
                allowed = f"{least:g} to {most:g}"
                faults.append(Fault(("options", name), f"{value:g} given", allowed))
        if faults:
            raise _reject(*faults)
        return self


class ProofConfig(Section):
    """The references and the no-harm test.

    Args:
        references: which single-task models each target is tested against.
        trees: which boosted trees stand among them; auto is hist, and catboost where installed.
        delta: chance, per run, that a target worse than its reference ships; between 0 and 0.5.
        folds: folds of the out-of-fold predictions for small tables; auto is 5, or 10 below 800
            rows; 1 is one validation split, which is also the rule for large tables.
        repeats: how often the folds are drawn anew, 1 or more.
    """

    references: Literal["all", "none", "trees", "network"] = "all"
    trees: Auto | Annotated[list[Literal["hist", "catboost", "lightgbm"]], Field(min_length=1)] = (
        "auto"
    )
    delta: float = Field(default=0.05, gt=0, lt=0.5)
    folds: Auto | Copies = "auto"
    repeats: Copies = 1


def _known_kind(kind: str | None, role: str, known: list[str], other: list[str]) -> str | None:
    """Makes sure that there is a kind of this name for this role."""
    if kind is None or kind in known:
        return kind
    fix = did_you_mean(kind, known)
    if kind in other:
        fix = f"{kind} is a kind of {'input' if role == 'target' else 'target'} only"
    raise _reject(Fault((), f"{kind!r} given", ", ".join(known), fix))
