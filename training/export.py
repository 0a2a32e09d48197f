"""Rows to the dataset files of LLaMA-Factory."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from qilin.hierarchy import Hierarchy
from qilin.llm.prompt import choices_prompt, full_prompt
from qilin.training.examples import generate
from qilin.training.json_files import write_json
from qilin.training.made_up import made_up_table
from qilin.training.maker import Row
from qilin.training.split import SPLITS, Split

Form = Literal["alpaca", "sharegpt"]
Prompt = Literal["full", "bare", "choices"]
_SHARES: Final[dict[Split, float]] = {"train": 1.0, "valid": 0.02, "test": 0.1}
_ROWS_OF_A_MADE_UP_TABLE: Final = 250
# Probability that a row hides the organisations it offers, so that a model learns the bare question too.
_HIDDEN: Final = {"garbled": 0.1, "unknown name": 0.3, "ambiguous": 0.3}

_COLUMNS: Final[dict[Form, dict[str, object]]] = {
    "alpaca": {"columns": {"prompt": "instruction", "query": "input", "response": "output"}},
    "sharegpt": {
        "formatting": "sharegpt",
        "columns": {"messages": "conversations"},
        "tags": {"role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt"},
    },
}


def file_name(split: Split) -> str:
    """The file of a split; `ner.json` is what published configurations train on."""
    return "ner.json" if split == "train" else f"ner_{split}.json"


def prompt_of(row: Row, prompt: Prompt) -> str:
    """The user turn."""
    if prompt == "full":
        return full_prompt(row.query)
    return choices_prompt(row.query, row.alternatives if prompt == "choices" else ())


def as_record(question: str, answer: str, form: Form) -> dict[str, object]:
    """One row of the file."""
    if form == "sharegpt":
        return {"conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]}
    return {"instruction": question, "input": "", "output": answer}


def dataset_info(splits: Iterable[Split] = SPLITS, form: Form = "alpaca") -> dict[str, object]:
    """The content of `dataset_info.json`."""
    return {
        file_name(split).removesuffix(".json"): {"file_name": file_name(split), **_COLUMNS[form]} for split in splits
    }


def mixed_rows(
    tables: Sequence[Hierarchy],
    split: Split,
    size: int,
    seed: int,
    *,
    made_up: float = 0.0,
    choices: bool = False,
    kinds: Sequence[str] | None = None,
) -> Iterator[Row]:
    """Rows of one split from several tables, in random order.

    Args:
        tables: the first one may be learnt by heart; in rows of the others, missing ancestors are offered.
        size: how many rows.
        made_up: the share of rows about invented organisations.
        choices: whether the prompt names the alternatives; some rows hide them nonetheless.
    """
    rng = random.Random(f"mix {seed} {split}")
    invented = int(size * made_up)
    each = (size - invented) // len(tables)
    rows: list[Row] = []
    for number, table in enumerate(tables):
        wanted = each if number else size - invented - each * (len(tables) - 1)
        made = generate(table, seed, split, wanted, kinds, offer_all=choices and number > 0)
        rows += made if number else (_hidden(row, rng) for row in made)
    while invented > 0:
        wanted = min(invented, _ROWS_OF_A_MADE_UP_TABLE)
        table = made_up_table(rng, split)
        rows += generate(table, rng.randrange(2**32), split, wanted, kinds, offer_all=choices)
        invented -= wanted
    rng.shuffle(rows)
    yield from rows


def _hidden(row: Row, rng: random.Random) -> Row:
    return row._replace(alternatives=()) if rng.random() < _HIDDEN.get(row.kind, 0.0) else row


def write_dataset(
    folder: Path,
    tables: Sequence[Hierarchy],
    *,
    size: int,
    seed: int = 0,
    form: Form = "alpaca",
    prompt: Prompt = "full",
    made_up: float = 0.0,
    kinds: Sequence[str] | None = None,
    progress: Callable[[Split, int, int], None] | None = None,
) -> dict[Split, int]:
    """Write train, valid and test files and `dataset_info.json`; the same arguments write the same bytes.

    Returns: how many rows each split has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[Split, int] = {}
    for split in SPLITS:
        wanted = max(int(size * _SHARES[split]), 1)
        records = []
        for row in mixed_rows(tables, split, wanted, seed, made_up=made_up, choices=prompt == "choices", kinds=kinds):
            records.append(as_record(prompt_of(row, prompt), row.tagged, form))
            if progress:
                progress(split, len(records), wanted)
        write_json(folder / file_name(split), records)
        written[split] = len(records)
    write_json(folder / "dataset_info.json", dataset_info(SPLITS, form))
    return written
