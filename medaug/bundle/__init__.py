"""What the bundles' configs call: pull what is missing, claim a product, run a stage."""

from medaug.bundle.data import label_budget, open_store, prepare, sources
from medaug.bundle.evaluation import (
    baseline_method,
    evaluate,
    file_digests,
    high_risk_classes,
    predictions_files,
)
from medaug.bundle.heatmaps import draw_heatmaps
from medaug.bundle.inference import file_digest, infer, prepare_new
from medaug.bundle.products import claim, identity, is_made, settings_path, truth
from medaug.bundle.stages import fit, generate, method_name, predict, row_weights
from medaug.bundle.workflow import finish, pull, start

__all__ = [
    "baseline_method",
    "claim",
    "draw_heatmaps",
    "evaluate",
    "file_digest",
    "file_digests",
    "finish",
    "fit",
    "generate",
    "high_risk_classes",
    "identity",
    "infer",
    "is_made",
    "label_budget",
    "method_name",
    "open_store",
    "predict",
    "predictions_files",
    "prepare",
    "prepare_new",
    "pull",
    "row_weights",
    "settings_path",
    "sources",
    "start",
    "truth",
]
