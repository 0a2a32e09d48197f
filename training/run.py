"""One LLaMA-Factory run, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from qilin.training.checks import last_checkpoint
from qilin.training.settings import TrainingError, read_settings


def train(config: Path, overrides: Sequence[str] = (), *, resume: bool = False) -> int:
    """Run LLaMA-Factory with a configuration that `check_run` accepted.

    Returns: its exit status; 0 for success.
    Raises: TrainingError, where there is nothing to resume from.
    """
    settings = read_settings(config, overrides)
    if resume:
        checkpoint = last_checkpoint(Path(str(settings["output_dir"])))
        if checkpoint is None:
            raise TrainingError(
                f"{settings['output_dir']}: there is no checkpoint to resume from. Start without --resume."
            )
        settings |= {"resume_from_checkpoint": str(checkpoint), "overwrite_output_dir": False}
    environment = {"TOKENIZERS_PARALLELISM": "false", **os.environ}
    if settings.get("use_cpu"):
        environment.setdefault("OMP_NUM_THREADS", "1")  # more threads make a small model slower
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.yaml"
        path.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
        return subprocess.run(
            [sys.executable, "-m", "qilin.training.launch", "train", str(path)], env=environment
        ).returncode


def loss_plot(config: Path, overrides: Sequence[str] = ()) -> Path | None:
    """The loss plot of a finished run; None where it has none."""
    path = Path(str(read_settings(config, overrides).get("output_dir"))) / "training_loss.png"
    return path if path.is_file() else None
