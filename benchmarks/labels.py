"""What does sharing buy as labels get rare? Tox21 with 100, 25 and 6 % of the labels.

    python benchmarks/labels.py [--quick] [--report]

Inputs are 1024-bit Morgan fingerprints (radius 2; `pip install rdkit`, for this benchmark only).
Labels of the training and validation rows are kept at random, each (row, assay) by itself; the
test labels stay whole. Mean test AUC over the 12 assays; CatBoost per assay against Superpose.
Cells are stored as they end and the benchmark resumes.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from _cells import RESULTS, CellStore, Key, Study, hardware, strict, versions
from _print import grid
from _run import run_missing
from _table import Table, random_split
from _tables import data_folder, read_tox21
from accuracy import run_cell

BITS, RADIUS = 1024, 2
SHARES = (100, 25, 6)
METHODS = ("catboost", "superpose")


def fingerprints(smiles: list[str]) -> np.ndarray:
    """Morgan fingerprints (Rogers and Hahn 2010); zeros where a SMILES can't be read.

    Shape: (molecules, `BITS`), uint8.
    """
    try:
        from rdkit import Chem, RDLogger
        from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator
    except ImportError:
        raise SystemExit("labels.py needs rdkit: pip install rdkit") from None
    RDLogger.DisableLog("rdApp.*")
    generator = GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    out = np.zeros((len(smiles), BITS), dtype=np.uint8)
    for row, text in enumerate(smiles):
        molecule = Chem.MolFromSmiles(text)
        if molecule is not None:
            out[row] = generator.GetFingerprintAsNumPy(molecule)
    return out


@lru_cache(maxsize=1)
def _whole(folder: Path) -> Table:
    labels, smiles = read_tox21(folder)
    bits = fingerprints(smiles)
    # float32: bits are numbers to every method, never 1024 categories
    inputs = pd.DataFrame(bits.astype(np.float32), columns=[f"bit{i}" for i in range(BITS)])
    frame = pd.concat([inputs, labels], axis=1)
    targets = dict.fromkeys(labels.columns, "binary")
    rule = "60/20/20 by seed, stratified by the rarest assay"
    return Table("tox21", frame, targets, random_split, rule)


def name_of(share: int) -> str:
    """Name of the table with so many percent of the labels."""
    return f"tox21-{share}"


def thinned(folder: Path, share: int, seed: int) -> Table:
    """Tox21 with `share` percent of the training and validation labels; test labels whole."""
    table = _whole(folder)
    parts = table.split(seed)
    names = list(table.targets)
    labels = table.frame[names].to_numpy(dtype=np.float64)
    # One draw per seed: the labels kept at 6 % are among those kept at 25 %.
    draw = np.random.default_rng([seed, 1]).random(labels.shape)
    labels[(draw >= share / 100) & (parts != "test")[:, None]] = np.nan
    frame = table.frame.drop(columns=names).join(pd.DataFrame(labels, columns=names))
    # The split was drawn with all labels in view; it must not change with the share.
    return replace(
        table, name=name_of(share), frame=frame, splitter=lambda table, seed, parts=parts: parts
    )


def summarise(study: Study) -> dict[str, object]:
    """Mean test AUC and seconds per (share, method), over the seeds that are stored."""
    rows = []
    for share in SHARES:
        for method in METHODS:
            cells = study.of(name_of(share), method)
            if not cells:
                continue
            auc = [
                float(np.mean([target["metrics"]["auc"] for target in cell["targets"].values()]))
                for cell in cells
            ]
            seconds = [cell["seconds"] for cell in cells]
            rows.append(
                {
                    "share": share,
                    "method": method,
                    "seeds": len(cells),
                    "auc": float(np.mean(auc)),
                    "auc_per_seed": auc,
                    "seconds": float(np.mean(seconds)),
                }
            )
    return {"rows": rows, "versions": versions(), "hardware": hardware()}


def show(summary: dict[str, object]) -> str:
    """Losses first, then the table."""
    rows = summary["rows"]
    assert isinstance(rows, list)
    auc = {(row["share"], row["method"]): row["auc"] for row in rows}
    lines = ["Losses of superpose against catboost"]
    for share in SHARES:
        if (share, "superpose") in auc and (share, "catboost") in auc:
            lead = auc[share, "superpose"] - auc[share, "catboost"]
            lines.append(f"  {share} % of labels: {lead:+.4f} AUC{' LOST' if lead < 0 else ''}")
    body = [
        [f"{r['share']} %", r["method"], f"{r['auc']:.4f}", str(r["seeds"]), f"{r['seconds']:.0f}"]
        for r in rows
    ]
    table = grid(["labels kept", "method", "mean test AUC", "seeds", "seconds"], body)
    return "\n".join([*lines, "", table])


def main() -> None:
    """Run what is missing, print, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--quick", action="store_true", help="2 seeds, 25 and 6 %% of the labels")
    parser.add_argument("--report", action="store_true", help="run nothing, print what is stored")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--seeds", type=int, help="number of seeds (default 5; quick 2)")
    options = parser.parse_args()
    folder = data_folder(options.data)
    seeds = list(range(options.seeds or (2 if options.quick else 5)))
    name = "labels-quick" if options.quick else "labels"
    store = CellStore(RESULTS / f"{name}.cells.jsonl")
    study = Study(store, [name_of(share) for share in SHARES], seeds)
    if not options.report:
        shares = {name_of(share): share for share in (SHARES[1:] if options.quick else SHARES)}
        keys = replace(study, tables=list(shares)).missing(options.methods.split(","))

        def run(key: Key) -> float:
            return run_cell(store, key, thinned(folder, shares[key.table], key.seed))

        run_missing(keys, run, None)
    summary = summarise(study)
    print(show(summary))
    text = json.dumps(strict(summary), indent=1, allow_nan=False)
    store.summary_path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
