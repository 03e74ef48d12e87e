"""The commands of docs/guides/command_line.md run, in their order."""

import pathlib
import shlex

import pytest

from keras_plex.cli.main import main
from tests.documentation_test import find_blocks
from tests.documentation_test import run_page

GUIDE = "docs/guides/command_line.md"
FEW = ["--resamples", "5"]


@pytest.mark.slow
def test_every_command_of_the_guide_runs(tmp_path, monkeypatch, capsys):
    root = pathlib.Path(__file__).resolve().parents[2]
    text = (root / GUIDE).read_text()
    monkeypatch.chdir(tmp_path)
    run_page(GUIDE, text)
    blocks = list(find_blocks(text))
    [toml] = [block.code for block in blocks if block.language == "toml"]
    (tmp_path / "tasks.toml").write_text(toml)
    shell = [block.code for block in blocks if block.language == "bash"]
    lines = "".join(shell).replace("\\\n", "").splitlines()
    assert len(lines) >= 8
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "keras-plex"
        # Reports that are compared have their resamples.
        has_models = any(one.endswith(".keras") for one in arguments)
        is_slow = has_models and arguments[0] in ("evaluate", "compare")
        assert main([*arguments, *FEW * is_slow]) == 0, line
        assert capsys.readouterr().out
    assert (tmp_path / "comparison" / "comparison.html").is_file()
