"""medaug: learned augmentations for fairer medical classifiers (Ktena, Wiles et al.)."""

__version__ = "0.2.0"
