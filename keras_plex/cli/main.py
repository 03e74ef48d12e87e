"""`keras-plex COMMAND`: parses, runs, and says what went wrong in one line."""

import argparse
import io
import logging
import os
import sys
import warnings
from collections.abc import Sequence

from keras_plex.cli import calibrate
from keras_plex.cli import compare
from keras_plex.cli import convert
from keras_plex.cli import demo
from keras_plex.cli import doctor
from keras_plex.cli import evaluate
from keras_plex.cli import export
from keras_plex.cli import tasks
from keras_plex.cli.errors import UsageError
from keras_plex.cli.errors import in_one_line

# Name -> module with HELP, `add_arguments(parser)` and `run(arguments)`; what
# follows the options in --help is its EXAMPLES, if it has any.
COMMANDS = {
    "demo": demo,
    "convert": convert,
    "evaluate": evaluate,
    "compare": compare,
    "calibrate": calibrate,
    "export": export,
    "tasks": tasks,
    "doctor": doctor,
}

FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130

# What a stream does about a sign that it lacks, where it raises.
FAILING = ("strict", "surrogateescape")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Returns:
        0; 1 for what failed, 2 for input that is wrong, 130 when interrupted.
    """
    _print_in_any_encoding()
    arguments = _parser().parse_args(argv)
    _quieten()
    try:
        COMMANDS[arguments.command].run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("keras-plex: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # As with `| head`. Python flushes again at exit: let it, to nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if arguments.debug:
            raise
        print(f"keras-plex: error: {in_one_line(error)}", file=sys.stderr)
        return WRONG_INPUT if isinstance(error, UsageError) else FAILED
    return 0


def _print_in_any_encoding() -> None:
    """A sign that an output lacks becomes `?`: no error after hours of work."""
    for stream in (sys.stdout, sys.stderr):
        # A notebook's streams cannot be set so, and need not be.
        if isinstance(stream, io.TextIOWrapper) and stream.errors in FAILING:
            stream.reconfigure(errors="replace")


def _quieten() -> None:
    # Hints for developers of a training loop, not for users of a command.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", "`shuffle=True` was passed, but will be")
    warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keras-plex",
        description="Turn a Keras model into one that says how sure it is.",
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND"
    )
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog=getattr(module, "EXAMPLES", None),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.add_argument(
            "--json", action="store_true", help="print JSON, for machines"
        )
        command.add_argument(
            "--debug", action="store_true", help="show the traceback of errors"
        )
    return parser
