"""The stages of a run, which the configs of the bundles compose: settings in, one product out.

A stage has a frozen dataclass of settings (None in a config means what the preset says) and an object that
builds the parts for MONAI's engines, has made what it needs, claims its product, works, and says where the
product is:

=================  ==================================================  ============================
config             settings and stage                                  product
=================  ==================================================  ============================
``prepare``        `PreparationSettings`, `Preparation`                image store ``data/``
``train_diffusion``  `GeneratorSettings`, `GeneratorTraining`          ``models/diffusion.pt``
``train_upsampler``  the same                                          ``models/upsampler.pt``
``generate``       `SynthesisSettings`, `Synthesis`                    image store ``synthetic/``
``quality``        `QualitySettings`, `Quality`                        ``synthetic/quality.json``
``train``          `ClassifierSettings`, `ClassifierTraining`          ``models/``, ``predictions/``
``evaluate``       `evaluation_settings`, `Evaluation`                 ``evaluation/``
``inference``      `InferenceSettings`, `Inference`                    ``<folder>/predictions.csv``
=================  ==================================================  ============================

`Run` is what they share. The rooms of models, data and results lie below; `medaug.notebook`, `medaug.grid`
and `medaug.sharing` stand on this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medaug.lazy import lazy_names

if TYPE_CHECKING:
    from medaug.stages.classifier_settings import ClassifierSettings
    from medaug.stages.classifier_training import ClassifierTraining
    from medaug.stages.evaluation import Evaluation, evaluation_settings
    from medaug.stages.generator_settings import GeneratorSettings
    from medaug.stages.generator_training import GeneratorTraining
    from medaug.stages.inference import Inference, InferenceSettings
    from medaug.stages.location import bundle_root
    from medaug.stages.preparation import Preparation, PreparationSettings
    from medaug.stages.quality import Quality, QualitySettings
    from medaug.stages.run import Run
    from medaug.stages.synthesis import Synthesis, SynthesisSettings

__all__ = [
    "ClassifierSettings",
    "ClassifierTraining",
    "Evaluation",
    "GeneratorSettings",
    "GeneratorTraining",
    "Inference",
    "InferenceSettings",
    "Preparation",
    "PreparationSettings",
    "Quality",
    "QualitySettings",
    "Run",
    "Synthesis",
    "SynthesisSettings",
    "bundle_root",
    "evaluation_settings",
]

# A study that plans its jobs shall not wait for MONAI, nor one stage for all.
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ClassifierSettings": "classifier_settings",
        "ClassifierTraining": "classifier_training",
        "Evaluation": "evaluation",
        "GeneratorSettings": "generator_settings",
        "GeneratorTraining": "generator_training",
        "Inference": "inference",
        "InferenceSettings": "inference",
        "Preparation": "preparation",
        "PreparationSettings": "preparation",
        "Quality": "quality",
        "QualitySettings": "quality",
        "Run": "run",
        "Synthesis": "synthesis",
        "SynthesisSettings": "synthesis",
        "bundle_root": "location",
        "evaluation_settings": "evaluation",
    },
)
