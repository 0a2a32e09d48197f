"""Many questions at once: Arrow in, Arrow out, on one machine, on Ray and in Spark. Needs the extra `batch`."""

from qilin.batch.arrow import ArrowResolver
from qilin.batch.result_columns import RESULT

__all__ = ["RESULT", "ArrowResolver"]
