"""A small good table for each reader and for predictions, with what its columns mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from medaug.data.readers import read_slide_source, read_source
from medaug.evaluation.predictions import read_predictions
from medaug.task import Attribute, Task

SEX, AGE = Attribute("sex", ("F", "M")), Attribute("age", bins=(0.0, 40.0, 60.0, 80.0, 120.0))
TUMOUR = Task("multilabel", ("tumour",))
ROWS = 6
PEOPLE = ("Doe Jane", "Roe Richard", "Doe Jane", "Poe Edgar", "Moe Mary", "Loe Lena")
SITES = ("North", "South", "North", "East", "South", "East")
SEXES, AGES = ("Female", "Male", "Female", "Male", "Female", "Male"), ("35", "71", "36", "54", "64", "22")


@dataclass(frozen=True)
class Column:
    """What a column holds, and the column of the result where it goes, if any.

    It holds an ``image``, ``patient``, ``name``, ``label``, ``diagnosis``, ``score``, ``age``, ``sex``,
    ``group``, ``case`` or ``other`` things.
    """

    holds: str
    result: str | None = None


@dataclass(frozen=True)
class World:
    """A table, the files around it, and the function that reads it."""

    name: str
    table: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    columns: Mapping[str, Column]
    read: Callable[[Path], pd.DataFrame]
    files: Sequence[str] = ()
    tables: Mapping[str, str] = field(default_factory=dict)
    numbered: bool = False
    """Whether images are called by their row, so that another row is another name."""
    derived: Mapping[str, str] = field(default_factory=dict)
    """Further columns of the result, and the column that they follow from."""

    def write(self, folder: Path, data: bytes) -> None:
        """Write the table with this content, and everything around it."""
        for name in self.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        for name, text in self.tables.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        (folder / self.table).parent.mkdir(parents=True, exist_ok=True)
        (folder / self.table).write_bytes(data)


def _rows(*columns: Sequence[str]) -> list[list[str]]:
    return [list(row) for row in zip(*columns, strict=True)]


def _some(pattern: str) -> list[str]:
    return [pattern.format(number) for number in range(1, ROWS + 1)]


def _reader(name: str, task: Task, **options: Any) -> Callable[[Path], pd.DataFrame]:
    read = read_slide_source if name in ("slides", "camelyon17") else read_source
    return lambda folder: read(name, folder, task, **options)


def own_images() -> World:
    """Return a hospital's own table of radiographs."""
    race = Attribute("race", ("Black", "White"))
    task = Task("multilabel", ("effusion",), attributes=(SEX, AGE, race))
    header = ["path", "patient_id", "domain", "effusion", "sex", "age", "race"]
    races, labels = ("Black", "White", "Black", "White", "Black", "White"), ("1", "0", "", "1", "0", "0")
    rows = _rows(_some("i{}.png"), PEOPLE, SITES, labels, SEXES, AGES, races)
    columns = {
        "path": Column("image"),
        "patient_id": Column("patient", "patient_id"),
        "domain": Column("name", "domain"),
        "effusion": Column("label", "label:effusion"),
        "sex": Column("sex", "attr:sex"),
        "age": Column("age", "attr:age"),
        "race": Column("name", "attr:race"),
    }
    return World(
        "csv", "table.csv", header, rows, columns, _reader("csv", task), _some("i{}.png"), numbered=True
    )


def own_slides() -> World:
    """Return a hospital's own table of slides."""
    header = ["path", "patient_id", "domain", "tumour_free"]
    rows = _rows(_some("s{}.svs"), PEOPLE, SITES, ("1", "0", "1", "", "0", "1"))
    columns = {
        "path": Column("image"),
        "patient_id": Column("patient", "patient_id"),
        "domain": Column("name", "domain"),
        "tumour_free": Column("other", "tumour_free"),
    }
    read = _reader("slides", TUMOUR, table="cases.csv")
    return World("slides", "cases.csv", header, rows, columns, read, _some("s{}.svs"), numbered=True)


def chexpert() -> World:
    """Return CheXpert's training table."""
    task = Task("multilabel", ("edema", "effusion"), attributes=(SEX, AGE))
    files = _some("train/patient0000{}/study1/view1_frontal.jpg")
    header = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "Edema", "Pleural Effusion"]
    views, sides = ["Frontal"] * ROWS, ["AP", "PA"] * 3
    labels = ("1.0", "0.0", "-1.0", "", "1.0", "0.0")
    rows = _rows([f"CheXpert-v1.0/{f}" for f in files], SEXES, AGES, views, sides, labels, labels[::-1])
    columns = {
        "Path": Column("image", "image_id"),
        "Sex": Column("sex", "attr:sex"),
        "Age": Column("age", "attr:age"),
        "Frontal/Lateral": Column("other", "view"),
        "AP/PA": Column("other", "projection"),
        "Edema": Column("label", "label:edema"),
        "Pleural Effusion": Column("label", "label:effusion"),
    }
    return World("chexpert", "train.csv", header, rows, columns, _reader("chexpert", task), files)


def chestxray14() -> World:
    """Return ChestX-ray14's table, brackets in its header."""
    task = Task("multilabel", ("edema", "effusion"), attributes=(SEX, AGE))
    header = ["Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "Patient Gender"]
    header += ["View Position", "OriginalImage[Width", "Height]", "OriginalImagePixelSpacing[x", "y]"]
    found = ("No Finding", "Edema|Effusion", "Mass", "Effusion", "No Finding", "Edema")
    people = ("13", "14", "13", "15", "16", "17")
    size = [[value] * ROWS for value in ("2682", "2749", "0.143", "0.143")]
    sexes, views = [sex[0] for sex in SEXES], ["PA", "AP"] * 3
    rows = _rows(_some("0{}_000.png"), found, ["0"] * ROWS, people, AGES, sexes, views, *size)
    columns = dict.fromkeys(header, Column("other")) | {
        "Image Index": Column("image", "image_id"),
        "Finding Labels": Column("other", "label:edema"),
        "Patient ID": Column("patient", "patient_id"),
        "Patient Age": Column("age", "attr:age"),
        "Patient Gender": Column("sex", "attr:sex"),
        "View Position": Column("other", "view"),
    }
    read = _reader("chestxray14", task)
    return World(
        "chestxray14",
        "Data_Entry_2017_v2020.csv",
        header,
        rows,
        columns,
        read,
        _some("0{}_000.png"),
        derived={"label:effusion": "Finding Labels"},
    )


def ham10000() -> World:
    """Return the table of HAM10000."""
    task = Task("multiclass", ("mel", "nv", "bkl"), attributes=(SEX, AGE))
    header = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset"]
    lesions, types = ("HAM_1", "HAM_2", "HAM_1", "HAM_3", "HAM_4", "HAM_5"), ["histo"] * ROWS
    found, places = ("mel", "nv", "bkl", "mel", "nv", "nv"), ["back", "scalp"] * 3
    rows = _rows(lesions, _some("ISIC_{}"), found, types, AGES, [s.lower() for s in SEXES], places, SITES)
    columns = {
        "lesion_id": Column("patient", "patient_id"),
        "image_id": Column("image", "image_id"),
        "dx": Column("diagnosis", "label:mel"),
        "dx_type": Column("other"),
        "age": Column("age", "attr:age"),
        "sex": Column("sex", "attr:sex"),
        "localization": Column("other", "localization"),
        "dataset": Column("name", "domain"),
    }
    files = _some("ISIC_{}.jpg")
    return World(
        "ham10000",
        "HAM10000_metadata.csv",
        header,
        rows,
        columns,
        _reader("ham10000", task),
        files,
        derived={"label:nv": "dx", "label:bkl": "dx"},
    )


def pad_ufes_20() -> World:
    """Return the table of PAD-UFES-20."""
    tone = Attribute("skin_tone", ("I", "II", "III", "IV", "V", "VI"))
    task = Task("multiclass", ("NEV", "BCC"), attributes=(SEX, AGE, tone))
    header = ["patient_id", "age", "gender", "fitspatrick", "region", "diagnostic", "img_id", "biopsed"]
    people, found = ("PAT_1", "PAT_2", "PAT_1", "PAT_3", "PAT_4", "PAT_5"), ["NEV", "BCC"] * 3
    tones, files = ("1.0", "2.0", "1.0", "3.0", "", "6.0"), _some("PAT_{}.png")
    places, biopsed = ["ARM", "NECK"] * 3, ["True", "False"] * 3
    rows = _rows(people, AGES, [s.upper() for s in SEXES], tones, places, found, files, biopsed)
    columns = {
        "patient_id": Column("patient", "patient_id"),
        "age": Column("age", "attr:age"),
        "gender": Column("sex", "attr:sex"),
        "fitspatrick": Column("other", "attr:skin_tone"),
        "region": Column("other", "region"),
        "diagnostic": Column("diagnosis", "label:NEV"),
        "img_id": Column("image", "image_id"),
        "biopsed": Column("other", "biopsed"),
    }
    return World(
        "pad_ufes_20",
        "metadata.csv",
        header,
        rows,
        columns,
        _reader("pad_ufes_20", task),
        files,
        derived={"label:BCC": "diagnostic"},
    )


def ddi() -> World:
    """Return the table of DDI, whose first column has no name."""
    tone = Attribute("skin_tone", ("I-II", "III-IV", "V-VI"))
    task = Task("multiclass", ("melanoma", "other"), attributes=(tone,))
    header = ["", "DDI_ID", "DDI_file", "skin_tone", "malignant", "disease"]
    found, files = ["melanoma", "verruca-vulgaris"] * 3, _some("00000{}.png")
    tones, bad = ("12", "34", "56", "12", "34", "56"), ["True", "False"] * 3
    rows = _rows(_some("{}"), _some("{}"), files, tones, bad, found)
    columns = {
        "": Column("other"),
        "DDI_ID": Column("other"),
        "DDI_file": Column("image", "image_id"),
        "skin_tone": Column("other", "attr:skin_tone"),
        "malignant": Column("other"),
        "disease": Column("diagnosis", "label:melanoma"),
    }
    return World(
        "ddi",
        "ddi_metadata.csv",
        header,
        rows,
        columns,
        _reader("ddi", task),
        files,
        derived={"label:other": "disease"},
    )


def fitzpatrick17k() -> World:
    """Return the table of Fitzpatrick17k."""
    tone = Attribute("skin_tone", ("I", "II", "III", "IV", "V", "VI"))
    task = Task("multiclass", ("psoriasis", "scabies"), attributes=(tone,))
    header = ["md5hash", "fitzpatrick_scale", "label", "qc", "url"]
    tones, found = ("1", "2", "-1", "4", "5", "6"), ["psoriasis", "scabies"] * 3
    url = ["https://www.dermaamin.com/x.jpg"] * ROWS
    rows = _rows(_some("a{}"), tones, found, [""] * ROWS, url)
    columns = {
        "md5hash": Column("image", "image_id"),
        "fitzpatrick_scale": Column("other", "attr:skin_tone"),
        "label": Column("diagnosis", "label:psoriasis"),
        "qc": Column("other"),
        "url": Column("other", "atlas"),
    }
    read = _reader("fitzpatrick17k", task)
    return World(
        "fitzpatrick17k",
        "fitzpatrick17k.csv",
        header,
        rows,
        columns,
        read,
        _some("a{}.jpg"),
        derived={"label:scabies": "label"},
    )


def isic_2019() -> World:
    """Return the metadata of ISIC 2019; its table of codes stays good."""
    task = Task("multiclass", ("MEL", "NV"), attributes=(SEX, AGE))
    header = ["image", "age_approx", "anatom_site_general", "lesion_id", "sex"]
    images, lesions = _some("ISIC_{}"), ("BCN_1", "HAM_2", "BCN_1", "BCN_3", "MSK_4", "BCN_5")
    rows = _rows(images, AGES, ["head/neck", "torso"] * 3, lesions, [s.lower() for s in SEXES])
    codes = "MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
    truth = "\n".join(
        f"{one},{'1.0,0.0' if n % 2 else '0.0,1.0'}{',0.0' * 7}" for n, one in enumerate(images)
    )
    columns = {
        "image": Column("image", "image_id"),
        "age_approx": Column("age", "attr:age"),
        "anatom_site_general": Column("other", "anatomical_site"),
        "lesion_id": Column("patient", "patient_id"),
        "sex": Column("sex", "attr:sex"),
    }
    tables = {"ISIC_2019_Training_GroundTruth.csv": f"image,{codes}\n{truth}\n"}
    table, files = "ISIC_2019_Training_Metadata.csv", _some("ISIC_{}.jpg")
    return World(
        "isic 2019",
        table,
        header,
        rows,
        columns,
        _reader("isic", task),
        files,
        tables,
        derived={"source": "lesion_id"},
    )


def isic_2020() -> World:
    """Return the table of ISIC 2020."""
    task = Task("multiclass", ("melanoma", "nevus"), attributes=(SEX, AGE))
    header = ["image_name", "patient_id", "sex", "age_approx", "anatom_site_general_challenge"]
    header += ["diagnosis", "benign_malignant"]
    people, found = ("IP_1", "IP_2", "IP_1", "IP_3", "IP_4", "IP_5"), ["melanoma", "nevus"] * 3
    sexes, places = [sex.lower() for sex in SEXES], ["torso", "head/neck"] * 3
    rows = _rows(_some("ISIC_{}"), people, sexes, AGES, places, found, ["malignant", "benign"] * 3)
    columns = {
        "image_name": Column("image", "image_id"),
        "patient_id": Column("patient", "patient_id"),
        "sex": Column("sex", "attr:sex"),
        "age_approx": Column("age", "attr:age"),
        "anatom_site_general_challenge": Column("other", "anatomical_site"),
        "diagnosis": Column("diagnosis", "label:melanoma"),
        "benign_malignant": Column("other"),
    }
    table = "ISIC_2020_Training_GroundTruth_v2.csv"
    return World(
        "isic 2020",
        table,
        header,
        rows,
        columns,
        _reader("isic", task),
        _some("ISIC_{}.jpg"),
        derived={"label:nevus": "diagnosis"},
    )


def scin() -> World:
    """Return the cases of SCIN; its table of labels stays good."""
    task = Task("multiclass", ("Eczema", "other"), attributes=(SEX,))
    header = ["case_id", "source", "age_group", "sex_at_birth", "fitzpatrick_skin_type"]
    header += [f"image_{n}_path" for n in (1, 2, 3)]
    cases, files = _some("-100060035414849655{}"), _some("dataset/images/-{}.png")
    ages = ("AGE_18_TO_29", "AGE_30_TO_39", "AGE_UNKNOWN", "", "AGE_80_OR_ABOVE", "AGE_40_TO_49")
    sexes, tones, none = [sex.upper() for sex in SEXES], _some("FST{}"), [""] * ROWS
    rows = _rows(cases, SITES, ages, sexes, tones, files, none, none)
    columns = {
        "case_id": Column("case", "patient_id"),
        "source": Column("name", "domain"),
        "age_group": Column("other", "attr:age"),
        "sex_at_birth": Column("sex", "attr:sex"),
        **dict.fromkeys(header[4:], Column("other")),
    }
    condition, yes = "dermatologist_skin_condition_", "DEFAULT_YES_IMAGE_QUALITY_SUFFICIENT"
    names = ["case_id", *(f"dermatologist_gradable_for_skin_condition_{n}" for n in (1, 2, 3))]
    names += [condition + "on_label_name", condition + "confidence", "weighted_skin_condition_label"]
    names += [f"dermatologist_fitzpatrick_skin_type_label_{n}" for n in (1, 2, 3)]
    lines = [f"{case},{yes},,,['Eczema'],[4],{{'Eczema': 1.0}},FST2,," for case in cases]
    tables = {"dataset/scin_labels.csv": "\n".join([",".join(names), *lines]) + "\n"}
    return World(
        "scin", "dataset/scin_cases.csv", header, rows, columns, _reader("scin", task), files, tables
    )


def wilds() -> World:
    """Return the labelled table of WILDS, whose first column has no name."""
    header = ["", "patient", "node", "x_coord", "y_coord", "tumor", "slide", "center", "split"]
    people, corner = ("004", "020", "042", "067", "099", "017"), _some("{}600")
    centers, labels = ("0", "1", "2", "3", "4", "0"), ["0", "1"] * 3
    node, split = ["4"] * ROWS, ["0"] * ROWS
    rows = _rows(_some("{}"), people, node, corner, corner, labels, _some("{}"), centers, split)
    columns = dict.fromkeys(header, Column("other")) | {"tumor": Column("label", "label:tumour")}
    x, tree = [int(value) for value in corner], "camelyon17_v1.0"
    stems = [f"patient_{p}_node_4" for p in people]
    files = [f"{tree}/patches/{s}/patch_{s}_x_{c}_y_{c}.png" for s, c in zip(stems, x, strict=True)]
    return World("wilds", f"{tree}/metadata.csv", header, rows, columns, _reader("wilds", TUMOUR), files)


def camelyon17() -> World:
    """Return the stages of CAMELYON17."""
    slides = _some("patient_00{}_node_0.tif")
    rows = _rows(slides, ("negative", "itc", "micro", "macro", "negative", "itc"))
    columns = {"patient": Column("image", "slide"), "stage": Column("other", "stage")}
    read = _reader("camelyon17", TUMOUR)
    return World("camelyon17", "stage_labels.csv", ["patient", "stage"], rows, columns, read, slides)


def predictions() -> World:
    """Return anyone's table of predictions."""
    header = [
        "image_id",
        "patient_id",
        "domain",
        "split",
        "score:a",
        "label:a",
        "attr:sex",
        "attr:race",
        "attr:age",
    ]
    scores, labels = ("0.125", "0.75", "0.5", "0.25", "0.875", "0.375"), ("0", "1", "1", "0", "1", "0")
    races, splits = ("Black", "White") * 3, ["id_test"] * ROWS
    rows = _rows(_some("i{}.png"), PEOPLE, SITES, splits, scores, labels, [s[0] for s in SEXES], races, AGES)
    columns = {
        "image_id": Column("image", "image_id"),
        "patient_id": Column("patient", "patient_id"),
        "domain": Column("name", "domain"),
        "split": Column("other", "split"),
        "score:a": Column("score", "score:a"),
        "label:a": Column("label", "label:a"),
        "attr:sex": Column("group", "attr:sex"),
        "attr:race": Column("name", "attr:race"),
        "attr:age": Column("group", "attr:age"),
    }
    read = partial(_by_image, "predictions.csv")
    return World("predictions", "predictions.csv", header, rows, columns, read)


def _by_image(name: str, folder: Path) -> pd.DataFrame:
    return read_predictions(folder / name).sort_values("image_id", ignore_index=True)


WORLDS = {
    world.name: world
    for world in (
        *(own_images(), own_slides(), chexpert(), chestxray14(), ham10000(), pad_ufes_20(), ddi()),
        *(fitzpatrick17k(), isic_2019(), isic_2020(), scin(), wilds(), camelyon17(), predictions()),
    )
}
"""All of them, by name."""
