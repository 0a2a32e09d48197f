"""Everything that the benchmarks take from inside the package. What they ask beyond this is public: `qilin`, `qilin.hierarchy`,
`qilin.batch`, and the commands.

Modules that need an extra (a model on this machine, Arrow) are imported where they are used.
"""

from qilin.llm.ask import OpenCase
from qilin.llm.constraint import grammar, lark
from qilin.llm.extras import MissingExtra
from qilin.llm.gaps import Gaps, find_gaps, tags_of
from qilin.llm.legal import read_answer
from qilin.llm.protocol import Choice, Free, GapAnswer, GapRequest, Segment, Settled, left_open
from qilin.llm.scripted import ScriptedGapFiller
from qilin.llm.settle import settle
from qilin.names.cache import cache_folder
from qilin.names.compiled import Tables
from qilin.names.rules import names_of
from qilin.text.normalize import FoldTable
from qilin.training.document import COLOURS, html_table, label, markdown_table, page, svg
from qilin.training.measure import wilson
from qilin.verdict.status import conclude

__all__ = [
    "COLOURS",
    "Choice",
    "FoldTable",
    "Free",
    "GapAnswer",
    "GapRequest",
    "Gaps",
    "MissingExtra",
    "OpenCase",
    "ScriptedGapFiller",
    "Segment",
    "Settled",
    "Tables",
    "cache_folder",
    "conclude",
    "find_gaps",
    "grammar",
    "html_table",
    "label",
    "lark",
    "left_open",
    "markdown_table",
    "names_of",
    "page",
    "read_answer",
    "settle",
    "svg",
    "tags_of",
    "wilson",
]
