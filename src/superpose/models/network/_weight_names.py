"""Names of weights as bundles of format 2 have them, before heads were kept by their targets."""

from __future__ import annotations

import re
from collections.abc import Sequence

from superpose.nn import module_key

LINEAR = {"heads": "heads.weight", "offsets": "heads.bias"}
OWN_FORM = {"places": "dense", "own": "custom"}


def current_name(name: str, targets: Sequence[str]) -> str:
    """Return the name that a stored weight has today; a name of today stays.

    Args:
        name: As it is stored.
        targets: Names of the network's targets, in the order of its heads.

    Example:
        >>> current_name("offsets", ["level"]), current_name("places.0.out.bias", ["depth"])
        ('heads.bias', 'dense.of depth.out.bias')
    """
    group, own = re.fullmatch(r"(networks\.\d+\.)?(.*)", name, re.DOTALL).groups("")  # type: ignore[union-attr]
    if own in LINEAR:
        return group + LINEAR[own]
    if (match := re.fullmatch(r"(places|own)\.(\d+)\.(.*)", own)) and int(match[2]) < len(targets):
        return f"{OWN_FORM[match[1]]}.{module_key(targets[int(match[2])])}.{match[3]}"
    return name
