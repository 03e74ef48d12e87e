"""Shows the doctests of a docstring as code; for mkdocstrings."""

import re

import griffe

# From a prompt to the next blank line.
DOCTEST = re.compile(r"^( *)>>> .*(?:\n(?! *$).*)*", re.MULTILINE)


class FenceDoctests(griffe.Extension):
    """Markdown reads `>>>` as a quotation: puts a fence around it."""

    def on_object(self, *, obj: griffe.Object, **kwargs) -> None:
        """Called for each object that a page may show."""
        if obj.docstring:
            obj.docstring.value = DOCTEST.sub(fence, obj.docstring.value)


def fence(match: re.Match) -> str:
    """The examples as a block of a Python session."""
    indent, session = match.group(1), match.group()
    return f"{indent}```pycon\n{session}\n{indent}```"
