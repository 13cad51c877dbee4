"""Memory that is checked before it is taken: what the machine can't give is refused."""

from pathlib import Path

from superpose.errors import SuperposeError, message

# The limit of a container, where there is one; beside it what it uses.
_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
_MEMINFO = "/proc/meminfo"


def available_memory() -> int | None:
    """Bytes that can be had without swapping, or None where the system does not tell."""
    limits = [_number(limit) - _number(used) for limit, used in _LIMITS if _number(limit)]
    try:
        lines = Path(_MEMINFO).read_text(encoding="ascii").splitlines()
        limits += [
            int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")
        ]
    except (OSError, ValueError):
        pass
    return min(limits, default=None)


def _number(path: str) -> int:
    """The number in a file of the system; 0 without one, and where it says max."""
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def require_memory(
    needed: float, where: str, *, what: str, fix: str, error: type[SuperposeError]
) -> None:
    """Makes sure that the machine has the memory for something, as far as it tells.

    Args:
        needed: bytes, estimated from below, so that nothing is refused that would have fitted.
        where: the location that the message begins with.
        what: what takes the memory.
        fix: the settings that drive it, and what to do.
        error: the class of the error.

    Raises:
        SuperposeError: there is less than that.
    """
    there = available_memory()
    if there is not None and needed > there:
        given = f"{what} would take {needed / 1e9:,.1f} GB"
        raise error(message(where, given, f"{there / 1e9:,.1f} GB, which the machine has", fix=fix))
