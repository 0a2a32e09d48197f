"""Words and marks that stand between the parts of a question."""

from __future__ import annotations

# 和 and its like always begin another target; 、 and blanks do so unless the names are one path.
HARD_SEPARATORS = (
    "和", "与", "及", "跟", "以及", "同", "或", "或者", "或是", "还是", "还有", "对比", "相比", "比较",
    "比", "较", "VS", "并", "并且", "而", "另外", "此外", "加上",
)  # fmt: skip
SOFT_SEPARATORS = frozenset("、，,；;。|&+\n ")
