"""The alphabet of byte-level vocabularies."""

from __future__ import annotations


def byte_letters() -> dict[int, str]:
    """The printable letter that GPT-2's vocabulary, and Qwen's after it, write for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(others)}
