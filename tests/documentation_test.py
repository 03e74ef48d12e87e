"""Every example in docstrings, README and docs runs; every link leads on."""

import doctest
import importlib
import inspect
import pathlib
import re
import traceback
from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
MODULES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for path in (ROOT / "keras_plex").rglob("*.py")
    if path.name != "__main__.py"
)
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)

# An example that needs one of these is skipped where it is not installed.
OPTIONAL = (
    "apache_beam",
    "keras_hub",
    "matplotlib",
    "tensorboard",
    "tensorflow",
    "tensorflow_datasets",
    "tensorflow_probability",
)

NOT_RUN = re.compile(r"<!--\s*not run:(.*?)-->")
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|(?:src|href)=\"([^\"]+)\"")


@pytest.mark.parametrize("module", MODULES)
def test_docstring_examples_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        run_docstrings(
            importlib.import_module(module.removesuffix(".__init__"))
        )
    except ModuleNotFoundError as error:
        skip_if_optional(error)


def run_docstrings(module) -> None:
    """Runs the examples; the first that differs fails the test."""
    names = {
        "keras": keras,
        "keras_plex": importlib.import_module("keras_plex"),
        "np": np,
        "ops": keras.ops,
        **vars(module),
    }
    runner = doctest.DebugRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    for test in doctest.DocTestFinder().find(module, globs=names):
        try:
            runner.run(test)
        except doctest.DocTestFailure as failure:
            line = failure.test.lineno + failure.example.lineno + 1
            pytest.fail(
                f"{failure.test.filename}:{line}: {failure.example.source}"
                f"expected: {failure.example.want}got: {failure.got}",
                pytrace=False,
            )
        except doctest.UnexpectedException as failure:
            raise failure.exc_info[1] from None


def skip_if_optional(error: ModuleNotFoundError) -> None:
    """Skips where an extra is missing; any other missing module is a fault."""
    package = (error.name or "").split(".")[0]
    if package not in OPTIONAL:
        raise error
    pytest.skip(f"Needs {package}, which is not installed.")


class Block(NamedTuple):
    """A fenced block of a page; `line` is that of its first line of code."""

    language: str
    code: str
    line: int
    not_run: str | None


def find_blocks(text: str) -> Iterator[Block]:
    """The fenced blocks, each with the reason not to run it, if any."""
    not_run = fence = None
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if fence is None and stripped.startswith("```"):
            fence, code = (stripped[3:].strip(), number + 1), []
        elif fence is not None and stripped == "```":
            yield Block(fence[0], "\n".join(code) + "\n", fence[1], not_run)
            not_run = fence = None
        elif fence is not None:
            code.append(line)
        elif stripped:
            comment = NOT_RUN.fullmatch(stripped)
            not_run = comment.group(1).strip() if comment else None
    if fence is not None:
        raise ValueError(f"The block that starts at line {fence[1]} is open.")


@pytest.mark.parametrize("page", PAGES)
def test_page_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        run_page(page, (ROOT / page).read_text())
    except ModuleNotFoundError as error:
        skip_if_optional(error)


def run_page(page: str, text: str) -> dict:
    """Runs the Python blocks of a page in order, in one namespace."""
    namespace = {"__name__": "__main__"}
    for block in find_blocks(text):
        if block.language != "python":
            continue
        if block.not_run == "":
            raise ValueError(
                f"{page}:{block.line}: say why the block is not run: "
                "<!-- not run: reason -->"
            )
        if block.not_run is None:
            # Blank lines make a traceback name the line of the page.
            code = "\n" * (block.line - 1) + block.code
            try:
                exec(compile(code, page, "exec"), namespace)
            except ModuleNotFoundError:
                raise
            except Exception:
                pytest.fail(traceback.format_exc(), pytrace=False)
    return namespace


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_resolve(page):
    text = (ROOT / page).read_text()
    broken = list(find_broken_links(ROOT / page, text))
    assert not broken, f"{page}: no such file: {broken}"


def find_broken_links(page: pathlib.Path, text: str) -> Iterator[str]:
    """The relative links of a page that lead to no file."""
    for match in LINK.finditer(re.sub(r"```.*?```", "", text, flags=re.S)):
        link = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:|#", link):
            continue
        if not (page.parent / link.split("#")[0]).exists():
            yield link


def find_commands(text: str) -> list[str]:
    """The README's shell lines that make an environment, in order."""
    return [
        line
        for block in find_blocks(text)
        if block.language in ("bash", "sh")
        for line in block.code.splitlines()
        if "-m venv" in line
    ]


PACKAGES = (
    "calibration",
    "callbacks",
    "data",
    "export",
    "layers",
    "metrics",
    "models",
    "plots",
    "scores",
    "tasks",
    "testing",
)
HELPERS = ("late_class",)  # makes public classes when they are asked for


@pytest.mark.parametrize("package", PACKAGES)
def test_api_page_has_every_public_name(package):
    module = importlib.import_module(f"keras_plex.{package}")
    page = (ROOT / "docs" / "api.md").read_text()
    public = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) or inspect.isfunction(value)
        if not name.startswith("_") and name not in HELPERS
    ]
    assert public
    missing = [x for x in public if not re.search(rf"\b{x}\b", page)]
    assert missing == []


def test_readme_has_one_command_to_try_and_one_to_test():
    demo, test = find_commands((ROOT / "README.md").read_text())
    assert demo.endswith("keras-plex demo")
    assert test.endswith("-m pytest -n 2")


def test_ci_runs_the_command_of_the_readme():
    _, test = find_commands((ROOT / "README.md").read_text())
    assert (ROOT / ".ci" / "run").read_text().splitlines().count(test) == 1


PAGE = """
```python
x = 1
```
text
<!-- not run: needs a download -->

```python
x = missing
```
```python
y = x + 1
```
"""


def test_blocks_share_a_namespace_and_may_say_why_they_do_not_run():
    assert run_page("page.md", PAGE)["y"] == 2


def test_block_needs_a_reason_not_to_run():
    page = "<!-- not run: -->\n```python\nx = 1\n```\n"
    with pytest.raises(ValueError, match="page.md:3: say why"):
        run_page("page.md", page)


def test_marker_counts_only_just_before_its_block():
    page = "<!-- not run: why -->\ntext\n```python\nx = 1\n```\n"
    assert run_page("page.md", page)["x"] == 1


def test_failing_block_names_its_line():
    with pytest.raises(pytest.fail.Exception, match='"page.md", line 9'):
        run_page("page.md", PAGE.replace("not run", "runs"))


def test_missing_package_that_is_no_extra_is_a_fault():
    with pytest.raises(ModuleNotFoundError):
        skip_if_optional(ModuleNotFoundError(name="keras_plexx"))
    with pytest.raises(pytest.skip.Exception, match="keras_hub"):
        skip_if_optional(ModuleNotFoundError(name="keras_hub.models"))


def test_wrong_docstring_example_is_found(tmp_path, monkeypatch):
    (tmp_path / "wrong_example.py").write_text('""">>> 1 + 1\n3\n"""\n')
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("wrong_example")
    with pytest.raises(pytest.fail.Exception, match="wrong_example.py:1"):
        run_docstrings(module)


def test_broken_link_is_found(tmp_path):
    (tmp_path / "there.md").touch()
    text = "[a](there.md#part) [b](gone.md) [c](https://keras.io) [d](#part)"
    assert list(find_broken_links(tmp_path / "page.md", text)) == ["gone.md"]
