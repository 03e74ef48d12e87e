"""A pipe gets the text as it is."""

from keras_plex.cli.printing import print_markdown


def test_a_pipe_gets_markdown(capsys):
    text = "# Title\n\n| a | b |\n|---|---:|\n| [1, 2] | 3 |\n"
    print_markdown(text)
    assert capsys.readouterr().out == text
