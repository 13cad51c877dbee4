"""Five tasks on tweets, each tweet labelled for one of them: five data sets, one model.

SUPERPOSE_DATA=path/to/data python examples/tweets.py
"""

import os
from pathlib import Path

import pyarrow as pa

from superpose import Superpose

FOLDER = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data")) / "tweeteval"
TASKS = ("irony", "hate", "emotion", "offensive", "stance")
PARTS = {"train": "train", "val": "validation", "test": "test"}


def tweets(folder: Path, task: str) -> pa.Table:
    """The tweets of one task; those of stance lie in a folder for each topic."""
    names = dict(line.split("\t") for line in _lines(folder / task / "mapping.txt"))
    rows = []
    topics = sorted(path for path in (folder / task).iterdir() if path.is_dir())
    for path in topics or [folder / task]:
        for part, word in PARTS.items():
            texts = _lines(path / f"{part}_text.txt")
            labels = _lines(path / f"{part}_labels.txt")
            rows += [
                {
                    "text": text,
                    "topic": path.name if topics else None,
                    "split": word,
                    task: names[label.strip()],
                }
                for text, label in zip(texts, labels, strict=True)
            ]
    return pa.Table.from_pylist(rows)


def _lines(path: Path) -> list[str]:
    # Not splitlines: a tweet may hold other signs that end a line.
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def main() -> None:
    sources = {task: tweets(FOLDER, task) for task in TASKS}
    model = Superpose(
        targets=list(TASKS),
        split={"by": "column", "column": "split"},
        # A task with a tenth of the rows has a third of the steps, not a tenth.
        training={"sampling": "temperature", "epochs": 12, "patience": 3},
        model={"members": 4, "given": False},  # no tweet has two labels: none can be given
        proof={"trees": ["hist"]},
    ).fit(sources)
    print(model.verdicts())
    for task, metrics in model.record.metrics.items():
        deployed, baseline = (metrics[name]["accuracy"] for name in ("deployed", "baseline"))
        print(f"{task}, test: accuracy {deployed:.3f}, baseline {baseline:.3f}")
    new = pa.table({"text": ["what a lovely day to be stuck in traffic"], "topic": [None]})
    print(model.predict(new).to_pylist())


if __name__ == "__main__":
    if FOLDER.is_dir():
        main()
    else:
        print(f"skipped: {FOLDER} is not there; set SUPERPOSE_DATA to the folder with tweeteval/")
