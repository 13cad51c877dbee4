"""Entities, parts of speech and word boundaries of Chinese characters, from two sources.

SUPERPOSE_DATA=path/to/data python examples/chinese.py
"""

import os
from pathlib import Path

import pyarrow as pa

from superpose import Superpose
from superpose.data import read_table

FOLDER = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data"))
TARGETS = ("boundary", "entity", "speech")


def posts(folder: Path) -> pa.Table:
    """Posts of a network: characters with their position in a word (a digit) and entities."""
    rows = []
    for ending, part in (("train", "train"), ("dev", "validation"), ("test", "test")):
        table = read_table(folder / f"weiboNER_2nd_conll.{ending}")
        for signs, tags in zip(table["words"].to_pylist(), table["tags"].to_pylist(), strict=True):
            rows.append(
                {
                    "characters": [sign[0] for sign in signs],
                    "boundary": ["B" if sign[1:] == "0" else "I" for sign in signs],
                    "entity": tags,
                    "split": part,
                }
            )
    return pa.Table.from_pylist(rows)


def articles(folder: Path) -> pa.Table:
    """Sentences of an encyclopedia, whose words have a part of speech, as characters."""
    rows = []
    for file, parts in (("dev", ("train",) * 9 + ("validation",)), ("test", ("test",))):
        table = read_table(folder / f"zh_gsdsimp-ud-{file}.conllu")
        pairs = zip(table["words"].to_pylist(), table["upos"].to_pylist(), strict=True)
        for number, (words, tags) in enumerate(pairs):
            characters = [
                ("B" if i == 0 else "I", sign, tag)
                for word, tag in zip(words, tags, strict=True)
                for i, sign in enumerate(word)
            ]
            rows.append(
                {
                    "characters": [sign for _, sign, _ in characters],
                    "boundary": [boundary for boundary, _, _ in characters],
                    "speech": [f"{boundary}-{tag}" for boundary, _, tag in characters],
                    "split": parts[number % len(parts)],
                }
            )
    return pa.Table.from_pylist(rows)


def main() -> None:
    sources = {
        "posts": posts(FOLDER / "weibo_ner"),
        "articles": articles(FOLDER / "ud_chinese_gsdsimp_devtest"),
    }
    model = Superpose(
        targets=[{"name": name, "kind": "tokens", "of": "characters"} for name in TARGETS],
        split={"by": "column", "column": "split"},
        training={"sampling": "uniform", "epochs": 10, "batch_size": 64},
        model={"given": False},
        proof={"folds": 1, "references": "network"},
    ).fit(sources)
    print(model.verdicts())
    for name in TARGETS:
        print(f"{name}: test F1 {model.record.metrics[name]['deployed']['f1']:.3f}")
    print(model.predict(pa.table({"characters": [list("北京的冬天很冷")]})).to_pylist())


if __name__ == "__main__":
    if (FOLDER / "weibo_ner").is_dir():
        main()
    else:
        print(
            f"skipped: {FOLDER / 'weibo_ner'} is not there; set SUPERPOSE_DATA to the data folder"
        )
