"""The former home of ``superpose.kinds``, for one version."""

from typing import TYPE_CHECKING

from superpose.moved import moved_names

if not TYPE_CHECKING:  # type checkers know the new names only
    __getattr__ = moved_names(
        __name__,
        {
            name: f"superpose.kinds:{name}"
            for name in ("INPUT_KINDS", "TARGET_KINDS", "InputKind", "TargetKind", "mask_array")
        },
    )
