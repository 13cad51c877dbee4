"""What the command line does when it is stopped: one line that says how to go on, no traceback."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

INTERRUPTED, TERMINATED = 130, 143  # 128 and the number of the signal, as shells count


class Terminated(KeyboardInterrupt):
    """The system has asked the process to end; all that holds for Ctrl-C holds then too."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


@contextmanager
def stoppable() -> Iterator[None]:
    """Raises `Terminated` inside where the process is asked to end."""
    if threading.current_thread() is not threading.main_thread():  # no other may take signals
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def stopped(run: Path | None, command: str) -> str:
    """One line for who has stopped a command.

    Args:
        run: the folder of the run that was under way, if any was.
        command: the command as it was typed.

    Example:
        >>> stopped(None, "superpose predict runs/first new.csv")
        'stopped: nothing was written'
    """
    if run is None:
        return "stopped: nothing was written"
    if (run / "work").is_dir():
        again = command if "--resume" in command.split() else f"{command} --resume"
        return f"stopped: {run} keeps what is trained; go on with: {again}"
    if (run / "bundle").is_dir():
        return f"stopped: the run had ended already; all of it is in {run}"
    return "stopped: training had not begun, so nothing was written"
