"""The study of methods runs on few examples, and goes on where it was."""

import subprocess
import sys

import pytest

from tests.other_backends import ROOT

METHODS = ("stock", "plex")


def study(data, out):
    command = [
        sys.executable,
        "examples/evidence",
        "--problems",
        "fashion_mnist",
    ]
    command += ["--data", str(data), "--out", str(out), "--examples", "40"]
    command += ["--seeds", "0", "--methods", *METHODS]
    result = subprocess.run(command, capture_output=True, cwd=ROOT, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_tables_of_the_docs_are_those_of_the_numbers():
    table = ROOT / "docs" / "evidence.csv"
    before = table.read_bytes()
    command = [sys.executable, "examples/evidence", "--table", str(table)]
    result = subprocess.run(command, capture_output=True, cwd=ROOT, text=True)
    assert result.returncode == 0, result.stderr
    assert table.read_bytes() == before
    page = (ROOT / "docs" / "evidence.md").read_text()
    lines = [x for x in result.stdout.splitlines() if x.startswith("|")]
    assert len(lines) > 10
    assert [line for line in lines if line not in page] == []


@pytest.mark.slow
def test_study_prints_its_tables_and_does_nothing_twice(tmp_path, shared_data):
    first = study(shared_data, tmp_path)
    assert first.count('"problem"') == len(METHODS)
    written = {
        path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")
    }
    assert len(written) == len(METHODS)
    again = study(shared_data, tmp_path)
    assert '"problem"' not in again
    table = again[again.index("### fashion_mnist") :]
    assert table in first
    assert table.count("| plex |") == 2  # means, and what differs from stock
    assert written == {path: path.stat().st_mtime_ns for path in written}
