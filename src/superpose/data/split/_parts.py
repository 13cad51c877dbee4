"""The parts of a split, and the words that name them in tables, files and folders."""

PARTS = ("train", "validation", "test")
PART_WORDS = {
    **dict.fromkeys(("train", "training", "fit"), 0),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), 1),
    **dict.fromkeys(("test", "testing", "holdout"), 2),
}
