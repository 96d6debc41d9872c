"""What the bundles' configs call: pull what is missing, claim a product, run a stage."""

from medaug.bundle.products import claim, identity, is_made, settings_path
from medaug.bundle.stages import evaluate, fit, generate, infer, predict, prepare
from medaug.bundle.workflow import finish, pull, start

__all__ = [
    "claim",
    "evaluate",
    "finish",
    "fit",
    "generate",
    "identity",
    "infer",
    "is_made",
    "predict",
    "prepare",
    "pull",
    "settings_path",
    "start",
]
