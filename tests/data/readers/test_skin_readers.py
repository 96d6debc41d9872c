"""HAM10000, PAD-UFES-20, DDI, Fitzpatrick17k and ISIC: small tables with every quirk of the real ones."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medaug.data.readers import READERS, read_source
from medaug.data.readers.skin import attribute_columns, skin_tones, tone_groups
from medaug.data.table import check_table
from medaug.errors import DataError, SettingsError
from medaug.task import Attribute, Task

TONES = ("I", "II", "III", "IV", "V", "VI")
ATTRIBUTES = (
    Attribute("sex", ("F", "M")),
    Attribute("age", bins=(0.0, 60.0, 120.0)),
    Attribute("skin_tone", TONES),
)


def task(*classes: str) -> Task:
    return Task("multiclass", classes, attributes=ATTRIBUTES)


def write_set(folder: Path, table: str, lines: Sequence[str], images: Sequence[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / table).write_text("\n".join(lines) + "\n", encoding="utf-8")
    for image in images:
        (folder / image).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(folder / image)
    return folder


def ham10000(folder: Path) -> Path:
    lines = [
        "lesion_id,image_id,dx,dx_type,age,sex,localization,dataset",
        "HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp,vidir_modern",
        "HAM_0000118,ISIC_0025030,bkl,histo,80.0,male,scalp,rosendahl",
        "HAM_0002730,ISIC_0026769,mel,histo,,unknown,unknown,rosendahl",
        "HAM_0002731,ISIC_0026770,nv,follow_up,0.0,female,back,vienna_dias",
    ]
    parts = ("part_1/ISIC_0027419.jpg", "part_1/ISIC_0025030.jpg", "part_2/ISIC_0026769.jpg")
    return write_set(folder, "HAM10000_metadata.csv", lines, [*parts, "part_2/ISIC_0026770.jpg"])


def pad_ufes_20(folder: Path) -> Path:
    lines = [
        "patient_id,lesion_id,smoke,age,gender,fitspatrick,region,diagnostic,itch,img_id,biopsed",
        "PAT_1516,1765,,8,,,ARM,NEV,False,PAT_1516_1765_530.png,False",
        "PAT_46,881,False,55,FEMALE,3.0,NECK,BCC,True,PAT_46_881_939.png,True",
        "PAT_46,882,False,55,FEMALE,3.0,FACE,SEK,UNK,PAT_46_882_940.png,UNK",
    ]
    names = ("imgs_part_1/PAT_1516_1765_530.png", "imgs_part_2/PAT_46_881_939.png")
    return write_set(folder, "metadata.csv", lines, [*names, "imgs_part_3/PAT_46_882_940.png"])


def ddi(folder: Path) -> Path:
    lines = [
        ",DDI_ID,DDI_file,skin_tone,malignant,disease",
        "0,1,000001.png,56,True,melanoma-in-situ",
        "1,2,000002.png,12,False,melanocytic-nevi",
        "2,3,000003.png,34,False,verruca-vulgaris",
    ]
    return write_set(folder, "ddi_metadata.csv", lines, [f"images/00000{n}.png" for n in (1, 2, 3)])


def fitzpatrick17k(folder: Path) -> Path:
    site = "https://www.dermaamin.com/x.jpg"
    lines = [
        "md5hash,fitzpatrick_scale,fitzpatrick_centaur,label,nine_partition_label,three_partition_label,qc,url",
        f"aa,3,4,psoriasis,inflammatory,non-neoplastic,,{site}",
        f"bb,-1,6,lentigo maligna,malignant melanoma,malignant,1 Diagnostic,{site}",
        f"cc,6,-1,psoriasis,inflammatory,non-neoplastic,3 Wrongly labelled,{site}",
        "dd,1,1,scabies,inflammatory,non-neoplastic,,",
        "ee,2,2,scabies,inflammatory,non-neoplastic,,",
        "ff,2,2,scabies,inflammatory,non-neoplastic,,http://atlasdermatologico.com.br/img?imageId=1",
    ]
    return write_set(
        folder, "fitzpatrick17k.csv", lines, [f"data/{name}.jpg" for name in ("aa", "bb", "cc", "ee")]
    )


def isic_2019(folder: Path) -> Path:
    codes = "MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
    truth = [
        f"image,{codes}",
        "ISIC_0000001_downsampled,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0",
        "ISIC_0024306,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0",
        "ISIC_0053458,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0",
    ]
    meta = [
        "image,age_approx,anatom_site_general,lesion_id,sex",
        "ISIC_0053458,30.0,,BCN_0003884,male",
        "ISIC_0000001_downsampled,55.0,anterior torso,,female",
        "ISIC_0024306,0.0,head/neck,HAM_0000550,",
    ]
    names = [line.split(",")[0] for line in truth[1:]]
    write_set(folder, "ISIC_2019_Training_Metadata.csv", meta, [f"in/{name}.jpg" for name in names])
    return write_set(folder, "ISIC_2019_Training_GroundTruth.csv", truth, [])


def isic_2020(folder: Path, table: str = "ISIC_2020_Training_GroundTruth_v2.csv") -> Path:
    lines = [
        "image_name,patient_id,lesion_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target",
        "ISIC_2637011,IP_7279968,IL_7972535,male,45.0,head/neck,unknown,benign,0",
        "ISIC_0015719,IP_3075186,IL_4649854,female,,,melanoma,malignant,1",
        "ISIC_0052212,IP_3075186,IL_9087444,female,50.0,torso,lentigo NOS,benign,0",
    ]
    names = [f"train/{line.split(',')[0]}.jpg" for line in lines[1:]]
    return write_set(folder, table, lines, names)


WRITERS = {
    "ham10000": ham10000,
    "pad_ufes_20": pad_ufes_20,
    "ddi": ddi,
    "fitzpatrick17k": fitzpatrick17k,
    "isic": isic_2019,
}
TABLES = {
    "ham10000": "HAM10000_metadata.csv",
    "pad_ufes_20": "metadata.csv",
    "ddi": "ddi_metadata.csv",
    "fitzpatrick17k": "fitzpatrick17k.csv",
    "isic": "ISIC_2019_Training_Metadata.csv",
}


@pytest.mark.parametrize("reader", list(WRITERS))
def test_every_reader_of_skin_images_keeps_the_contract(tmp_path: Path, reader: str) -> None:
    wanted = task("melanoma", "psoriasis", "basal cell carcinoma", "other")
    table = read_source(reader, WRITERS[reader](tmp_path), wanted)

    check_table(table, wanted)
    assert set(READERS) >= {reader}
    assert list(table.index) == list(range(len(table)))
    assert all(Path(path).is_absolute() for path in table["path"])
    assert not any(Path(file).is_absolute() for file in table["file"])
    assert "image" not in table
    labels = table[wanted.label_columns]
    np.testing.assert_allclose(labels.dropna().sum(axis=1), 1)


@pytest.mark.parametrize("reader", list(WRITERS))
def test_a_table_whose_images_are_absent(tmp_path: Path, reader: str) -> None:
    folder = WRITERS[reader](tmp_path)
    for image in [*folder.rglob("*.jpg"), *folder.rglob("*.png")]:
        image.unlink()
    with pytest.raises(DataError, match=r"none of the [\d]+ images that .*\.csv lists is below"):
        read_source(reader, folder, task("other"))


@pytest.mark.parametrize("reader", list(WRITERS))
def test_a_folder_without_the_table(tmp_path: Path, reader: str) -> None:
    (WRITERS[reader](tmp_path) / TABLES[reader]).unlink()
    with pytest.raises(DataError, match=r"holds no|is not there"):
        read_source(reader, tmp_path, task("other"))


@pytest.mark.parametrize("reader", list(WRITERS))
def test_a_table_that_lacks_a_column(tmp_path: Path, reader: str) -> None:
    path = WRITERS[reader](tmp_path) / TABLES[reader]
    header, _, rest = path.read_text().partition("\n")
    path.write_text(header[::-1] + "\n" + rest)
    with pytest.raises(DataError, match=r"lacks the column\(s\)"):
        read_source(reader, tmp_path, task("other"))


def test_ham10000_sites_lesions_and_unknown_values(tmp_path: Path) -> None:
    table = read_source("ham10000", ham10000(tmp_path), task("mel", "nv", "bkl"))

    assert table["image_id"].tolist() == ["ISIC_0027419", "ISIC_0025030", "ISIC_0026769", "ISIC_0026770"]
    assert table["domain"].tolist() == ["vidir_modern", "rosendahl", "rosendahl", "vienna_dias"]
    assert table["patient_id"].tolist() == ["HAM_0000118", "HAM_0000118", "HAM_0002730", "HAM_0002731"]
    assert table["attr:sex"].tolist() == ["M", "M", None, "F"]
    np.testing.assert_array_equal(table["attr:age"], [80, 80, np.nan, np.nan])
    assert table["attr:skin_tone"].isna().all()
    np.testing.assert_array_equal(
        table[["label:mel", "label:nv", "label:bkl"]].to_numpy().argmax(1), [2, 2, 0, 1]
    )
    assert table["file"].tolist()[2] == "part_2/ISIC_0026769.jpg"


def test_names_of_images_may_have_their_ending(tmp_path: Path) -> None:
    table = ham10000(tmp_path) / "HAM10000_metadata.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *(line.replace(",bkl", ".jpg,bkl") for line in lines[1:])]))
    files = read_source("ham10000", tmp_path, task("mel", "other"))["file"]
    assert files[0] == "part_1/ISIC_0027419.jpg"
    assert files[2] == "part_2/ISIC_0026769.jpg"


def test_ham10000_under_the_name_without_ending_and_for_fewer_classes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = ham10000(tmp_path)
    (folder / "HAM10000_metadata.csv").rename(folder / "HAM10000_metadata")

    with_other = read_source("ham10000", folder, task("mel", "other"))
    assert with_other["label:other"].tolist() == [1, 1, 0, 1]
    assert "outside the classes" not in caplog.text
    without = read_source("ham10000", folder, task("mel", "SK/ISK"))
    assert f"1 of 4 rows in {folder} are mostly of conditions outside the classes" in caplog.text
    np.testing.assert_array_equal(without["label:mel"], [0, 0, 1, np.nan])
    np.testing.assert_array_equal(without["label:SK/ISK"], [1, 1, 0, np.nan])


def test_an_image_in_two_sizes_is_the_larger_and_a_missing_one_keeps_its_place(tmp_path: Path) -> None:
    folder = ham10000(tmp_path)
    Image.new("RGB", (256, 256)).save(folder / "ISIC_0025030.jpg")
    (folder / "part_2/ISIC_0026770.jpg").unlink()
    files = read_source("ham10000", folder, task("mel", "other"))["file"].tolist()

    assert files[1] == "ISIC_0025030.jpg"
    assert files[3] == "ISIC_0026770.jpg"


def test_pad_ufes_20_unknown_values_and_the_spelling_of_its_column(tmp_path: Path) -> None:
    table = read_source("pad_ufes_20", pad_ufes_20(tmp_path), task("NEV", "BCC", "SEK"))

    assert table["image_id"].tolist() == ["PAT_1516_1765_530", "PAT_46_881_939", "PAT_46_882_940"]
    assert table["patient_id"].tolist() == ["PAT_1516", "PAT_46", "PAT_46"]
    assert table["attr:sex"].tolist() == [None, "F", "F"]
    assert table["attr:age"].tolist() == [8, 55, 55]
    assert table["attr:skin_tone"].tolist() == [None, "III", "III"]
    assert table["biopsed"].fillna("").tolist() == ["False", "True", ""]
    assert table["file"].tolist()[1] == "imgs_part_2/PAT_46_881_939.png"
    assert not {"smoke", "itch"} & set(table)


def test_ddi_tells_ranges_of_skin_tones(tmp_path: Path) -> None:
    folder = ddi(tmp_path)
    table = read_source("ddi", folder, task("melanoma", "melanocytic nevus", "verruca vulgaris"))

    assert table["attr:skin_tone"].isna().all()
    assert table["skin_tones"].tolist() == ["V-VI", "I-II", "III-IV"]
    np.testing.assert_array_equal(table.filter(like="label:"), np.eye(3))
    pairs = Attribute("skin_tone", ("I-II", "III-IV", "V-VI"))
    paired = read_source("ddi", folder, Task("multiclass", ("melanoma", "other"), attributes=(pairs,)))
    assert paired["attr:skin_tone"].tolist() == ["V-VI", "I-II", "III-IV"]


def test_ddi_by_malignancy_and_what_is_not_understood(tmp_path: Path) -> None:
    folder = ddi(tmp_path)

    labels = read_source("ddi", folder, task("malignant", "benign"), labels="malignancy")
    assert labels["label:malignant"].tolist() == [1, 0, 0]
    with pytest.raises(SettingsError, match="labels is 'kind'"):
        read_source("ddi", folder, task("other"), labels="kind")
    path = folder / "ddi_metadata.csv"
    path.write_text(path.read_text().replace(",34,", ",3,"))
    with pytest.raises(DataError, match=r"row 4, column 'skin_tone': a number above 1 is not understood"):
        read_source("ddi", folder, task("other"))


def test_fitzpatrick17k_scales_quality_and_addresses(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = fitzpatrick17k(tmp_path)
    with caplog.at_level(logging.INFO):
        table = read_source("fitzpatrick17k", folder, task("psoriasis", "melanoma", "other"))

    assert table["image_id"].tolist() == ["aa", "bb", "cc", "ee", "ff"]  # dd has neither address nor file
    assert "1 rows have no url and no file" in caplog.text
    assert table["attr:skin_tone"].tolist() == ["III", None, "VI", "II", "II"]
    np.testing.assert_array_equal(table["label:psoriasis"], [1, 0, np.nan, 0, 0])
    np.testing.assert_array_equal(table["label:melanoma"], [0, 1, np.nan, 0, 0])
    assert table["atlas"].fillna("").tolist() == [*["DermaAmin"] * 3, "", "Atlas Dermatologico"]


def test_fitzpatrick17k_other_labels_and_the_first_form_of_its_table(tmp_path: Path) -> None:
    folder = fitzpatrick17k(tmp_path)
    options = {"labels": "three_partition_label", "skin_tone": "centaur"}
    table = read_source("fitzpatrick17k", folder, task("malignant", "non-neoplastic"), **options)

    np.testing.assert_array_equal(table["label:malignant"], [0, 1, np.nan, 0, 0])
    assert table["attr:skin_tone"].tolist() == ["IV", "VI", None, "II", "II"]
    path = folder / "fitzpatrick17k.csv"
    path.write_text(path.read_text().replace("fitzpatrick_scale,fitzpatrick_centaur", "fitzpatrick,x"))
    assert read_source("fitzpatrick17k", folder, task("other"))["attr:skin_tone"].tolist()[0] == "III"
    with pytest.raises(DataError, match="'fitzpatrick_centaur'"):
        read_source("fitzpatrick17k", folder, task("other"), skin_tone="centaur")


def test_isic_2019_joins_its_tables(tmp_path: Path) -> None:
    table = read_source("isic", isic_2019(tmp_path), task("MEL", "NV", "SCC")).set_index("image_id")

    names = ["ISIC_0053458", "ISIC_0000001_downsampled", "ISIC_0024306"]
    assert list(table.index) == names
    assert table["patient_id"].tolist() == ["BCN_0003884", "ISIC_0000001_downsampled", "HAM_0000550"]
    assert table["source"].fillna("").tolist() == ["BCN", "", "HAM"]
    assert table["attr:sex"].tolist() == ["M", "F", None]
    np.testing.assert_array_equal(table["attr:age"], [30, 55, np.nan])
    assert table[["label:SCC", "label:NV", "label:MEL"]].to_numpy().argmax(1).tolist() == [0, 1, 2]
    assert set(table["domain"]) == {"ISIC 2019"}


def test_isic_2019_test_part_is_the_official_test_split(tmp_path: Path) -> None:
    folder = isic_2019(tmp_path)
    codes = "MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
    truth = [f"image,{codes},score_weight,validation_weight", "ISIC_0034321,0,0,0,0,0,0,0,0,1.0,0,1"]
    meta = ["image,age_approx,anatom_site_general,sex", "ISIC_0034321,85.0,head/neck,male"]
    write_set(folder, "ISIC_2019_Test_GroundTruth.csv", truth, ["test/ISIC_0034321.jpg"])
    write_set(folder, "ISIC_2019_Test_Metadata.csv", meta, [])
    table = read_source("isic", folder, task("MEL", "NV", "other"))

    assert table["official_split"].fillna("").tolist() == ["", "", "", "test"]
    assert table["label:other"].tolist()[-1] == 1
    assert table["patient_id"].tolist()[-1] == "ISIC_0034321"


def test_isic_2019_rows_that_do_not_fit(tmp_path: Path) -> None:
    folder = isic_2019(tmp_path)
    path = folder / "ISIC_2019_Training_GroundTruth.csv"
    good = path.read_text()
    path.write_text(good.replace("ISIC_0024306,1.0,0.0", "ISIC_0024306,1.0,1.0"))
    with pytest.raises(DataError, match="row 3: exactly one of MEL"):
        read_source("isic", folder, task("other"))
    path.write_text(good.replace("ISIC_0024306", "ISIC_0024399"))
    with pytest.raises(DataError, match="2 images are in only one of"):
        read_source("isic", folder, task("other"))
    path.write_text(good)
    with pytest.raises(SettingsError, match="does not tell malignancy"):
        read_source("isic", folder, task("benign"), labels="malignancy")


@pytest.mark.parametrize(
    "name", ["ISIC_2020_Training_GroundTruth_v2.csv", "ISIC_2020_Training_GroundTruth.csv", "train.csv"]
)
def test_isic_2020(tmp_path: Path, name: str) -> None:
    folder = isic_2020(tmp_path, name)
    table = read_source("isic", folder, task("melanoma", "lentigo"))

    assert table["patient_id"].tolist() == ["IP_7279968", "IP_3075186", "IP_3075186"]
    np.testing.assert_array_equal(table["label:melanoma"], [np.nan, 1, 0])  # unknown is no diagnosis
    assert table["attr:sex"].tolist() == ["M", "F", "F"]
    np.testing.assert_array_equal(table["attr:age"], [45, np.nan, 50])
    assert table["anatomical_site"].fillna("").tolist() == ["head/neck", "", "torso"]
    labels = read_source("isic", folder, task("malignant", "benign"), labels="malignancy")
    assert labels["label:malignant"].tolist() == [0, 1, 0]


def test_both_years_of_isic(tmp_path: Path) -> None:
    isic_2019(tmp_path)
    table = read_source("isic", isic_2020(tmp_path), task("melanoma", "other"))

    assert table["domain"].tolist() == ["ISIC 2019"] * 3 + ["ISIC 2020"] * 3
    assert table["label:melanoma"].sum() == 2


def test_skin_tones_in_every_form() -> None:
    raw = pd.Series(["1", "2.0", "FST3", "-1", "", "7", "NONE_IDENTIFIED", "6"], index=range(8, 16))

    assert skin_tones(raw).to_dict() == dict(
        zip(range(8, 16), ["I", "II", "III", "", "", "", "", "VI"], strict=True)
    )


def test_groups_of_skin_tones() -> None:
    values = pd.Series(["I", "IV", "I-II", "III-V", "", "VI"])
    wide = Task("multiclass", ("a",), attributes=(Attribute("skin_tone", ("I–IV", "V-VI")),))

    assert tone_groups(values, wide).tolist() == ["I–IV", "I–IV", "I–IV", None, None, "V-VI"]
    assert tone_groups(values, Task("multiclass", ("a",))).tolist() == ["I", "IV", None, None, None, "VI"]
    odd = Task("multiclass", ("a",), attributes=(Attribute("skin_tone", ("light", "dark")),))
    with pytest.raises(SettingsError, match="not light, dark"):
        tone_groups(values, odd)


def test_attributes_that_a_set_does_not_tell_are_missing() -> None:
    further = Task(
        "multiclass", ("a",), attributes=(Attribute("bmi", bins=(0.0, 25.0)), Attribute("domain", ("x",)))
    )
    empty = pd.Series(["", ""])
    columns = attribute_columns(further, empty, empty, empty)

    assert set(columns) == {"attr:sex", "attr:age", "attr:skin_tone", "attr:bmi"}
    assert all(column.isna().all() for column in columns.values())
    assert columns["attr:bmi"].dtype == columns["attr:age"].dtype == np.float64


@pytest.mark.skipif("MEDAUG_REAL_DATA" not in os.environ, reason="needs the real HAM10000")
def test_the_real_ham10000() -> None:
    wanted = task("mel", "bcc", "akiec", "nv", "bkl", "df", "vasc")
    table = read_source("ham10000", Path(os.environ["MEDAUG_REAL_DATA"]) / "ham10000", wanted)

    check_table(table, wanted)
    assert len(table) == 10015
    assert table["patient_id"].nunique() == 7470
    sites = {"vidir_molemax": 3954, "vidir_modern": 3363, "rosendahl": 2259, "vienna_dias": 439}
    assert table["domain"].value_counts().to_dict() == sites
    assert table["attr:sex"].isna().sum() == 57
    assert table["attr:age"].isna().sum() == 57 + 39
    assert table["label:mel"].sum() == 1113
    assert all(Path(path).is_file() for path in table["path"])
