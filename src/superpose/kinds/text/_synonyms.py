"""How texts are augmented while networks learn: what may be set, and files of synonyms."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from superpose.columns import read_whole
from superpose.errors import DataError, Faults, location, message
from superpose.kinds._options import DropOptions

SHOWN_LINES = 3


class TranslatorOptions(BaseModel):
    """A model that turns a text into another one.

    Args:
        model: folder with config.json, tokenizer.json and model.safetensors, or a name on the hub
            of Hugging Face.
        prefix: what the model wants before every text, such as "translate English to German: ".
        source: language of the texts as a model of many languages names it, such as eng_Latn.
        target: the language to translate to, likewise.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    model: str = Field(min_length=1)
    prefix: str = ""
    source: str | None = None
    target: str | None = None


class TextAugmentOptions(DropOptions):
    """How texts are augmented while the network learns; validation and test rows never are.

    Args:
        drop: share of the words that are made unknown, from 0 to below 1.
        synonyms: path of a file with a word, a tab, and its synonyms between commas on each line,
            from the folder of the table.
        replace: share of the words with synonyms that are replaced by one, from 0 to 1.
        translate: models that texts are passed through one after the other, such as one to another
            language and one back; what comes out says the same in other words.
        rephrase: share of the texts that stand in those words, from 0 to 1.
    """

    synonyms: str | None = Field(default=None, min_length=1)
    replace: float = Field(default=0.1, ge=0, le=1)
    translate: list[TranslatorOptions] = Field(default_factory=list)
    rephrase: float = Field(default=0.3, ge=0, le=1)


def read_synonyms(path: Path, column: str) -> dict[str, list[str]]:
    """Read a file of words with their synonyms, in small letters.

    Raises:
        DataError: the file can't be read, or a line that is not a word, a tab and single words.
    """
    try:
        lines = read_whole(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        reason = "no such file" if isinstance(fault, FileNotFoundError) else str(fault)
        given = f"synonyms {path} can't be read: {reason}"
        fix = "give the path of a file with a word, a tab, and its synonyms between commas"
        raise DataError(message(location(column=column), given, fix=fix)) from None
    synonyms: dict[str, list[str]] = {}
    wrong = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        word, _, rest = line.lower().partition("\t")
        others = [other.strip() for other in rest.split(",")]
        # A label belongs to one word: two in its place would have none, or one too many.
        if not all(len(one.split()) == 1 for one in (word, *others)):
            wrong.append(number)
            continue
        synonyms.setdefault(word.strip(), []).extend(o for o in others if o != word.strip())
    faults = Faults(DataError)
    for number in wrong[:SHOWN_LINES]:
        allowed = "a single word, a tab, and single words between commas"
        faults.add(location(file=path, line=number), f"{lines[number - 1]!r} given", allowed)
    faults.add_rest(location(file=path), len(wrong) - SHOWN_LINES, "so it is in {} more lines")
    faults.raise_any()
    return synonyms
