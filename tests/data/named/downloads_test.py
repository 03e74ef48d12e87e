"""Nothing is downloaded unasked; what would be is said."""

import contextlib
import json
import urllib.error
import urllib.request
from unittest import mock

import pytest

from keras_plex.data.named import downloads
from keras_plex.data.named.directories import INTERRUPTED
from keras_plex.data.named.directories import READY
from keras_plex.data.named.directories import find_place
from keras_plex.data.named.directories import manual_directory
from keras_plex.data.named.downloads import prepare_data_sets
from keras_plex.data.named.downloads import size_in_words
from keras_plex.data.named.table import DATA_SETS
from tests.named_data import no_network
from tests.named_data import prepare

tfds = pytest.importorskip("tensorflow_datasets")


@pytest.fixture(autouse=True)
def offline():
    with no_network():
        yield


def ask(names, root, download=False):
    rows = [DATA_SETS[name] for name in names]
    return prepare_data_sets(rows, root, download=download)


def refusal(names, root, download=False):
    with pytest.raises(ValueError) as caught:
        ask(names, root, download)
    return str(caught.value)


def test_what_is_there_is_used_without_the_network(tmp_path):
    paths = [prepare(name, tmp_path) for name in ("cifar10", "hans")]
    found = ask(["cifar10", "hans"], tmp_path)
    assert found == dict(zip(["cifar10", "hans"], paths, strict=True))
    assert ask(["cifar10"], tmp_path, download=True)["cifar10"] == paths[0]


def test_plan_names_sizes_licences_and_how_to_go_on(tmp_path):
    plan = refusal(["fashion_mnist", "svhn_cropped", "cifar10h"], tmp_path)
    assert plan.startswith(f"3 data sets are not in {str(tmp_path)!r}:")
    assert "- fashion_mnist: 29.4 MiB to download; licence: MIT, see" in plan
    assert "- svhn_cropped: 1.5 GiB to download; licence: not known" in plan
    assert "- cifar10h: unknown to download" in plan
    assert "at least 1.5 GiB in all" in plan
    assert "Pass `download=True`" in plan and "`data_dir`" in plan
    assert not list(tmp_path.iterdir()), "something was written"


def test_what_shares_an_address_counts_once(tmp_path):
    names = ["civil_comments", "civil_comments_identities"]
    assert "would be 427.4 MiB in all" in refusal(names, tmp_path)


def test_plan_joins_a_family(tmp_path):
    names = [name for name in DATA_SETS if "corrupted" in name]
    plan = refusal(names, tmp_path)
    assert "75 data sets are not" in plan
    assert "gaussian_noise_1 and 74 more of its kind: 2.0 MiB" in plan
    assert plan.count("ILSVRC2012_img_val.tar") == 1


@pytest.mark.parametrize("download", [False, True])
def test_files_to_fetch_oneself_are_named_with_their_place(tmp_path, download):
    plan = refusal(["imagenet2012"], tmp_path, download)
    folder = manual_directory(tmp_path)
    assert "ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar yourself" in plan
    assert f"put them into {folder}" in plan
    folder.mkdir(parents=True)
    (folder / "ILSVRC2012_img_train.tar").touch()
    plan = refusal(["imagenet2012"], tmp_path, download)
    assert "fetch ILSVRC2012_img_val.tar yourself" in plan


@pytest.mark.parametrize("download", [False, True])
def test_file_outside_tfds_is_named_with_its_place(tmp_path, download):
    plan = refusal(["hans"], tmp_path, download)
    place = tmp_path / "hans" / "heuristics_evaluation_set.txt"
    assert f"fetch {place.name} yourself, and put it at {place}" in plan
    assert "Pass `download=True`" not in plan


def test_interrupted_preparation_is_explained(tmp_path):
    left = tmp_path / "mnist" / "incomplete.AB12CD_3.0.1"
    left.mkdir(parents=True)
    plan = refusal(["mnist"], tmp_path)
    assert f"its preparation was interrupted ({left}), or is still" in plan
    assert "with `download=True` it starts again" in plan


def test_other_version_is_explained(tmp_path):
    path = prepare("mnist", tmp_path)
    path.rename(path.with_name("2.0.0"))
    assert "of other versions, not used:" in refusal(["mnist"], tmp_path)


@contextlib.contextmanager
def fake_download(urlopen):
    """The network as `urlopen` has it, and a builder that prepares by itself.

    Gives the directories that were prepared.
    """
    prepared = []

    def builder(name, data_dir):
        found = mock.Mock()
        [row] = [row for row in DATA_SETS.values() if row.tfds == name]

        def download_and_prepare(download_config):
            print("Downloading and preparing dataset ...")
            assert str(download_config.manual_dir).endswith("manual")
            prepared.append(prepare(row.name, data_dir))

        found.download_and_prepare = download_and_prepare
        return found

    real = tfds.builder
    with (
        mock.patch.object(urllib.request, "urlopen", urlopen),
        mock.patch.object(downloads, "import_tfds") as import_tfds,
    ):
        fake = import_tfds.return_value
        fake.builder, fake.builder_cls = builder, tfds.builder_cls
        fake.download = tfds.download
        assert tfds.builder is real
        yield prepared


def test_plan_is_shown_before_a_download_and_the_output_is_left_alone(
    tmp_path, capsys
):
    with fake_download(reachable):
        ask(["fashion_mnist"], tmp_path, download=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    plan, sign, _ = captured.err.partition("Downloading and preparing dataset")
    assert sign and "- fashion_mnist: 29.4 MiB to download" in plan
    assert "Downloading 29.4 MiB in all." in plan
    ask(["fashion_mnist"], tmp_path, download=True)
    assert capsys.readouterr() == ("", "")


def reachable(request, timeout):
    assert request.get_method() == "HEAD" and timeout <= 10
    return mock.MagicMock()


def unreachable(request, timeout):
    raise urllib.error.URLError("no route")


def forbids_head(request, timeout):
    raise urllib.error.HTTPError(request.full_url, 405, "no", {}, None)


@pytest.mark.parametrize("urlopen", [reachable, forbids_head])
def test_yes_downloads_and_prepares(urlopen, tmp_path):
    with fake_download(urlopen) as prepared:
        found = ask(["mnist", "mnli"], tmp_path, download=True)
    assert prepared == [found["mnist"], found["mnli"]]
    assert find_place(DATA_SETS["mnli"], tmp_path).state == READY


def test_no_network_is_an_error_at_once_and_nothing_is_prepared(tmp_path):
    with fake_download(unreachable) as prepared:
        text = refusal(["mnist", "mnli"], tmp_path, download=True)
    assert "Cannot download 'mnist': http" in text and "no route" in text
    assert f"copy {tmp_path / 'mnist' / '3.0.1'} here" in text
    assert not prepared


def test_builder_without_checksums_is_looked_for_too(tmp_path):
    assert not tfds.builder_cls("cifar10_h").url_infos
    with fake_download(unreachable):
        text = refusal(["cifar10h"], tmp_path, download=True)
    assert "Cannot download 'cifar10h': https://www.cs.toronto.edu" in text


def test_what_came_through_needs_no_network(tmp_path):
    folder = tmp_path / "downloads" / "mnist"
    folder.mkdir(parents=True)
    for number, url in enumerate(tfds.builder_cls("mnist").url_infos):
        (folder / f"file{number}").touch()
        (folder / f"file{number}.INFO").write_text(json.dumps({"urls": [url]}))
    with fake_download(unreachable) as prepared:
        ask(["mnist"], tmp_path, download=True)
    assert len(prepared) == 1
    (folder / "file2").unlink()
    prepared[0].rename(tmp_path / "away")
    with fake_download(unreachable):
        assert "Cannot download" in refusal(["mnist"], tmp_path, download=True)


def test_torn_directory_is_prepared_anew(tmp_path):
    path = prepare("mnist", tmp_path)
    [shard] = path.glob("mnist-test.*")
    shard.unlink()
    assert find_place(DATA_SETS["mnist"], tmp_path).state == INTERRUPTED
    with fake_download(reachable):
        ask(["mnist"], tmp_path, download=True)
    assert find_place(DATA_SETS["mnist"], tmp_path).state == READY


@pytest.mark.parametrize(
    "missing", ["tensorflow_datasets", "importlib_resources"]
)
def test_missing_package_gives_the_pip_line(missing):
    with mock.patch.dict("sys.modules", {missing: None}):
        with pytest.raises(
            ModuleNotFoundError, match=r"keras_plex\[datasets\]"
        ):
            downloads.import_tfds()


def test_sizes_in_words():
    assert size_in_words(1) == "1 KiB"
    assert size_in_words(2**20) == "1.0 MiB"
    assert size_in_words(31_433_171_456) == "29.3 GiB"
