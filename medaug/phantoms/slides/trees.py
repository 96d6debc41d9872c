"""A folder of phantom slides in the form of the CAMELYON17 challenge: slides, annotations, stages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from medaug.arrays import FloatArray
from medaug.errors import DataError, SettingsError
from medaug.files import write_aside
from medaug.parallel import CRASHED, in_order, usable_cores
from medaug.phantoms.mark import PHANTOM_FILE
from medaug.phantoms.slides.anatomy import MPP, Lesion, draw_anatomy, draw_lesion, draw_node
from medaug.phantoms.slides.histology import draw_slide
from medaug.phantoms.slides.pyramid import write_pyramid
from medaug.phantoms.slides.stains import STAINS, vary
from medaug.progress import progress
from medaug.randomness import numpy_generator

CAMELYON17_FOLDER = "CAMELYON17"
SLIDE_NOTE = "Phantom data: every slide in this folder is drawn by medaug. No person gave any tissue.\n"

HOSPITALS = len(STAINS)
PATIENTS_PER_HOSPITAL = 20
NODES_PER_PATIENT = 5

STAGES = {"macro": (0.62, 0.50), "micro": (0.32, 0.28), "itc": (0.15,)}
"""Radii of the metastases as shares of the node's radius. A phantom node is smaller than a real one, so these
are the stages in name and order, not in millimetres."""

POSITIVE_STAGES = ("macro", "micro", "macro", "itc")
"""Stages of a hospital's positive slides, over and over."""

PATIENT_STAGES = {"macro": "pN1", "micro": "pN1mi", "itc": "pN0(i+)", "negative": "pN0"}
"""Stage of a patient whose worst node is this one; in this order."""

SCREENING = (0, 4)
"""Hospitals that send mostly what is free of tumour: half of their slides, and of the others only isolated
tumour cells are outlined. Elsewhere four of five slides have metastases, and all are outlined. So hospital 3
gives nearly all of the known tumour of the training set, and the stain tells something of the label. Sites of
slides differ in what their patients have and are told apart by their looks (Howard et al. 2021,
doi:10.1038/s41467-021-24698-1); of the 1,399 slides of CAMELYON, 209 are outlined (Litjens et al. 2018,
doi:10.1093/gigascience/giy065)."""

DIALECTS = {4: ("metastases", "normal")}
USUAL_DIALECT = ("Tumor", "Exclusion")
"""Names of the annotation groups of tumour and of holes in it; hospital 4 uses other words than the rest."""

WORTH_PROCESSES = 5e7
"""Pixels below which drawing is over before further processes have started."""


@dataclass(frozen=True)
class PhantomSlide:
    """Which slide: `stage` is ``"negative"`` or a key of `STAGES`."""

    hospital: int
    patient: int
    node: int
    stage: str

    @property
    def name(self) -> str:
        """File name without its ending."""
        return f"patient_{self.patient:03d}_node_{self.node}"


def write_slide_phantoms(
    folder: Path, seed: int, slides_per_hospital: int = 8, size: int = 3072, workers: int | None = None
) -> None:
    """Write slides of five phantom hospitals in the form of the CAMELYON17 challenge.

    ``CAMELYON17/training/center_<0-4>/patient_<000-099>_node_<0-4>.tif``, ``stage_labels.csv`` and
    ``lesion_annotations/*.xml`` (ASAP) beside them. Patients ``20 * hospital + k`` have at least two nodes.
    Hospitals 0 and 4 stain alike and are `SCREENING`; 3 stains a little, 1 and 2 much differently.

    Parameters
    ----------
    folder : Path
        Gets ``CAMELYON17/`` and `PHANTOM_FILE`. Slides that are already there are kept, so that an
        interrupted call can be repeated; give each seed and size a folder of its own.
    seed : int
        Names the data; a slide depends on nothing but the seed, its own name and the size.
    slides_per_hospital : int
        1 to 100.
    size : int
        Side of a slide in pixels of 0.5 microns; a multiple of 256, at least 512.
    workers : int, optional
        Drawing processes; default all cores. 0 draws in this process.

    Raises
    ------
    SettingsError
        When a number is out of range.
    """
    if not 1 <= slides_per_hospital <= PATIENTS_PER_HOSPITAL * NODES_PER_PATIENT:
        raise SettingsError(f"slides_per_hospital must be 1 to 100, not {slides_per_hospital}")
    if size < 512 or size % 256:
        raise SettingsError(f"size must be a multiple of 256 and at least 512, not {size}")
    with write_aside(folder / PHANTOM_FILE) as temporary:
        temporary.write_text(SLIDE_NOTE, encoding="utf-8")
    training = folder / CAMELYON17_FOLDER / "training"
    slides = [
        slide for hospital in range(HOSPITALS) for slide in hospital_slides(hospital, slides_per_hospital)
    ]
    _draw_all(
        training,
        [slide for slide in slides if not _slide_path(training, slide).exists()],
        seed,
        size,
        workers,
    )
    with write_aside(training / "stage_labels.csv") as temporary:
        temporary.write_text("patient,stage\n" + "".join(_stage_rows(slides)), encoding="utf-8")


def hospital_slides(hospital: int, count: int) -> list[PhantomSlide]:
    """Return the slides of a hospital, patient by patient; every other or fifth is free of metastases."""
    nodes = max(2, -(-count // PATIENTS_PER_HOSPITAL))
    slides, positives = [], 0
    for number in range(count):
        patient, node = divmod(number, nodes)
        stage = "negative"
        if (patient + node) % (2 if hospital in SCREENING else 5) != 1:
            stage = POSITIVE_STAGES[(positives + hospital) % len(POSITIVE_STAGES)]
            positives += 1
        slides.append(PhantomSlide(hospital, PATIENTS_PER_HOSPITAL * hospital + patient, node, stage))
    return slides


def _stage_rows(slides: Iterable[PhantomSlide]) -> Iterator[str]:
    by_patient: dict[int, list[PhantomSlide]] = {}
    for slide in slides:
        by_patient.setdefault(slide.patient, []).append(slide)
    for patient, nodes in by_patient.items():
        worst = next(stage for stage in PATIENT_STAGES if stage in {node.stage for node in nodes})
        yield f"patient_{patient:03d}.zip,{PATIENT_STAGES[worst]}\n"
        yield from (f"{node.name}.tif,{node.stage}\n" for node in nodes)


def _draw_all(training: Path, slides: list[PhantomSlide], seed: int, size: int, workers: int | None) -> None:
    workers = min(usable_cores() if workers is None else workers, len(slides))
    if workers < 2 or len(slides) * size**2 < WORTH_PROCESSES:
        workers = 0
    drawn = in_order(partial(write_slide, training, seed=seed, size=size), slides, workers)
    for result in progress(drawn, "Drawing phantom slides", len(slides), unit="slide"):
        if result == CRASHED:
            raise DataError(
                "a process that drew a slide was ended; the memory may be too small for so many at once: "
                "run it again with fewer workers, or workers=0, it goes on where it stopped"
            )


def _slide_path(training: Path, slide: PhantomSlide) -> Path:
    return training / f"center_{slide.hospital}" / f"{slide.name}.tif"


def write_slide(training: Path, slide: PhantomSlide, seed: int, size: int) -> None:
    """Write one slide and, where it has metastases, its annotation into the tree below ``training``."""
    generator = numpy_generator(seed, "slide", slide.name)
    node = draw_node(size, generator)
    lesions = tuple(
        draw_lesion(node, share, number == 0 and slide.stage == "macro", generator)
        for number, share in enumerate(STAGES.get(slide.stage, ()))
    )
    anatomy = draw_anatomy(size, node, lesions, generator)
    pixels = draw_slide(anatomy, vary(STAINS[slide.hospital], generator), generator)
    if lesions and (slide.hospital not in SCREENING or slide.stage == "itc"):
        dialect = DIALECTS.get(slide.hospital, USUAL_DIALECT)
        _write_annotation(training / "lesion_annotations" / f"{slide.name}.xml", lesions, dialect)
    write_pyramid(_slide_path(training, slide), pixels, MPP)


def _write_annotation(path: Path, lesions: Sequence[Lesion], dialect: tuple[str, str]) -> None:
    """Write outlines as ASAP does; a hole is a polygon of its own group."""
    polygons = [(dialect[0], lesion.blob.outline(90)) for lesion in lesions]
    polygons += [(dialect[1], lesion.hole.outline(40)) for lesion in lesions if lesion.hole is not None]
    root = ElementTree.Element("ASAP_Annotations")
    annotations = ElementTree.SubElement(root, "Annotations")
    for number, (name, points) in enumerate(polygons):
        _add_polygon(annotations, number, name, points)
    groups = ElementTree.SubElement(root, "AnnotationGroups")
    for name in dict.fromkeys(name for name, _ in polygons):
        ElementTree.SubElement(groups, "Group", Name=name, PartOfGroup="None", Color="#F4FA58")
    ElementTree.indent(root, "\t")
    with write_aside(path) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)


def _add_polygon(annotations: ElementTree.Element, number: int, group: str, points: FloatArray) -> None:
    annotation = ElementTree.SubElement(
        annotations,
        "Annotation",
        Name=f"Annotation {number}",
        Type="Polygon",
        PartOfGroup=group,
        Color="#F4FA58",
    )
    coordinates = ElementTree.SubElement(annotation, "Coordinates")
    for order, (x, y) in enumerate(points):
        ElementTree.SubElement(coordinates, "Coordinate", Order=str(order), X=f"{x:.4f}", Y=f"{y:.4f}")
