"""What a traveller wants and which cities, days and fares are named: one model for both.

SUPERPOSE_DATA=path/to/data python examples/intents.py
"""

import os
from pathlib import Path

from superpose import Superpose
from superpose.data import read_table

FOLDER = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data")) / "atis"


def main() -> None:
    model = Superpose(
        targets=["intent", {"name": "slots", "kind": "tokens", "of": "words", "weight": 2}],
        model={"state": 64, "members": 4, "given": False},
        # Few epochs, so that it ends in minutes; benchmarks/intents.py has the published figures.
        training={"batch_size": 32, "epochs": 10},
        references="network",
    ).fit(FOLDER)  # train, valid and test as they were published
    print(model.verdicts())

    test = read_table(FOLDER / "test")
    metrics = model.evaluate(test)
    f1 = metrics["slots"]["f1"]
    print(f"slot F1 {f1:.3f}, intent accuracy {metrics['intent']['accuracy']:.3f}")
    preds = model.predict(test).to_pylist()
    true = test.select(["intent", "slots"]).to_pylist()
    whole = sum(a == b for a, b in zip(preds, true, strict=True))
    print(f"{whole / len(true):.1%} of {len(true)} sentences are right in every label")


if __name__ == "__main__":
    if FOLDER.is_dir():
        main()
    else:
        print(f"skipped: {FOLDER} is not there; set SUPERPOSE_DATA to the folder that holds atis/")
