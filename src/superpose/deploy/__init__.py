"""Deployment: folders that are saved whole, checked when loaded, and never run code."""

from ._runs import load_bundle, locked, open_run, require_run, settings_text, source_name
from ._store import is_folder, load_folder, require_writable, save_folder, write_file

__all__ = [
    "is_folder",
    "load_bundle",
    "load_folder",
    "locked",
    "open_run",
    "require_run",
    "require_writable",
    "save_folder",
    "settings_text",
    "source_name",
    "write_file",
]
