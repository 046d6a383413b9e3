"""What cannot be streamed is said before Spark starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from truenorth.cli.app import app

JOURNEY = str(Path(__file__).parents[1] / "examples" / "support" / "journey.yaml")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "name at least one of --out"),
        (["--out", "out", "--identities", "joined"], 2, "joins nobody"),
        (["--out", "out", "--lateness", "soon"], 2, "a duration such as"),
        (["--out", "out", "--type", "amount"], 2, "NAME=VALUE"),
        (["--signals-to", "kafka://broker"], 1, "kafka://BROKERS/TOPIC"),
    ],
)
def test_refused(words: list[str], status: int, said: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["stream", str(tmp_path), "-j", JOURNEY, "--checkpoint", str(tmp_path), *words])
    assert result.exit_code == status
    assert said in " ".join(result.output.replace("│", " ").split())
