"""Without the extra `llm` the rules run, and whoever asks for a model is told what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qilin.llm.extras import MissingExtra
from qilin.llm.on_this_machine.checkpoint import ModelError
from qilin.llm.on_this_machine.local import LocalGapFiller


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_the_install_command(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"Install the extra: pip install 'qilin-grid\[llm\]'"):
        LocalGapFiller.load("anything")


def test_the_rules_import_nothing_heavy():
    code = (
        "import sys; from qilin import resolve; import qilin.llm.on_this_machine.local; resolve('菏泽麒麟投诉数量');"
        "sys.exit(bool({'torch', 'transformers', 'peft', 'llguidance', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_adapter_config_is_told_before_anything_is_loaded(tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(ModelError, match="this is no adapter"):
        LocalGapFiller.load(None, tmp_path)
