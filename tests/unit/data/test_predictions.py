"""Predictions in files: a table, and beside it what is too large for a cell."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from superpose.data import read_table, write_predictions
from superpose.errors import DataError
from superpose.kinds import TARGET_KINDS
from superpose.kinds._beside import FileForm

Image = pytest.importorskip("PIL.Image")

MASKS = ["2x3 0*2 1*1 -*1 300*2", None, "2x3 1*6"]
MAPS = [[[1.5, None], [2.0, 1e-3]], [[0.0, 1.0], [2.0, 3.0]], None]
MASK = TARGET_KINDS["mask"].fit("of/road", pa.chunked_array([MASKS]), void=255)
MAP = TARGET_KINDS["map"].fit("depth", pa.chunked_array([MAPS]))
KINDS = {"of/road": MASK, "depth": MAP}


def told(rows=3, **more):
    columns = {"of/road": MASKS, "depth": MAPS, "depth_scale": MAPS, "n": [1, 2, 3], **more}
    return pa.table({k: v[:rows] for k, v in columns.items()})


def content(folder):
    """Every file under a folder, by its path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_masks_and_maps_become_files_whose_paths_stand_in_the_table(tmp_path):
    folder = write_predictions(told(), tmp_path / "p.csv", KINDS)
    assert folder == tmp_path / "p"
    table = read_table(tmp_path / "p.csv")
    assert table.to_pydict() == {
        "of/road": ["p/of_road/0.png", None, "p/of_road/2.png"],
        "depth": ["p/depth/0.npy", "p/depth/1.npy", None],
        "depth_scale": ["p/depth_scale/0.npy", "p/depth_scale/1.npy", None],
        "n": [1, 2, 3],
    }
    ids = np.asarray(Image.open(tmp_path / "p/of_road/0.png"))
    assert ids.tolist() == [[0, 0, 1], [255, 300, 300]]
    np.testing.assert_array_equal(
        np.load(tmp_path / "p/depth/0.npy"), np.array([[1.5, np.nan], [2, 1e-3]], np.float32)
    )
    # They can be read again as labels.
    own = {"folder": str(tmp_path)}
    np.testing.assert_array_equal(
        MASK.encode(table["of/road"], **own), MASK.encode(pa.chunked_array([MASKS]))
    )
    np.testing.assert_allclose(
        MAP.encode(table["depth"], **own), MAP.encode(pa.chunked_array([MAPS])), rtol=1e-6
    )


def test_a_later_prediction_replaces_the_table_and_all_of_its_files(tmp_path):
    out = tmp_path / "p.parquet"
    write_predictions(told(), out, KINDS)
    write_predictions(told(rows=1), out, KINDS)
    assert pyarrow.parquet.read_table(out).num_rows == 1
    assert sorted(content(tmp_path / "p")) == [
        ".superpose", "depth/0.npy", "depth_scale/0.npy", "of_road/0.png",
    ]  # fmt: skip
    assert write_predictions(told().select(["n"]), out, KINDS) is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.parquet"]


def test_columns_that_are_spelled_alike_have_folders_of_their_own(tmp_path):
    twin = TARGET_KINDS["mask"].fit("of_road", pa.chunked_array([MASKS]))
    write_predictions(told(of_road=MASKS), tmp_path / "p.csv", {**KINDS, "of_road": twin})
    assert read_table(tmp_path / "p.csv")["of_road"][0].as_py() == "p/of_road_2/0.png"


def test_a_folder_of_other_files_is_left_alone(tmp_path):
    (tmp_path / "p/depth").mkdir(parents=True)
    (tmp_path / "p/depth/0.npy").write_text("mine")
    before = content(tmp_path)
    with pytest.raises(DataError) as caught:
        write_predictions(told(), tmp_path / "p.csv", KINDS)
    assert str(caught.value) == (
        f"{tmp_path / 'p'}: there already, but the files of p.csv go there; allowed: an empty "
        "folder, or one that was written with that table; name another table"
    )
    assert content(tmp_path) == before
    write_predictions(told(), tmp_path / "q.csv", KINDS)
    with pytest.raises(DataError, match=r"but the files of q.jsonl go there"):
        write_predictions(told(), tmp_path / "q.jsonl", KINDS)
    (tmp_path / "q.csv").unlink()  # then nobody needs them
    write_predictions(told(), tmp_path / "q.jsonl", KINDS)


class Stopping:
    """A kind whose second file is never finished."""

    def __init__(self, stop):
        self.stop, self.written = stop, 0

    @property
    def files(self):
        return {"depth": FileForm(".npy", self.content)}

    def content(self, value):
        self.written += 1
        if self.written == 2:
            self.stop()
        return b"new"


def test_a_fault_in_the_middle_leaves_what_was_there_and_no_trace(tmp_path):
    def full():
        raise OSError(28, "No space left on device")

    write_predictions(told(), tmp_path / "p.csv", KINDS)
    before = content(tmp_path)
    with pytest.raises(DataError, match="can't be written \\(No space left on device\\)"):
        write_predictions(told(), tmp_path / "p.csv", {"depth": Stopping(full)})
    assert content(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is to be killed half-way")
def test_a_killed_prediction_leaves_the_former_table_and_its_files(tmp_path):
    write_predictions(told(), tmp_path / "p.csv", KINDS)
    before = content(tmp_path)
    if not (child := os.fork()):
        write_predictions(told(), tmp_path / "p.csv", {"depth": Stopping(lambda: os._exit(9))})
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    seen = {k: v for k, v in content(tmp_path).items() if not k.startswith(".p.csv.")}
    assert seen == before
