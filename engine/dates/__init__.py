"""Date expressions and the days they mean. Start at `qilin.dates.find`."""

from qilin.dates.find import DateMention, find_dates
from qilin.dates.lexer import may_begin
from qilin.dates.words import TRIGGERS

__all__ = ["TRIGGERS", "DateMention", "find_dates", "may_begin"]
