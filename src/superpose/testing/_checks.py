"""Running a list of checks: every one that fails is named, not the first alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def run_checks(name: str, checks: Iterable[Callable[[], None]]) -> None:
    """Run checks and gather what they find.

    Args:
        name: What is checked, for the message.
        checks: Functions that raise AssertionError where a claim does not hold. Whatever else they
            raise is a fault of what is checked too.

    Raises:
        AssertionError: Every claim that does not hold, with the reason.
    """
    faults = []
    for check in checks:
        try:
            check()
        except Exception as error:  # a check that can't run has failed
            doc = (getattr(check, "__doc__", None) or "").strip().split("\n")[0]
            faults.append(f"  {doc or check}\n    {type(error).__name__}: {error}")
    if faults:
        count = f"{len(faults)} check{'s' * (len(faults) != 1)} failed"
        raise AssertionError("\n".join([f"{name}: {count}", *faults]))
