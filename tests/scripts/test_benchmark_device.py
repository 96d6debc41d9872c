import json
import re

import pytest
import torch
from torch import nn

pytest.importorskip("diffusers")

from benchmarks import gauge, on_device
from benchmarks.cases import SUBJECTS, Case, Size


@pytest.mark.parametrize(("minutes", "cases"), [(4, 3), (8, 5), (30, 8)])
def test_a_dry_run_chooses_the_most_telling_cases_and_measures_nothing(capsys, tmp_path, minutes, cases):
    output = tmp_path / "results.json"
    arguments = [
        "train",
        "generate",
        "train_diffusion",
        "--device",
        "cuda",
        "--minutes",
        str(minutes),
        "--dry",
    ]
    on_device.main([*arguments, "--output", str(output)])
    printed = capsys.readouterr().out
    seconds = [int(found) for found in re.findall(r"^ *(\d+) s  ", printed, re.MULTILINE)]
    assert len(seconds) == cases
    assert sum(seconds) == pytest.approx(60 * minutes, abs=8)
    assert printed.count("If time is left: ") == 8 - cases
    assert printed.index("paper 64") < printed.index("40 evaluations") < printed.index("bit_50x1")
    assert not output.exists()


def test_one_that_fails_does_not_end_the_others(tmp_path):
    turns = []

    def failing(after):
        def work():
            turns.append(after)
            if turns.count(after) > after:
                raise torch.OutOfMemoryError("CUDA out of memory")

        return gauge.Entrant(f"fails after {after}", 1, 1.0, lambda: work)

    def entrants(device, folder):
        yield from (failing(0), failing(3), gauge.Entrant("works", 1, 1.0, lambda: lambda: None))

    case = Case("a case", 0, 0, (), entrants)
    rows = list(on_device._measured(case, torch.device("cpu"), tmp_path, 0.0, 1.0))
    assert [row["name"] for row in rows] == ["fails after 0", "fails after 3", "works"]
    assert [row.get("failed") for row in rows] == ["OutOfMemoryError: CUDA out of memory"] * 2 + [None]


@pytest.mark.filterwarnings("default")  # those of peers are not ours
def test_results_come_as_a_table_and_as_json(capsys, tmp_path):
    output = tmp_path / "results.json"
    arguments = ["generate", "train", "--device", "cpu", "--tiny", "--minutes", "0.001"]
    on_device.main([*arguments, "--output", str(output)])
    content, printed = json.loads(output.read_text()), capsys.readouterr().out
    assert len(content["results"]) == 3
    assert content["acceleration"]["amp"] is False
    for title, rows in content["results"].items():
        assert title in printed
        own = [row["name"].startswith("medaug") for row in rows]
        assert own == [True, "RandAugment" in rows[1]["name"], *[False] * (len(rows) - 2)]
        for row in rows:
            rate = row["images_per_second"]
            assert row["step_ms"] == pytest.approx(1e3 * row["images"] / rate)
            assert row["share_of_matrix_rate"] * content["matrix_tflops"] == pytest.approx(row["tflops"])
        assert rows[1]["medaug_is"] == pytest.approx(
            rows[0]["images_per_second"] / rows[1]["images_per_second"]
        )


def test_the_networks_are_those_of_the_presets():
    titles = [case.title for case in SUBJECTS["train_diffusion"](Size.full())]
    assert titles[0] == "training, paper 64, side 64, batch 128"
    assert "training, single_gpu upsampler, side 256, batch 32" in titles


def test_operations_are_those_of_the_products():
    network = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.Flatten(), nn.Linear(5 * 64, 7))

    def call(network, images):
        return network(torch.rand(images, 3, 8, 8))

    forward = 2 * (64 * 5 * 3 * 9 + 5 * 64 * 7)
    assert gauge.flops_of_image(network, call, backward=False) == forward
    # Backwards: the weights' gradients of both layers, and that of the features.
    assert gauge.flops_of_image(network, call, backward=True) == 2 * forward + 2 * 5 * 64 * 7
