import importlib.util
import io
import re
import sys
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmark.py"
TINY = [
    *("--image_sizes", "16", "--stored_images", "32", "--loader_batch_size", "16"),
    *("--iterations", "1", "--generated_images", "2", "--steps", "2"),
    *("--slide_side", "1024", "--peer_patches", "4", "--monai_patches", "4", "--slides", "1"),
    *("--kept_slides", "1"),
    *("--rows", "40", "--replicates", "20", "--peer_replicates", "2"),
]
PEERS = {
    "loader": ["MONAI CacheDataset, from PNG files", "MONAI CacheDataset, plain tensors"] * 3,
    "slides": [
        *("OpenSlide, one read_region a patch", "MONAI PatchWSIDataset"),
        *("each tile decoded once", "medaug cut, one process"),
    ],
    "train_diffusion": ["MONAI (", "diffusers ("],
    "generate": ["MONAI DiffusionInferer", "diffusers, DDIM", "diffusers, DPMSolver"],
    "evaluate": ["fairlearn MetricFrame", "MONAI compute_roc_auc"],
}


@pytest.fixture(scope="module")
def benchmark():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT.parent)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(scope="module")
def table(benchmark):
    """Output of all benchmarks with tiny settings, by subject."""
    pytest.importorskip("diffusers")
    pytest.importorskip("fairlearn")
    command = [str(SCRIPT), "all", "--repeats", "1", "--threads", "1", *TINY]
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", command)
        warnings.simplefilter("ignore")  # those of the peers
        with redirect_stdout(io.StringIO()) as said:
            benchmark.main()
    parts = re.split(r"^(\w+): .*\n", said.getvalue(), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def test_says_on_what_it_ran_but_not_where(table):
    assert "1 torch threads" in table[""]
    assert "torch 2." in table[""]
    assert "n = 1 rounds" in table[""]
    assert str(SCRIPT.parent) not in "".join(table.values())


def test_has_all_subjects(table):
    assert set(table) == {"", *PEERS}


@pytest.mark.parametrize("subject", PEERS)
def test_each_peer_has_a_speed_and_a_ratio(table, subject):
    lines = [line for line in table[subject].splitlines() if line.rstrip().endswith(" x")]
    named = [line for line in lines if not line.strip().startswith("(medaug")]
    assert len(named) == len(PEERS[subject])
    for line, peer in zip(named, PEERS[subject], strict=True):
        assert line.strip().startswith(peer)
        assert re.search(r"[\d.,]+ (images|patches|iterations|replicates)/s +\[.+ - .+\] +[\d.,]+ x$", line)


@pytest.mark.parametrize("subject", PEERS)
def test_medaug_has_a_speed_in_each_contest(table, subject):
    lines = [line for line in table[subject].splitlines() if line.startswith("  medaug")]
    assert len(lines) == (3 if subject in ("loader", "slides") else 1)
    assert all("/s" in line for line in lines)


def test_a_peer_that_is_not_installed_is_named(benchmark, monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.contest.find_spec", lambda name: None)
    settings = benchmark._parser().parse_args(["evaluate", "--rows", "40", "--peer_replicates", "2"])
    (contest,) = benchmark.evaluate.contests(settings, tmp_path)
    assert list(contest.runs) == ["medaug evaluate", "MONAI compute_roc_auc in a loop"]
    printed = benchmark.hold(contest, 1)
    assert "skipped: MetricFrame (fairlearn is not installed; pip install 'medaug[bench]')" in printed


def test_ratios_are_medians_over_rounds_that_take_turns(benchmark):
    from benchmarks.contest import Contest

    order = []

    def contestant(name, seconds):
        seconds = iter(seconds)
        return lambda: order.append(name) or next(seconds)

    runs = {"ours": contestant("a", [9, 1, 2, 4]), "peer": contestant("b", [9, 3, 10, 8])}
    ours, peer = benchmark.hold(Contest("title", "images/s", 8, runs), 3).splitlines()[1:]
    assert order == list("abababab")
    assert re.split(r" {2,}", ours.strip()) == ["ours", "4 images/s", "[2 - 8]"]
    assert re.split(r" {2,}", peer.strip()) == ["peer", "1 images/s", "[0.8 - 2.67]", "3.00 x"]


def test_help_lists_the_settings(benchmark, capsys):
    with pytest.raises(SystemExit):
        benchmark._parser().parse_args(["loader", "--help"])
    text = capsys.readouterr().out
    assert all(option in text for option in ("--repeats", "--threads", "--image_sizes"))
