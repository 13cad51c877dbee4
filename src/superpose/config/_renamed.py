"""Keys that have got another name; the old ones are read for one version, with a warning."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ._faults import Fault, Keys

# Section and old key -> new key; an entry is removed two releases after it came.
RENAMED: dict[tuple[str, str], str] = {("proof", "delta"): "alpha"}


class Renamed(NamedTuple):
    """Settings under the names that keys have now.

    Args:
        values: the plain values.
        old: each old key that stood there, with the new one.
        faults: keys that stand there under both names.
    """

    values: dict[str, Any]
    old: dict[Keys, Keys]
    faults: list[Fault]


def renamed(values: Mapping[str, Any]) -> Renamed:
    """Puts values under the names that keys have now.

    Args:
        values: the plain values of the settings; they are not changed.

    Example:
        >>> renamed({"proof": {"delta": 0.1}}).values
        {'proof': {'alpha': 0.1}}
    """
    result = Renamed(dict(values), {}, [])
    for (section, old), new in RENAMED.items():
        part = result.values.get(section)
        if not isinstance(part, Mapping) or old not in part:
            continue
        if new in part:
            given = f"given beside {section}.{new}, which is its new name"
            result.faults.append(Fault((section, old), given, fix="remove it"))
            part = {key: value for key, value in part.items() if key != old}
        else:
            part = {new if key == old else key: value for key, value in part.items()}
            result.old[section, old] = (section, new)
        result.values[section] = part
    return result
