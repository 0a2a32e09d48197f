"""What a batch must say of a resolution, put together field by field from the resolution alone."""

from __future__ import annotations

from typing import Any

from qilin import OrgPath, Resolution


def path(found: OrgPath) -> str:
    """A path as it is written in a column: 山东省/菏泽/巨野县供电公司."""
    return "/".join(filter(None, (found.province, found.city, found.company, found.substation)))


def expected(resolution: Resolution) -> dict[str, Any]:
    """The added columns of the row that asked for it."""
    one = resolution.dates[0] if len(resolution.dates) == 1 else None
    return {
        "status": resolution.status,
        "province": resolution.province,
        "city": resolution.city,
        "company": resolution.company,
        "substation": resolution.substation,
        "indicators": list(resolution.indicators),
        "date_start": one.start if one else None,
        "date_end": one.end if one else None,
        "candidates": [path(p) for p in resolution.candidates],
        "question": resolution.question,
        "xml": resolution.to_xml(),
        "targets": [path(p) for p in resolution.targets],
        "excluded": [path(p) for p in resolution.excluded],
        "group_by": resolution.group_by,
        "dates": [f"{d.start}/{d.end}" for d in resolution.dates],
        "unknown": [u.text for u in resolution.unknown],
        "degraded": resolution.degraded,
        "error": None,
    }
