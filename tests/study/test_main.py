import json

import pandas as pd
import pytest

from medaug.study.__main__ import main
from medaug.study.page import FORMAT


@pytest.fixture
def make(stores, tmp_path):
    real, synthetic = (str(store.path) for store in stores)
    page = str(tmp_path / "study.html")

    def run(*more, store=real, made=synthetic):
        stores = ["--store", store, "--synthetic", made]
        main(["make", *stores, "--images_per_class", "2", "--seed", "5", "--output", page, *more])

    return run


def test_a_study_is_made_and_scored_by_two_commands(make, tmp_path, capsys):
    make("--title", "Pilot")
    assert "study.html: 12 images of 3 conditions" in capsys.readouterr().out
    key = json.loads((tmp_path / "study-key.json").read_text("utf-8"))
    exports = []
    for rater in ("R1", "R2"):
        ratings = [
            {
                "image": image["image"],
                "diagnosable": True,
                "diagnoses": [{"condition": image["condition"], "confidence": 4}],
            }
            for image in key["images"]
        ]
        content = {"format": FORMAT, "study": key["study"], "rater": rater, "images": 12, "ratings": ratings}
        exports.append(tmp_path / f"{rater}.json")
        exports[-1].write_text(json.dumps(content), "utf-8")
    files = ["--key", str(tmp_path / "study-key.json"), "--output", str(tmp_path / "scores.html")]
    main(["score", *map(str, exports), *files])
    assert "100.0 ± 0.0 (n = 12)" in capsys.readouterr().out
    scores = pd.read_csv(tmp_path / "scores.csv", keep_default_na=False)
    means = scores[(scores["rater"] == "") & (scores["metric"] == "top1_accuracy")]
    assert means["value"].astype(float).eq(1).all()
    assert set(zip(means["source"], means["condition"], strict=True)) == {
        (s, c) for s in ("real", "synthetic") for c in ("", "acne", "eczema", "melanoma")
    }


def test_what_is_wrong_with_the_input_is_one_sentence(make, stores, tmp_path):
    with pytest.raises(SystemExit, match="error: too few images for images_per_class=9"):
        make("--images_per_class", "9")
    with pytest.raises(SystemExit, match="error: there is no image store at"):
        make(store=str(tmp_path / "nothing"))
    with pytest.raises(SystemExit, match=r"error: .* holds real images; name it with --store"):
        make(made=str(stores[0].path))
    with pytest.raises(SystemExit, match=r"error: .* cannot be read as the key"):
        main(["score", "x.json", "--key", str(tmp_path / "none.json")])
    assert not list(tmp_path.glob("*.html"))
