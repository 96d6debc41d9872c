"""A small good table of each public data set that has a reader."""

from __future__ import annotations

from medaug.task import Attribute, Task
from spoiling.world import AGE, AGES, ROWS, SEX, SEXES, SITES, TUMOUR, Column, World, reader, rows_of, some


def chexpert() -> World:
    """Return CheXpert's training table."""
    task = Task("multilabel", ("edema", "effusion"), attributes=(SEX, AGE))
    files = some("train/patient0000{}/study1/view1_frontal.jpg")
    header = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "Edema", "Pleural Effusion"]
    views, sides = ["Frontal"] * ROWS, ["AP", "PA"] * 3
    labels = ("1.0", "0.0", "-1.0", "", "1.0", "0.0")
    rows = rows_of([f"CheXpert-v1.0/{f}" for f in files], SEXES, AGES, views, sides, labels, labels[::-1])
    columns = {
        "Path": Column("image", "image_id"),
        "Sex": Column("sex", "attr:sex"),
        "Age": Column("age", "attr:age"),
        "Frontal/Lateral": Column("other", "view"),
        "AP/PA": Column("other", "projection"),
        "Edema": Column("label", "label:edema"),
        "Pleural Effusion": Column("label", "label:effusion"),
    }
    return World("chexpert", "train.csv", header, rows, columns, reader("chexpert", task), files)


def chestxray14() -> World:
    """Return ChestX-ray14's table, brackets in its header."""
    task = Task("multilabel", ("edema", "effusion"), attributes=(SEX, AGE))
    header = ["Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "Patient Gender"]
    header += ["View Position", "OriginalImage[Width", "Height]", "OriginalImagePixelSpacing[x", "y]"]
    found = ("No Finding", "Edema|Effusion", "Mass", "Effusion", "No Finding", "Edema")
    people = ("13", "14", "13", "15", "16", "17")
    size = [[value] * ROWS for value in ("2682", "2749", "0.143", "0.143")]
    sexes, views = [sex[0] for sex in SEXES], ["PA", "AP"] * 3
    rows = rows_of(some("0{}_000.png"), found, ["0"] * ROWS, people, AGES, sexes, views, *size)
    columns = dict.fromkeys(header, Column("other")) | {
        "Image Index": Column("image", "image_id"),
        "Finding Labels": Column("other", "label:edema"),
        "Patient ID": Column("patient", "patient_id"),
        "Patient Age": Column("age", "attr:age"),
        "Patient Gender": Column("sex", "attr:sex"),
        "View Position": Column("other", "view"),
    }
    read = reader("chestxray14", task)
    return World(
        "chestxray14",
        "Data_Entry_2017_v2020.csv",
        header,
        rows,
        columns,
        read,
        some("0{}_000.png"),
        derived={"label:effusion": "Finding Labels"},
    )


def ham10000() -> World:
    """Return the table of HAM10000."""
    task = Task("multiclass", ("mel", "nv", "bkl"), attributes=(SEX, AGE))
    header = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset"]
    lesions, types = ("HAM_1", "HAM_2", "HAM_1", "HAM_3", "HAM_4", "HAM_5"), ["histo"] * ROWS
    found, places = ("mel", "nv", "bkl", "mel", "nv", "nv"), ["back", "scalp"] * 3
    rows = rows_of(lesions, some("ISIC_{}"), found, types, AGES, [s.lower() for s in SEXES], places, SITES)
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
    files = some("ISIC_{}.jpg")
    return World(
        "ham10000",
        "HAM10000_metadata.csv",
        header,
        rows,
        columns,
        reader("ham10000", task),
        files,
        derived={"label:nv": "dx", "label:bkl": "dx"},
    )


def pad_ufes_20() -> World:
    """Return the table of PAD-UFES-20."""
    tone = Attribute("skin_tone", ("I", "II", "III", "IV", "V", "VI"))
    task = Task("multiclass", ("NEV", "BCC"), attributes=(SEX, AGE, tone))
    header = ["patient_id", "age", "gender", "fitspatrick", "region", "diagnostic", "img_id", "biopsed"]
    people, found = ("PAT_1", "PAT_2", "PAT_1", "PAT_3", "PAT_4", "PAT_5"), ["NEV", "BCC"] * 3
    tones, files = ("1.0", "2.0", "1.0", "3.0", "", "6.0"), some("PAT_{}.png")
    places, biopsed = ["ARM", "NECK"] * 3, ["True", "False"] * 3
    rows = rows_of(people, AGES, [s.upper() for s in SEXES], tones, places, found, files, biopsed)
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
        reader("pad_ufes_20", task),
        files,
        derived={"label:BCC": "diagnostic"},
    )


def ddi() -> World:
    """Return the table of DDI, whose first column has no name."""
    tone = Attribute("skin_tone", ("I-II", "III-IV", "V-VI"))
    task = Task("multiclass", ("melanoma", "other"), attributes=(tone,))
    header = ["", "DDI_ID", "DDI_file", "skin_tone", "malignant", "disease"]
    found, files = ["melanoma", "verruca-vulgaris"] * 3, some("00000{}.png")
    tones, bad = ("12", "34", "56", "12", "34", "56"), ["True", "False"] * 3
    rows = rows_of(some("{}"), some("{}"), files, tones, bad, found)
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
        reader("ddi", task),
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
    rows = rows_of(some("a{}"), tones, found, [""] * ROWS, url)
    columns = {
        "md5hash": Column("image", "image_id"),
        "fitzpatrick_scale": Column("other", "attr:skin_tone"),
        "label": Column("diagnosis", "label:psoriasis"),
        "qc": Column("other"),
        "url": Column("other", "atlas"),
    }
    read = reader("fitzpatrick17k", task)
    return World(
        "fitzpatrick17k",
        "fitzpatrick17k.csv",
        header,
        rows,
        columns,
        read,
        some("a{}.jpg"),
        derived={"label:scabies": "label"},
    )


def isic_2019() -> World:
    """Return the metadata of ISIC 2019; its table of codes stays good."""
    task = Task("multiclass", ("MEL", "NV"), attributes=(SEX, AGE))
    header = ["image", "age_approx", "anatom_site_general", "lesion_id", "sex"]
    images, lesions = some("ISIC_{}"), ("BCN_1", "HAM_2", "BCN_1", "BCN_3", "MSK_4", "BCN_5")
    rows = rows_of(images, AGES, ["head/neck", "torso"] * 3, lesions, [s.lower() for s in SEXES])
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
    table, files = "ISIC_2019_Training_Metadata.csv", some("ISIC_{}.jpg")
    return World(
        "isic 2019",
        table,
        header,
        rows,
        columns,
        reader("isic", task),
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
    rows = rows_of(some("ISIC_{}"), people, sexes, AGES, places, found, ["malignant", "benign"] * 3)
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
        reader("isic", task),
        some("ISIC_{}.jpg"),
        derived={"label:nevus": "diagnosis"},
    )


def scin() -> World:
    """Return the cases of SCIN; its table of labels stays good."""
    task = Task("multiclass", ("Eczema", "other"), attributes=(SEX,))
    header = ["case_id", "source", "age_group", "sex_at_birth", "fitzpatrick_skin_type"]
    header += [f"image_{n}_path" for n in (1, 2, 3)]
    cases, files = some("-100060035414849655{}"), some("dataset/images/-{}.png")
    ages = ("AGE_18_TO_29", "AGE_30_TO_39", "AGE_UNKNOWN", "", "AGE_80_OR_ABOVE", "AGE_40_TO_49")
    sexes, tones, none = [sex.upper() for sex in SEXES], some("FST{}"), [""] * ROWS
    rows = rows_of(cases, SITES, ages, sexes, tones, files, none, none)
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
    return World("scin", "dataset/scin_cases.csv", header, rows, columns, reader("scin", task), files, tables)


def wilds() -> World:
    """Return the labelled table of WILDS, whose first column has no name."""
    header = ["", "patient", "node", "x_coord", "y_coord", "tumor", "slide", "center", "split"]
    people, corner = ("004", "020", "042", "067", "099", "017"), some("{}600")
    centers, labels = ("0", "1", "2", "3", "4", "0"), ["0", "1"] * 3
    node, split = ["4"] * ROWS, ["0"] * ROWS
    rows = rows_of(some("{}"), people, node, corner, corner, labels, some("{}"), centers, split)
    columns = dict.fromkeys(header, Column("other")) | {"tumor": Column("label", "label:tumour")}
    x, tree = [int(value) for value in corner], "camelyon17_v1.0"
    stems = [f"patient_{p}_node_4" for p in people]
    files = [f"{tree}/patches/{s}/patch_{s}_x_{c}_y_{c}.png" for s, c in zip(stems, x, strict=True)]
    return World("wilds", f"{tree}/metadata.csv", header, rows, columns, reader("wilds", TUMOUR), files)


def camelyon17() -> World:
    """Return the stages of CAMELYON17."""
    slides = some("patient_00{}_node_0.tif")
    rows = rows_of(slides, ("negative", "itc", "micro", "macro", "negative", "itc"))
    columns = {"patient": Column("image", "slide"), "stage": Column("other", "stage")}
    read = reader("camelyon17", TUMOUR)
    return World("camelyon17", "stage_labels.csv", ["patient", "stage"], rows, columns, read, slides)
