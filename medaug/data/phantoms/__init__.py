"""Built-in phantom data, written in the public sets' own file formats so that the real readers read it.

No person was ever examined for these images: everything is drawn. A folder of them holds a file
`PHANTOM_FILE`, by which whatever is made from it can say that it is phantom data.
"""

from medaug.data.phantoms.large_slide import write_large_slide
from medaug.data.phantoms.measurement import measure
from medaug.data.phantoms.population import CHESTXRAY14, CHEXPERT, Patient, Site, draw_patient
from medaug.data.phantoms.radiograph import draw_radiograph
from medaug.data.phantoms.skin_measurement import measure_skin
from medaug.data.phantoms.skin_trees import write_skin_phantoms
from medaug.data.phantoms.slides import write_slide_phantoms
from medaug.data.phantoms.trees import (
    PHANTOM_FILE,
    write_chestxray14_tree,
    write_chexpert_tree,
    write_radiograph_phantoms,
)
from medaug.data.phantoms.tumour import measure_tumour

__all__ = [
    "CHESTXRAY14",
    "CHEXPERT",
    "PHANTOM_FILE",
    "Patient",
    "Site",
    "draw_patient",
    "draw_radiograph",
    "measure",
    "measure_skin",
    "measure_tumour",
    "write_chestxray14_tree",
    "write_chexpert_tree",
    "write_large_slide",
    "write_radiograph_phantoms",
    "write_skin_phantoms",
    "write_slide_phantoms",
]
