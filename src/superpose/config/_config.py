"""The settings of a run: what superpose.yaml may hold, with every fault named at once."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Self, TypedDict, Unpack

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, model_validator

from superpose.columns import local_path
from superpose.errors import ConfigError, Faults, key_path, location, message

from ._balance import BalanceConfig, method
from ._columns import InputConfig, TargetConfig, named
from ._crossings import crossings
from ._deploy import DeployConfig
from ._faults import Keys, report
from ._model import ModelConfig
from ._proof import ProofConfig
from ._renamed import renamed
from ._section import Auto, Name, Section
from ._split import SplitConfig
from ._training import TrainingConfig
from ._windows import WindowsConfig
from ._yaml import dump_yaml, load_yaml

# Columns are given by name, as mappings such as {"name": "level", "kind": "ordinal"}, or as one
# mapping from name to kind.
Columns = str | Sequence[str | Mapping[str, Any]] | Mapping[str, str]


class Arguments(TypedDict, total=False):
    """The settings of a run as Python arguments; sections are mappings or models.

    Args:
        targets: the columns to predict; the one argument that can't be left out.
        groups: names of targets that share a network, group by group.
        inputs: "auto", or columns in the form of `targets`.
        ignore: columns that are not used.
        windows: how rows are cut from a table with a row for each step of time.
        split: the name of a split without column, or a mapping of its settings.
        model: settings of the network.
        training: settings of the training loop.
        balance: the name of a balancing method, or a mapping of its settings.
        proof: settings of the references and the no-harm test.
        deploy: settings of what is deployed.
        references: short for `proof={"references": ...}`.
        seed: seed of every random choice.
        data: path of the table.
    """

    targets: Columns
    groups: Sequence[Sequence[str]]
    inputs: Columns
    ignore: Sequence[str]
    windows: Mapping[str, Any] | WindowsConfig | None
    split: str | Mapping[str, Any] | SplitConfig | None
    model: Mapping[str, Any] | ModelConfig | None
    training: Mapping[str, Any] | TrainingConfig | None
    balance: str | Mapping[str, Any] | BalanceConfig | None
    proof: Mapping[str, Any] | ProofConfig | None
    deploy: Mapping[str, Any] | DeployConfig | None
    references: str | None
    seed: int
    data: str | PathLike[str] | None


class Config(Section):
    """All settings of a run.

    Args:
        data: path of the table, relative to the folder of the file that names it.
        sources: paths of several tables by name, in place of `data`; each has its own rows, and
            any of the inputs and targets.
        targets: the columns to predict: names, or a name with its kind and other keys.
        groups: targets that share a network, group by group; a target that no group names has one
            of its own. Without groups all targets share one.
        inputs: the columns to predict from; `auto` takes every column that is useful.
        ignore: columns that are not used.
        windows: how rows are cut from a table with a row for each step of time, if they are.
        split: how rows are divided; windows are divided by their group, or by time without one.
        model: the network.
        training: the training loop.
        balance: how targets are weighed against each other; the name of a method, or its settings.
        proof: the references and the no-harm test.
        deploy: what is deployed after the proof.
        seed: seed of every random choice.

    Example:
        >>> config = Config.from_arguments(targets=["pm25", {"name": "level", "kind": "ordinal"}])
        >>> [target.name for target in config.targets]
        ['pm25', 'level']
    """

    data: Name | None = None
    sources: Annotated[dict[str, Name], Field(min_length=2)] | None = None
    targets: list[Annotated[TargetConfig, BeforeValidator(named)]] = Field(min_length=1)
    groups: list[Annotated[list[Name], Field(min_length=1)]] = []
    ignore: list[Name] = []
    inputs: (
        Auto | Annotated[list[Annotated[InputConfig, BeforeValidator(named)]], Field(min_length=1)]
    ) = "auto"
    windows: WindowsConfig | None = None
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    balance: Annotated[BalanceConfig, BeforeValidator(method)] = BalanceConfig()
    proof: ProofConfig = ProofConfig()
    deploy: DeployConfig = DeployConfig()
    # The largest seed that numpy takes.
    seed: int = Field(default=0, ge=0, le=2**32 - 1)

    _path: Path | None = PrivateAttr(None)
    _lines: dict[Keys, int] = PrivateAttr(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        """Settings are equal when their values are; where they were written does not count."""
        return isinstance(other, Config) and self.model_dump() == other.model_dump()

    @model_validator(mode="before")
    @classmethod
    def _under_new_names(cls, values: Any) -> Any:
        """Bundles keep the keys of the version that wrote them."""
        return renamed(values).values if isinstance(values, Mapping) else values

    @classmethod
    def from_arguments(cls, **arguments: Unpack[Arguments]) -> Self:
        """Builds the settings from Python arguments, with the checks of the file.

        Args:
            arguments: as `Arguments` tells.

        Raises:
            ConfigError: names every fault.
        """
        values: dict[str, Any] = {k: v for k, v in arguments.items() if v is not None}
        for key in ("targets", "inputs", "ignore"):
            if key in values and (key, values[key]) != ("inputs", "auto"):
                values[key] = _columns(values[key])
        if "groups" in values:
            values["groups"] = _lists(values["groups"])
        if isinstance(values.get("split"), str):
            values["split"] = {"by": values["split"]}
        if "data" in values:
            values["data"] = str(values["data"])
        if "references" in values:
            values["proof"] = _with_references(values.pop("references"), values.get("proof"))
        return cls._checked(values)

    @classmethod
    def _checked(
        cls,
        values: Mapping[str, Any],
        path: Path | None = None,
        lines: dict[Keys, int] | None = None,
    ) -> Self:
        """Validates plain values, with the lines of a file where there is one."""
        current = renamed(values)
        # A fault of a value names the line where the value stands, under whatever name.
        lines = {**(lines or {}), **_lines_of_new(lines or {}, current.old)}
        # A key whose entries are all commented out holds nothing, which means its default.
        values = {
            key: value
            for key, value in current.values.items()
            if value is not None or key not in cls.model_fields or key == "targets"
        }
        faults = [*current.faults, *crossings(values)]
        config = None
        try:
            config = cls.model_validate(values)
        except ValidationError as error:
            faults = [*report(error, values, cls), *faults]
        gathered = Faults(ConfigError)
        # In the order of the file; `sorted` keeps the order of what has no line.
        for fault in sorted(faults, key=lambda fault: _line(lines, fault.keys) or 0):
            gathered.add(
                _location(path, lines, fault.keys), fault.given, fault.allowed, fix=fault.fix
            )
        gathered.raise_any()
        for old, new in current.old.items():
            _warn_of_old_key(_location(path, lines, old), old, new)
        assert config is not None
        config._path, config._lines = path, lines
        return config

    def override(self, *, references: str | None = None, seed: int | None = None) -> Self:
        """The same settings, with what a command line says in place of the file.

        Args:
            references: as in `from_arguments`; None keeps what is set.
            seed: as in `from_arguments`; None keeps what is set.

        Raises:
            ConfigError: names every fault.

        Example:
            >>> Config.from_arguments(targets="pm25").override(references="trees").proof.references
            'trees'
        """
        values = self.model_dump(exclude_unset=True)
        if references is not None:
            values["proof"] = {**values.get("proof", {}), "references": references}
        if seed is not None:
            values["seed"] = seed
        # Checked without the lines of the file: a fault here does not stand in it.
        config = self._checked(values)
        config._path, config._lines = self._path, self._lines
        return config

    def at(self, *keys: str | int) -> str:
        """Names the location of a setting: its line where it was read from a file.

        Args:
            keys: the way to the setting, such as `"targets", 2, "name"`.
        """
        return _location(self._path, self._lines, keys)

    @property
    def data_path(self) -> Path | dict[str, Path] | None:
        """Path of the table, or of each source by its name, from the working folder."""
        folder = Path() if self._path is None else self._path.parent
        if self.sources is not None:
            return {name: _beside(folder, path) for name, path in self.sources.items()}
        return None if self.data is None else _beside(folder, self.data)

    def to_yaml(self) -> str:
        """Writes the settings, defaults too, as `load_config` reads them."""
        values = self.model_dump(mode="json", exclude_none=True)
        return dump_yaml(values)


def load_config(path: str | PathLike[str]) -> Config:
    """Reads the settings of a run from a YAML file.

    Args:
        path: the file, superpose.yaml as a rule.

    Raises:
        ConfigError: the file can't be read, or names every fault in it with its line.
    """
    path = local_path(path, ConfigError)
    values, lines = load_yaml(path)
    return Config._checked(values, path, lines)


def _beside(folder: Path, path: str) -> Path:
    """A path from a folder; an absolute one, or one from the home folder, as it is."""
    return folder / local_path(path, ConfigError)


def _with_references(references: str, proof: Any) -> dict[str, Any]:
    """The section `proof` with the references that were given beside it."""
    if isinstance(proof, ProofConfig):
        proof = proof.model_dump(exclude_unset=True)
    other = (proof or {}).get("references", references)
    if other != references:
        given = f"{references!r} given beside proof={{'references': {other!r}}}"
        raise ConfigError(message("references", given, "one of the two", fix="remove one"))
    return {**(proof or {}), "references": references}


def _columns(columns: Any) -> Any:
    """The columns of an argument as a list; a mapping gives each name its kind."""
    if isinstance(columns, str):
        return [columns]
    if isinstance(columns, Mapping):
        return [{"name": name, "kind": kind} for name, kind in columns.items()]
    if isinstance(columns, set | frozenset):
        columns = sorted(columns, key=str)  # a set has another order in every process
    if isinstance(columns, Iterable):
        return [dict(one) if isinstance(one, Mapping) else one for one in columns]
    return columns


def _lists(groups: Any) -> Any:
    """The groups of an argument as lists."""
    if isinstance(groups, str) or not isinstance(groups, Iterable):
        return groups
    return [group if isinstance(group, str) else _columns(group) for group in groups]


def _location(path: Path | None, lines: Mapping[Keys, int], keys: Keys) -> str:
    """The location of a setting, with the line of the nearest key that stands in the file."""
    return location(file=path, line=_line(lines, keys), key=key_path(keys))


def _line(lines: Mapping[Keys, int], keys: Keys) -> int | None:
    """The line of a setting, or of the nearest key around it that stands in the file."""
    return next((lines[keys[:n]] for n in range(len(keys), -1, -1) if keys[:n] in lines), None)


def _lines_of_new(lines: Mapping[Keys, int], old: Mapping[Keys, Keys]) -> dict[Keys, int]:
    """The lines of values that stand under an old key, by the new one."""
    return {new: lines[key] for key, new in old.items() if key in lines}


def _warn_of_old_key(where: str, old: Keys, new: Keys) -> None:
    """Tells that a key has another name now."""
    fix = f"write {key_path(new)}; the next version will not know {key_path(old)}"
    warnings.warn(
        message(where, "an old name of this setting", fix=fix), FutureWarning, stacklevel=4
    )
