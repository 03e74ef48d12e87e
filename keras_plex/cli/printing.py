"""What a report looks like on a screen, and in a pipe."""

from rich.console import Console
from rich.markdown import Markdown


def print_markdown(text: str) -> None:
    """Tables are drawn on a screen; what reads a pipe gets the text."""
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        print(text, end="")
