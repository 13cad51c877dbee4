"""Twelve assays of toxicity, a sixth of whose results are missing, from the formula of a molecule.

SUPERPOSE_DATA=path/to/data python examples/molecules.py
"""

import os
from pathlib import Path

import numpy as np

from superpose import Superpose
from superpose.data import read_table

FILE = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data")) / "tox21" / "tox21.csv.gz"


def main() -> None:
    table = read_table(FILE)
    eighth = np.arange(len(table)) % 8 == 0
    table, new = table.filter(~eighth), table.filter(eighth)
    assays = [name for name in table.column_names if name not in ("smiles", "mol_id")]
    model = Superpose(
        targets=assays,
        inputs=[{"name": "smiles", "kind": "text"}],
        # So that it ends in minutes: one split, and trees only to be tested against. With
        # `references: all` twelve more networks say whether sharing helped.
        training={"epochs": 15, "patience": 3},
        model={"members": 4},
        proof={"folds": 1, "trees": ["hist"], "references": "trees"},
    ).fit(table)
    print(model.verdicts())
    auc = [m["deployed"]["auc"] for m in model.record.metrics.values()]
    print(f"mean AUC over {len(auc)} assays on test rows: {sum(auc) / len(auc):.3f}")
    # What has been measured in one assay tells about the others.
    metrics_given = model.evaluate(new, given=assays[0])
    print(f"AUC of new molecules where {assays[0]} is measured already:")
    print({name: round(metrics["auc"], 3) for name, metrics in metrics_given.items()})


if __name__ == "__main__":
    if FILE.is_file():
        main()
    else:
        print(f"skipped: {FILE} is not there; set SUPERPOSE_DATA to the folder that holds tox21/")
