"""Every notebook runs from top to bottom, and keeps the outputs of a run."""

import json
import pathlib
import re

import pytest

nbformat = pytest.importorskip("nbformat")

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = "examples/notebooks"
NOTEBOOKS = sorted(path.name for path in (ROOT / FOLDER).glob("*.ipynb"))
COLAB = "https://colab.research.google.com/github/keras-plex/keras-plex/blob"

# The reader's machine has the package already.
NOT_RUN = "install"
CELL_SECONDS = 1200

# A folder of some machine: /home/..., /tmp/..., C:\...; URLs go on before it.
MACHINE_PATH = re.compile(
    r"(?<![\w./:-])/(?:content|etc|home|mnt|opt|private|root|tmp|Users|usr|var"
    r"|work)/|\b[A-Z]:\\\\"
)
NUMBER = re.compile(r"\b\d+\.\d+\b")


def read(name: str):
    return nbformat.read(ROOT / FOLDER / name, as_version=4)


def code_cells(notebook) -> list:
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and NOT_RUN not in tags(cell)
    ]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def prose(notebook) -> str:
    return "\n".join(
        cell.source for cell in notebook.cells if cell.cell_type == "markdown"
    )


def printed(notebook) -> str:
    """The text of all outputs."""
    texts = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            texts.append(output.get("text", ""))
            texts.append(output.get("data", {}).get("text/plain", ""))
    return "\n".join(texts)


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs_in_order(name, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    for package in ("ipykernel", "keras_hub", "matplotlib", "tensorflow"):
        pytest.importorskip(package)
    # The kernel chooses its own: figures that are shown.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = read(name)
    nbclient.NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        skip_cells_with_tag=NOT_RUN,
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    kept = code_cells(read(name))
    for cell, old in zip(code_cells(notebook), kept, strict=True):
        assert kinds(cell) == kinds(old), cell.source


def kinds(cell) -> list[str]:
    """What a cell shows, apart from the log."""
    return sorted(
        mime
        for output in cell.outputs
        for mime in output.get("data", {output.get("name"): None})
        if mime != "stderr"
    )


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_those_of_one_run_in_order(name):
    notebook = read(name)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_opens_and_installs_in_colab(name):
    notebook = read(name)
    assert f"{COLAB}/main/{FOLDER}/{name})" in notebook.cells[0].source
    first = next(c for c in notebook.cells if c.cell_type == "code")
    assert NOT_RUN in tags(first)
    assert re.fullmatch(r'%pip install -q "keras_plex(\[\w+\])?"', first.source)
    assert first.execution_count is None and not first.outputs


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_names_no_folder_of_a_machine(name):
    text = (ROOT / FOLDER / name).read_text()
    assert not MACHINE_PATH.findall(text)
    assert str(ROOT) not in text
    assert str(pathlib.Path.home()) + "/" not in text


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_numbers_in_the_prose_stand_in_the_outputs(name):
    notebook = read(name)
    shown = set(NUMBER.findall(printed(notebook)))
    assert set(NUMBER.findall(prose(notebook))) <= shown


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_links_of_the_notebook_lead_to_files(name):
    here = "https://github.com/keras-plex/keras-plex/blob/main/"
    linked = re.findall(re.escape(here) + r"([^)\s]+)", prose(read(name)))
    missing = [path for path in linked if not (ROOT / path).is_file()]
    assert linked and not missing


def test_there_is_a_notebook():
    assert "quickstart.ipynb" in NOTEBOOKS


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("saved in /tmp/tmp1/model", True),
        ("/home/ann/keras_plex", True),
        (json.dumps("C:\\Users\\ann"), True),
        ("https://keras.io/home/", False),
        ("served/digits/1, mha/query", False),
    ],
)
def test_folders_of_machines_are_found(text, is_found):
    assert bool(MACHINE_PATH.search(text)) == is_found
