"""What the bundles' configs call: pull what is missing, claim a product, run a stage."""

from medaug.bundle.inference import file_digest, infer, prepare_new
from medaug.bundle.products import claim, identity, is_made, settings_path, truth
from medaug.bundle.stages import (
    baseline_method,
    evaluate,
    file_digests,
    fit,
    generate,
    method_name,
    predict,
    predictions_files,
    prepare,
    sources,
)
from medaug.bundle.workflow import finish, pull, start

__all__ = [
    "baseline_method",
    "claim",
    "evaluate",
    "file_digest",
    "file_digests",
    "finish",
    "fit",
    "generate",
    "identity",
    "infer",
    "is_made",
    "method_name",
    "predict",
    "predictions_files",
    "prepare",
    "prepare_new",
    "pull",
    "settings_path",
    "sources",
    "start",
    "truth",
]
