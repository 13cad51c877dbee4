"""Several sources in one table: each with its own rows, columns and labels."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import is_text
from superpose.errors import DataError, Faults, listing, location, message

SOURCE = "source"  # the column that names the source of each row


def join_sources(
    tables: Mapping[str, pa.Table], folders: Mapping[str, Path | None]
) -> tuple[pa.Table, Path | None]:
    """Puts the rows of several tables below each other, with the column ``source``.

    A column that a source lacks is empty in its rows. Paths of files that stand beside a source are
    made whole where the sources come from different folders.

    Args:
        tables: a table by the name of its source.
        folders: the folder of each source's file, None for a frame.

    Returns:
        The table, and the folder that its paths start from.

    Raises:
        DataError: every column whose types differ between sources, or that is named ``source``.

    Example:
        >>> written = pa.table({"pixel": [0.5, 0.1], "digit": [3, 7]})
        >>> spoken = pa.table({"pitch": [90.0], "digit": [7], "speaker": ["Ann"]})
        >>> both, _ = join_sources({"written": written, "spoken": spoken}, {})
        >>> both["source"].to_pylist(), both["speaker"].to_pylist()
        (['written', 'written', 'spoken'], [None, None, 'Ann'])
    """
    faults = Faults(DataError)
    types: dict[str, dict[str, pa.DataType]] = {}
    for name, table in tables.items():
        if SOURCE in table.column_names:
            given = f"source {name!r} has a column {SOURCE!r} already"
            faults.add(location(column=SOURCE), given, fix="rename it: it names the sources")
        for field in table.schema:
            if not pa.types.is_null(field.type):
                types.setdefault(field.name, {})[name] = field.type
    for column, by_source in types.items():
        try:
            pa.unify_schemas(
                [pa.schema([(column, kind)]) for kind in by_source.values()],
                promote_options="permissive",
            )
        except pa.ArrowException:
            given = listing(f"{kind} in {name!r}" for name, kind in by_source.items())
            fix = "give it one type in all sources, or another name in one of them"
            faults.add(location(column=column), given, "one type of values", fix=fix)
    faults.raise_any()
    paths = {str(folder) for name in tables if (folder := folders.get(name))}
    parts = []
    for name, table in tables.items():
        folder = folders.get(name)
        if folder is not None and len(paths) > 1:
            table = _with_whole_paths(table, folder)
        parts.append(table.append_column(SOURCE, pa.array([name] * table.num_rows, pa.string())))
    shared = Path(paths.pop()) if len(paths) == 1 else None
    return pa.concat_tables(parts, promote_options="permissive"), shared


def _with_whole_paths(table: pa.Table, folder: Path) -> pa.Table:
    """Puts the folder before the values of every column whose first value is a file in it."""
    for index, field in enumerate(table.schema):
        if not is_text(field.type):
            continue
        column = table.column(index)
        known = column.drop_null()
        if len(known) and _is_file(folder / known[0].as_py()):
            whole = pc.binary_join_element_wise(
                pa.scalar(str(folder), field.type), column, pa.scalar("/", field.type)
            )
            table = table.set_column(index, field, whole)
    return table


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a long text, or one with a zero byte, is no path
        return False


def require_names(sources: Mapping[str, object]) -> None:
    """Makes sure that there are two sources or more, each with a name.

    Raises:
        DataError: one source only, or a name that is no word.
    """
    if len(sources) < 2 or not all(isinstance(n, str) and n.strip() for n in sources):
        given = f"{len(sources)} given: {listing(map(repr, sources))}"
        fix = "give a path or a frame by itself where there is one"
        raise DataError(message("sources", given, "two or more, each with a name", fix=fix))
