"""The source obeys docs/architecture.md: floors, owners, sizes, tests.

A check takes a `Source` and returns problems, each of which says what to do.
"""

import ast
import dataclasses
import functools
import graphlib
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import keras
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "keras_plex"

# Lowest first. A file imports from lower floors and from its own folder.
FLOORS = (
    {"types", "tables", "checks", "files"},
    {"ops", "initializers"},
    {"predictions", "batches", "calibration"},
    {"layers", "losses", "hub"},
    {"conversion"},
    {"models", "optimizers"},
    {"plexify", "recipes"},
    {"from_preset"},
    {"scores"},
    {"metrics"},
    {"plots"},
    {"data"},
    {"tasks"},
    {"callbacks", "export"},
    {"cli", "testing"},
    {"__init__", "__main__"},
)
FLOOR_OF = {name: i for i, floor in enumerate(FLOORS) for name in floor}
PACKAGE_ROOT = FLOORS[-1]

# Secret -> the files or folders that may import it, with the reason.
OWNERS = {
    "keras.src": {
        "conversion/surgery.py": "upgrades Keras's own objects",
        "ops/masks.py": "Keras keeps masks on its tensors",
    },
    "tensorflow": {
        "export/": "writes SavedModels for TensorFlow Serving",
        "tasks/cost_flops.py": "asks TensorFlow's profiler",
    },
}
SURGERY = "conversion/surgery.py"
ENSEMBLE_AXIS = "ops/ensemble_axis.py"

# Packages of the extras: absent after a plain `pip install keras_plex`.
OPTIONAL = (
    "PIL",
    "apache_beam",
    "jax",
    "keras_cv",
    "keras_hub",
    "keras_nlp",
    "matplotlib",
    "tensorboard",
    "tensorflow",
    "tensorflow_datasets",
    "tensorflow_probability",
    "tensorflow_text",
    "torch",
)

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50
MAX_DOCSTRING_LINES = 3

# Files without a test file of their own -> the reason.
UNTESTED = {
    "__main__.py": "one call of keras_plex.cli.main",
    "cli/demo_report.py": "tests/cli/demo_test.py runs the whole demo",
    "cli/demo_story.py": "tests/cli/demo_test.py runs the whole demo",
    "types.py": "names for signatures, no behaviour",
}


@dataclasses.dataclass(frozen=True)
class Source:
    """A file of the package; `path` starts below keras_plex/."""

    path: str
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def unit(self) -> str:
        return self.path.split("/")[0].removesuffix(".py")

    @property
    def module(self) -> str:
        name = "keras_plex/" + self.path.removesuffix(".py")
        return name.removesuffix("/__init__").replace("/", ".")

    def problem(self, node: ast.AST, text: str) -> str:
        return f"keras_plex/{self.path}:{node.lineno}: {text}"


SOURCES = {
    path.relative_to(PACKAGE).as_posix(): Source(
        path.relative_to(PACKAGE).as_posix(), path.read_text()
    )
    for path in sorted(PACKAGE.rglob("*.py"))
}


@dataclasses.dataclass(frozen=True)
class Import:
    """`from module import name`, and when it runs: import, call, typing."""

    node: ast.AST
    module: str
    name: str
    when: str

    def reaches(self, package: str) -> bool:
        full = f"{self.module}.{self.name}."
        return full.startswith(package + ".")


def find_imports(node: ast.AST, when: str = "import") -> Iterator[Import]:
    """All imports, also inside functions and by `import_module("...")`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(child, alias.name, "", when)
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            for alias in child.names:
                yield Import(child, module, alias.name, when)
        elif isinstance(child, ast.Call) and (
            _last_name(child.func) in ("import_module", "__import__")
        ):
            for argument in child.args[:1]:
                if isinstance(argument, ast.Constant):
                    yield Import(child, str(argument.value), "", when)
        inside = when
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = "call"
        elif isinstance(child, ast.If) and (
            _last_name(child.test) == "TYPE_CHECKING"
        ):
            inside = "typing"
        yield from find_imports(child, inside)


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def check_floors(source: Source) -> Iterator[str]:
    """A file imports from lower floors and from its own folder."""
    own_floor = FLOOR_OF.get(source.unit)
    if own_floor is None:
        yield (
            f"keras_plex/{source.path}: {source.unit!r} is on no floor. Put it "
            "on a floor: in FLOORS here and in docs/architecture.md."
        )
        return
    for found in find_imports(source.tree):
        if found.module.startswith("."):
            yield source.problem(
                found.node, "relative import. Write keras_plex.folder.file."
            )
        if not found.reaches("keras_plex"):
            continue
        if found.module == "keras_plex":
            if source.unit not in PACKAGE_ROOT:
                yield source.problem(
                    found.node,
                    "imports the package root. Import from the file that "
                    "defines the name.",
                )
            continue
        unit = found.module.split(".")[1]
        if unit != source.unit and FLOOR_OF.get(unit, 99) >= own_floor:
            yield source.problem(
                found.node,
                f"{source.unit!r} imports {unit!r}, which is not on a lower "
                "floor. Move the shared part down, or this file up.",
            )


def check_owners(source: Source) -> Iterator[str]:
    """Keras's source and TensorFlow are imported by their owners only."""
    for secret, owners in OWNERS.items():
        if any(source.path.startswith(owner) for owner in owners):
            continue
        nodes = [
            found.node
            for found in find_imports(source.tree)
            if found.reaches(secret)
        ]
        if "." in secret:
            nodes += [
                node
                for node in ast.walk(source.tree)
                if isinstance(node, ast.Attribute)
                and ast.unparse(node) == secret
            ]
        for node in nodes:
            yield source.problem(
                node,
                f"uses {secret}. Only {', '.join(owners)} may: call a function "
                "there, or add this file to OWNERS with a reason.",
            )


@functools.cache
def keras_privates() -> frozenset[str]:
    """The underscored attributes of Keras objects, as this release has them."""
    x = keras.Input((4, 8))
    attention = keras.layers.MultiHeadAttention(2, 4)
    model = keras.Model(x, keras.layers.Dense(3)(attention(x, x)))
    model.compile("adam", "mse")
    objects = [
        x,
        model,
        *model.layers,
        *model.variables,
        model.optimizer,
        keras.Sequential(),
        keras.layers.EinsumDense("ab,bc->ac", 3),
        keras.losses.MeanSquaredError(),
        keras.metrics.AUC(),
        keras.metrics.MeanSquaredError(),
        keras.callbacks.ModelCheckpoint("model.keras"),
        keras.random.SeedGenerator(0),
    ]
    names = {name for item in objects for name in [*dir(item), *vars(item)]}
    names |= {"_keras_mask", "_torch_params"}
    return frozenset(name for name in names if _is_private(name))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


ATTRIBUTE_BY_NAME = (
    "__setattr__",
    "attrgetter",
    "delattr",
    "getattr",
    "hasattr",
    "setattr",
)
PUBLIC_ALTHOUGH_UNDERSCORED = ("_asdict", "_fields", "_replace")


def check_privates(source: Source) -> Iterator[str]:
    """Private names stay private; those of Keras belong to surgery."""
    if source.path == SURGERY:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute):
            yield from _check_attribute(source, node)
        elif isinstance(node, ast.Call | ast.Subscript):
            yield from _check_attribute_string(source, node)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if _is_private(alias.name):
                    yield source.problem(
                        node,
                        f"imports {alias.name}, which is private to "
                        f"{node.module}. Make it public there.",
                    )
        elif isinstance(node, ast.ClassDef):
            for item in node.body:
                name = getattr(item, "name", "")
                if name in keras_privates():
                    yield source.problem(
                        item, f"Keras has a private {name}. Rename yours."
                    )


def _check_attribute(source: Source, node: ast.Attribute) -> Iterator[str]:
    if node.attr == "__class__" and not isinstance(node.ctx, ast.Load):
        yield source.problem(
            node, f"assigns a class. Call a function of {SURGERY}."
        )
    if not _is_private(node.attr):
        return
    if node.attr in keras_privates():
        yield source.problem(
            node,
            f"{node.attr} is a private name of Keras. Call a function of "
            f"{SURGERY}, or rename your own attribute.",
        )
    elif _last_name(node.value) not in ("self", "cls") and (
        node.attr not in own_privates(source)
    ):
        yield source.problem(
            node,
            f"{ast.unparse(node)} is private to another file. Ask for it by a "
            f"public name; if it is Keras's, in {SURGERY}.",
        )


def own_privates(source: Source) -> set[str]:
    """The private names that a file defines, and may use on any object."""
    names = set(PUBLIC_ALTHOUGH_UNDERSCORED)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and (
            isinstance(node.ctx, ast.Store) and _last_name(node.value) == "self"
        ):
            names.add(node.attr)
    return names


def _check_attribute_string(
    source: Source, node: ast.Call | ast.Subscript
) -> Iterator[str]:
    if isinstance(node, ast.Subscript):
        values, secrets = [node.slice], keras_privates()
    elif _last_name(node.func) in ATTRIBUTE_BY_NAME:
        values, secrets = node.args, keras_privates() | {"__class__"}
    else:
        return
    for value in values:
        if isinstance(value, ast.Constant) and value.value in secrets:
            yield source.problem(
                node,
                f"{value.value!r} names a private attribute of Keras. Call a "
                f"function of {SURGERY}.",
            )


def check_ensemble_axis(source: Source) -> Iterator[str]:
    """One file copies, folds and unfolds members."""
    if source.path == ENSEMBLE_AXIS:
        return
    for node in ast.walk(source.tree):
        does = ""
        if isinstance(node, ast.Call):
            name = _last_name(node.func)
            if name in ("tile", "repeat") and _is_tensor_library(node.func):
                does = f"calls {ast.unparse(node.func)}"
            if name == "reshape" and _mentions_ensemble_size(node):
                does = "reshapes by ensemble_size"
        elif isinstance(node, ast.BinOp) and (
            isinstance(node.op, ast.FloorDiv | ast.Mod)
            and not isinstance(node.left, ast.Constant | ast.JoinedStr)
            and _last_name(node.right) == "ensemble_size"
        ):
            does = "divides by ensemble_size"
        if does:
            yield source.problem(
                node,
                f"{does}. Only {ENSEMBLE_AXIS} knows where members live: "
                "call tile_members, split_members or merge_members.",
            )


def _is_tensor_library(function: ast.AST) -> bool:
    # itertools.repeat and str methods are no tensors.
    if isinstance(function, ast.Name):
        return True
    return _last_name(function.value) != "itertools"


def _mentions_ensemble_size(call: ast.Call) -> bool:
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(
        _last_name(node) == "ensemble_size"
        for argument in arguments
        for node in ast.walk(argument)
    )


def check_size(source: Source) -> Iterator[str]:
    """Files and functions stay short; a docstring does not count."""
    lines = len(source.text.splitlines())
    if lines > MAX_FILE_LINES:
        yield (
            f"keras_plex/{source.path}: {lines} lines, at most "
            f"{MAX_FILE_LINES}. It holds two ideas: make it two files."
        )
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = node.end_lineno - node.lineno + 1
        if ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            lines -= docstring.end_lineno - docstring.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            yield source.problem(
                node,
                f"{node.name} has {lines} lines, at most "
                f"{MAX_FUNCTION_LINES}. Name a part of it.",
            )


def check_module_docstring(source: Source) -> Iterator[str]:
    """A file that has code opens with one to three lines of prose."""
    if not source.tree.body:
        return
    docstring = ast.get_docstring(source.tree)
    if not docstring:
        yield f"keras_plex/{source.path}: say in a docstring what it is for."
        return
    lines = [line for line in docstring.splitlines() if line.strip()]
    if len(lines) > MAX_DOCSTRING_LINES:
        yield (
            f"keras_plex/{source.path}: the docstring has {len(lines)} lines, "
            f"at most {MAX_DOCSTRING_LINES}. Move the rest to what it is about."
        )


CHECKS = (
    check_floors,
    check_owners,
    check_privates,
    check_ensemble_axis,
    check_size,
    check_module_docstring,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", SOURCES)
def test_file_obeys(path, check):
    problems = list(check(SOURCES[path]))
    assert not problems, "\n".join(problems)


def imported_file(found: Import, sources: dict[str, Source]) -> str | None:
    """The file that an import names, if it is one of `sources`."""
    by_module = {source.module: path for path, source in sources.items()}
    by_name = by_module.get(f"{found.module}.{found.name}")
    return by_name or by_module.get(found.module)


def check_cycles(sources: dict[str, Source]) -> Iterator[str]:
    """No file asks, at any distance, for a file that asks for it."""
    graph = {
        path: {
            imported_file(found, sources)
            for found in find_imports(source.tree)
            if found.when != "typing"
        }
        - {None}
        for path, source in sources.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield (
            f"import cycle: {' <- '.join(error.args[1])}. Move what both need "
            "into a file of its own."
        )


def check_plain_import(sources: dict[str, Source]) -> Iterator[str]:
    """What `import keras_plex` runs imports no optional package."""
    reached, queue = set(), ["__init__.py"]
    while queue:
        path = queue.pop()
        if path in reached or path not in sources:
            continue
        reached.add(path)
        for found in find_imports(sources[path].tree):
            target = imported_file(found, sources)
            if found.when == "import" and target:
                # Importing a.b.c runs a/__init__.py and a/b/__init__.py too.
                parents = list(pathlib.PurePath(target).parents)[:-1]
                queue += [target, *(f"{p}/__init__.py" for p in parents)]
    for path in sorted(reached):
        for found in find_imports(sources[path].tree):
            for package in OPTIONAL:
                if found.when == "import" and found.reaches(package):
                    yield sources[path].problem(
                        found.node,
                        f"`import keras_plex` would need {package}. Import it "
                        "inside the function that uses it.",
                    )


def check_tests_exist(
    sources: dict[str, Source], tests: set[str]
) -> Iterator[str]:
    """tests/ mirrors keras_plex/."""
    for path in sources:
        if path.endswith("__init__.py") or path in UNTESTED:
            continue
        test = path.removesuffix(".py") + "_test.py"
        if test not in tests:
            yield (
                f"keras_plex/{path} has no tests/{test}. Write it, or add the "
                "file to UNTESTED with a reason."
            )


def test_no_import_cycles():
    problems = list(check_cycles(SOURCES))
    assert not problems, "\n".join(problems)


def test_plain_import_needs_no_extra():
    problems = list(check_plain_import(SOURCES))
    assert not problems, "\n".join(problems)


def test_plain_import_works_without_the_extras():
    backend = keras.config.backend()
    absent = [name for name in OPTIONAL if name != backend]
    code = (
        "import keras, sys\n"
        f"for name in {absent}: sys.modules[name] = None\n"
        "import keras_plex\n"
        "print(keras_plex.__file__)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend},
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == str(PACKAGE / "__init__.py")


def test_every_file_has_a_test():
    tests = ROOT / "tests"
    problems = list(
        check_tests_exist(
            SOURCES,
            {
                path.relative_to(tests).as_posix()
                for path in tests.rglob("*_test.py")
            },
        )
    )
    assert not problems, "\n".join(problems)


def test_exceptions_name_files_that_exist():
    named = {SURGERY, ENSEMBLE_AXIS, *UNTESTED}
    named |= {path for owners in OWNERS.values() for path in owners}
    gone = [path for path in sorted(named) if not (PACKAGE / path).exists()]
    assert not gone, f"no such files: {gone}. Remove them from the tables."


def test_docs_show_these_floors():
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.split("| Floor |")[1].split("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines()[2:]]
    shown = [set(re.findall(r"`(\w+)`", row)) for row in rows]
    assert shown == list(reversed(FLOORS))


BREAKS = [
    (check_floors, "ops/x.py", "from keras_plex.layers.a import A", "lower"),
    (check_floors, "layers/x.py", "import keras_plex.losses", "lower"),
    (check_floors, "ops/x.py", "from keras_plex import tables", "root"),
    (check_floors, "ops/x.py", "from .tables import lookup", "relative"),
    (
        check_floors,
        "ops/x.py",
        "def f():\n    from keras_plex.models.plex_model import PlexModel",
        "lower",
    ),
    (
        check_floors,
        "ops/x.py",
        "m = importlib.import_module('keras_plex.models.plex_model')",
        "lower",
    ),
    (check_floors, "helpers.py", "", "Put it on a floor"),
    (check_owners, "layers/x.py", "from keras.src import backend", "surgery"),
    (check_owners, "layers/x.py", "from keras import src", "surgery"),
    (check_owners, "layers/x.py", "y = keras.src.backend.f()", "surgery"),
    (check_owners, "layers/x.py", "import tensorflow as tf", "export/"),
    (
        check_owners,
        "metrics/x.py",
        "def f():\n    from tensorflow.io import gfile",
        "export/",
    ),
    (check_privates, "models/x.py", "layer._tracker.unlock()", "private"),
    (check_privates, "models/x.py", "del self._kernel", "private"),
    (check_privates, "models/x.py", "layer.__class__ = A", "class"),
    (check_privates, "models/x.py", "x = batch._keras_mask", "private"),
    (check_privates, "models/x.py", "x._call_signature", "private"),
    (check_privates, "models/x.py", "x = y._keras_history", "private"),
    (check_privates, "models/x.py", "setattr(x, '__class__', A)", "surgery"),
    (check_privates, "models/x.py", "getattr(x, '_layers')", "surgery"),
    (check_privates, "models/x.py", "vars(x)['_layers']", "surgery"),
    (check_privates, "models/x.py", "x = other._cache", "another file"),
    (
        check_privates,
        "layers/x.py",
        "class A:\n    def _build(self): pass",
        "Rename",
    ),
    (
        check_privates,
        "layers/x.py",
        "from keras_plex.ops.a import _b",
        "public there",
    ),
    (check_ensemble_axis, "layers/x.py", "ops.tile(x, (3, 1))", "members"),
    (check_ensemble_axis, "layers/x.py", "np.repeat(x, 3, 0)", "members"),
    (
        check_ensemble_axis,
        "layers/x.py",
        "ops.reshape(x, (self.ensemble_size, -1, 4))",
        "members",
    ),
    (check_ensemble_axis, "layers/x.py", "n // ensemble_size", "members"),
    (check_size, "ops/x.py", "x = 1\n" * 301, "two files"),
    (check_size, "ops/x.py", "def f():\n" + "    x = 1\n" * 50, "51 lines"),
    (check_module_docstring, "ops/x.py", "x = 1", "what it is for"),
    (check_module_docstring, "ops/x.py", '"""A\nb\n\nc\nd"""', "4 lines"),
]


@pytest.mark.parametrize("check, path, text, message", BREAKS)
def test_check_finds_the_fault(check, path, text, message):
    problems = list(check(Source(path, text)))
    assert len(problems) == 1, problems
    assert message in problems[0]


KEEPS = [
    (check_floors, "layers/x.py", "from keras_plex.ops.a import b"),
    (check_floors, "layers/x.py", "from keras_plex.layers.a import b"),
    (check_floors, "__init__.py", "from keras_plex import layers"),
    (check_owners, SURGERY, "from keras.src import backend"),
    (check_owners, "export/x.py", "import tensorflow as tf"),
    (check_owners, "data/x.py", "import tensorflow_datasets as tfds"),
    (check_privates, SURGERY, "layer._tracker.unlock()"),
    (check_privates, "layers/x.py", "self._fast_weights = x.__class__"),
    (check_privates, "layers/x.py", "x = point._replace(y=1)"),
    (check_privates, "layers/x.py", "self._cache = other._cache"),
    (check_ensemble_axis, ENSEMBLE_AXIS, "ops.tile(x, (3, 1))"),
    (check_ensemble_axis, "layers/x.py", "ops.reshape(x, (-1, 4))"),
    (check_ensemble_axis, "cli/x.py", "cost = ensemble_size * flops"),
    (check_ensemble_axis, "cli/x.py", "for x in itertools.repeat(1): pass"),
    (
        check_size,
        "ops/x.py",
        'def f():\n    """A.' + "\n" * 60 + '    """\n    return 1\n',
    ),
    (check_module_docstring, "ops/__init__.py", ""),
    (check_module_docstring, "ops/x.py", '"""A\n\nb\nc"""'),
]


@pytest.mark.parametrize("check, path, text", KEEPS)
def test_check_lets_pass(check, path, text):
    assert not list(check(Source(path, text)))


def make_sources(texts: dict[str, str]) -> dict[str, Source]:
    return {path: Source(path, text) for path, text in texts.items()}


def test_cycle_is_found():
    a_to_b = make_sources(
        {
            "layers/__init__.py": "from keras_plex.layers.a import A",
            "layers/a.py": "from keras_plex.layers.b import B",
            "layers/b.py": "",
        }
    )
    assert not list(check_cycles(a_to_b))
    back = "from keras_plex.layers.a import A"
    both = {**a_to_b, **make_sources({"layers/b.py": back})}
    assert "layers/a.py" in "".join(check_cycles(both))
    front = "from keras_plex.layers import A"
    front_page = {**a_to_b, **make_sources({"layers/b.py": front})}
    assert "layers/__init__.py" in "".join(check_cycles(front_page))


def test_optional_import_on_the_plain_path_is_found():
    texts = {
        "__init__.py": "from keras_plex.plots import plot",
        "plots.py": "def plot():\n    import matplotlib",
        "cli/demo.py": "import keras_hub",
    }
    assert not list(check_plain_import(make_sources(texts)))
    texts["plots.py"] = "try:\n    import matplotlib\nexcept E: pass"
    (problem,) = check_plain_import(make_sources(texts))
    assert "plots.py:2" in problem


def test_missing_test_is_found():
    sources = make_sources({"ops/a.py": "", "ops/__init__.py": ""})
    assert not list(check_tests_exist(sources, {"ops/a_test.py"}))
    assert list(check_tests_exist(sources, {"a_test.py"}))
