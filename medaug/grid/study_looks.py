"""What the classifiers of a study see in the same images (Sections F.3, G.3.2 and G.3.3).

A classifier's own evaluation looks at the images of its own run, and a run of real images has no generated
ones. Here all arms of a seed look at one set of generated images, so that their distances (Table G1) differ
by what the classifiers learnt and by nothing else.
"""

from __future__ import annotations

from pathlib import Path

from medaug.analysis.looks import all_components, all_distances
from medaug.evaluation.metrics_table import write_table
from medaug.grid.design import Study
from medaug.stages.run import Run
from medaug.stages.seen_by_models import seen_by_models

_OF_IMAGES = ("device_name", "skew", "label_budget", "budget_domains")
"""Settings of every command that say what the images are, and where they are looked at."""


def write_looks(study: Study, labelled: str, seed: int) -> Path:
    """Write ``distances.csv`` and ``components.csv`` of all arms with a seed and the same labels.

    Parameters
    ----------
    study : Study
        Whose trainings have left their models.
    labelled : str
        Who keeps labelled images: a name in `Study.labelled`.
    seed : int
        Of the trainings, and of the generator whose images are looked at.

    Returns
    -------
    Path
        The folder, `Study.looks`.
    """
    folder = study.looks(labelled, seed)
    cells = [cell for cell in study.cells() if (cell.labelled, cell.seed) == (labelled, seed)]
    models = [study.run(cell) / "models" / "model.pt" for cell in cells]
    features = seen_by_models(_images(study, labelled, seed), models)
    write_table(all_distances(features, seed), folder / "distances.csv")
    write_table(all_components(features, seed), folder / "components.csv")
    return folder


def _images(study: Study, labelled: str, seed: int) -> Run:
    """Return a run that has the images: the real ones, and those of a generator if there is one."""
    facts, conditioning = study.metadata["medaug"], study.looked_at
    given = {"budget_domains": facts["budget_domains"]}
    given |= {name: value for name, value in study.shared.items() if name in _OF_IMAGES}
    generator = study.generator(labelled, conditioning, seed) if conditioning else None
    return Run.of(
        bundle_root=study.bundle,
        modality=facts["modality"],
        output_dir=str(study.looks(labelled, seed)),
        generator_dir=None if generator is None else str(generator),
        data_dir=str(study.data),
        seed=seed,
        **{**given, **study.labelled[labelled]},
    )
