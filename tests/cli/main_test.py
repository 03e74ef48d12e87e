"""Commands end with a code that means something and one line for an error."""

import io
import os
import sys

import pytest

from keras_plex.cli import doctor
from keras_plex.cli.main import COMMANDS
from keras_plex.cli.main import main


def test_every_command_explains_itself(capsys):
    for name in COMMANDS:
        with pytest.raises(SystemExit) as end:
            main([name, "--help"])
        assert end.value.code == 0
        assert COMMANDS[name].HELP in " ".join(capsys.readouterr().out.split())


def test_an_unknown_command_lists_the_known_ones(capsys):
    with pytest.raises(SystemExit) as end:
        main(["fly"])
    assert end.value.code == 2
    assert "demo" in capsys.readouterr().err


def test_an_error_is_one_line_and_code_1(capsys, monkeypatch):
    def fail(arguments):
        raise ValueError("the first line\nand the second")

    monkeypatch.setattr(doctor, "run", fail)
    assert main(["doctor"]) == 1
    captured = capsys.readouterr()
    line = "keras-plex: error: the first line and the second\n"
    assert captured.err == line
    assert captured.out == ""


def test_debug_shows_the_traceback(monkeypatch):
    def fail(arguments):
        raise ValueError("deep inside")

    monkeypatch.setattr(doctor, "run", fail)
    with pytest.raises(ValueError, match="deep inside"):
        main(["doctor", "--debug"])


def test_a_closed_pipe_is_no_error(capsys, monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["doctor", "--json"]) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "encoding, errors", [("cp1252", "strict"), ("ascii", "surrogateescape")]
)
def test_signs_that_an_output_lacks_are_no_error(monkeypatch, encoding, errors):
    printed = io.BytesIO()
    stream = io.TextIOWrapper(printed, encoding, errors, newline="")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(doctor, "run", lambda _: print("ECE \u2193"))
    assert main(["doctor"]) == 0
    assert printed.getvalue().decode(encoding).split() == ["ECE", "?"]


def test_streams_of_other_kinds_are_left_as_they_are(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["doctor", "--json"]) == 0
    assert "packages" in sys.stdout.getvalue()


def test_an_interrupt_ends_with_130(capsys, monkeypatch):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "run", interrupt)
    assert main(["doctor"]) == 130
    assert "interrupted" in capsys.readouterr().err
