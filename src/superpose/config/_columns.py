"""Declared columns; the options of a kind stand beside the name.

Kinds are looked up in the tables of `superpose.kinds`, so that a new kind needs no line here.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from superpose.errors import did_you_mean
from superpose.kinds import INPUT_KINDS, TARGET_KINDS, InputKind, TargetKind

from ._faults import Fault, report
from ._section import Name, Section, reject


def named(value: Any) -> Any:
    """A column may be given by its name alone."""
    return {"name": value} if isinstance(value, str | int | float) else value


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
    def declared_kind(self) -> str | None:
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
            raise reject(Fault(("decimal",), given, "for kind number or count only", fix))
        return self

    @model_validator(mode="after")
    def _options_of_kind(self) -> Self:
        if not self.model_extra:
            return self
        own = list(type(self).model_fields)
        refused = []
        able = [self.kind] if self.kind else self.candidates
        if not able and self.options:
            raise reject(*(self._homeless(key, own) for key in self.options))
        # Where several kinds have the options, one that takes them is enough: the values decide.
        for kind in able:
            try:
                self.kinds[kind].options.model_validate(self.model_extra)
                return self
            except ValidationError as error:
                known = [*own, *self.kinds[kind].options.model_fields]
                faults = report(error, self.model_extra, self.kinds[kind].options)
                refused.append([self._in_words(fault, kind, known) for fault in faults])
        if refused:
            raise reject(*refused[0])
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

    def _in_words(self, fault: Fault, kind: str, known: list[str]) -> Fault:
        """A fault of an option, with all that may stand beside it."""
        key = str(fault.keys[0])
        if key in known:
            return fault
        homes = self._homes(key)
        if not homes:
            return Fault(fault.keys, "unknown key", ", ".join(known), did_you_mean(key, known))
        fix = f"{key} belongs to kind {' or '.join(homes)}; remove it, or write `kind: {homes[0]}`"
        return Fault(fault.keys, f"{key} given for a column of kind {kind}", fix=fix)


class InputConfig(ColumnConfig):
    """One declared input; the options of its kind stand beside these keys.

    Args:
        name: name of the column.
        kind: what the column is; inferred when left out.
        missing: values of the column that stand for a missing one, such as [-999, none]; the usual
            words, such as NA and ?, when left out, and [] for no word at all.
        decimal: the sign before the decimals of numbers that are written as text; inferred when
            left out.
    """

    kinds: ClassVar[Mapping[str, type[InputKind | TargetKind]]] = INPUT_KINDS

    @field_validator("kind")
    @classmethod
    def _kind(cls, kind: str | None) -> str | None:
        return _known_kind(kind, INPUT_KINDS, other="target")


class TargetConfig(ColumnConfig):
    """One declared target; the options of its kind stand beside these keys.

    Args:
        name: name of the column.
        kind: what the column is; inferred when left out.
        missing: values that stand for a missing label, as of an input.
        decimal: the sign before decimals, as of an input.
        weight: weight in the loss of the multi-task network.
    """

    kinds: ClassVar[Mapping[str, type[InputKind | TargetKind]]] = TARGET_KINDS

    # Beyond, float32 has no digits left for the other targets' share of a gradient.
    weight: float = Field(default=1.0, ge=1e-6, le=1e6)

    @field_validator("kind")
    @classmethod
    def _kind(cls, kind: str | None) -> str | None:
        return _known_kind(kind, TARGET_KINDS, other="input")

    @model_validator(mode="after")
    def _not_of_itself(self) -> Self:
        if self.options.get("of") == self.name:
            fix = "name the input that the target is of"
            raise reject(Fault(("of",), f"{self.name!r} is the target itself", fix=fix))
        return self


def _known_kind(kind: str | None, known: Mapping[str, Any], *, other: str) -> str | None:
    """Makes sure that there is a kind of this name; `other` is the other role."""
    if kind is None or kind in known:
        return kind
    fix = did_you_mean(kind, known)
    if kind in (TARGET_KINDS if other == "target" else INPUT_KINDS):
        fix = f"{kind} is a kind of {other} only"
    raise reject(Fault((), f"{kind!r} given", ", ".join(known), fix))
