"""All numbers of a judgement: each measure of the synthetic images beside the same of held-out real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from medaug.arrays import Array, BoolArray, IntArray
from medaug.quality.copies import alike
from medaug.quality.fidelity import kid_ratio, precision_recall
from medaug.quality.image_features import SeenImages
from medaug.quality.probes import Probe, aucs, one_hot
from medaug.quality.resampling import Estimated, Resampling, Row, mean, share, unknown
from medaug.randomness import numpy_generator
from medaug.task import Attribute, attribute_column

FEWEST_IN_GROUP = 20
"""Images of a class or group, of each kind, that fidelity and variety of it need."""

FIDELITY = ("kid_ratio", "precision", "recall", "density", "coverage", "alike")


@dataclass(frozen=True)
class Compared:
    """The images that are compared.

    Attributes
    ----------
    synthetic : SeenImages
        What is judged.
    held_out : SeenImages
        Real images that the generator did not learn from: they show what good images reach.
    training : SeenImages
        Real images that it learnt from, labelled or not.
    attributes : tuple of Attribute
        Whose groups are compared.
    resampling : Resampling
        How intervals are made.
    """

    synthetic: SeenImages
    held_out: SeenImages
    training: SeenImages
    attributes: tuple[Attribute, ...]
    resampling: Resampling

    @cached_property
    def all(self) -> tuple[SeenImages, SeenImages, SeenImages]:
        """Synthetic, held-out and training images."""
        return self.synthetic, self.held_out, self.training

    @cached_property
    def probe(self) -> Probe:
        """What tells the conditions, learnt from the real training images."""
        return Probe(self.training.layout, self.training.present)

    def weights(self, images: SeenImages) -> Array:
        """Return the weights of images in all replicates."""
        kind = "synthetic" if images.store is self.synthetic.store else "real"
        return self.resampling.weights(images.units, kind)

    def rows(self) -> list[Row]:
        """Return everything that is measured but nearest images, overall first."""
        return [
            *self._fidelity(),
            *self._conditions(),
            *(row for a in self.attributes for row in self._property(a)),
            *(row for a in self.attributes for row in self._conditions_by_group(a)),
            *self._by_class(),
            *(row for a in self.attributes for row in self._by_group(a)),
        ]

    def distance(self, images: SeenImages) -> Estimated:
        """Return the distance of images to the training images, see `kid_ratio`."""
        if min(len(images), len(self.training)) < FEWEST_IN_GROUP:
            return unknown(len(images))
        weights = self.weights(images), self.weights(self.training)
        return kid_ratio(images.features, self.training.features, *weights)

    # Do they look like real images, and are they as varied?

    def _fidelity(self, label: str = "", attribute: str = "", group: str = "") -> Iterator[Row]:
        made, real = (self._beside_training(images) for images in self.all[:2])
        yield from (Row(m, made[m], real[m], label, attribute, group) for m in FIDELITY)

    def _by_class(self) -> Iterator[Row]:
        for number, name in enumerate(self.training.store.task.classes):
            members = [images.present[:, number] == 1 for images in self.all]
            yield from self._of_some(members, label=name)

    def _by_group(self, attribute: Attribute) -> Iterator[Row]:
        codes = [group_codes(images, attribute) for images in self.all]
        for number, name in enumerate(attribute.group_names):
            members = [code == number for code in codes]
            yield from self._of_some(members, attribute=attribute.name, group=name)

    def _of_some(self, members: Sequence[BoolArray], **of: str) -> Iterator[Row]:
        made, held_out, training = (i.only(own) for i, own in zip(self.all, members, strict=True))
        if len(made):
            yield from Compared(made, held_out, training, (), self.resampling)._fidelity(**of)

    def _beside_training(self, images: SeenImages) -> dict[str, Estimated]:
        count = min(len(images), len(self.training))
        if count < FEWEST_IN_GROUP:
            return dict.fromkeys(FIDELITY, unknown(len(images)))
        few, base = (drawn(i, count, self.resampling.seed) for i in (images, self.training))
        weights = self.weights(few), self.weights(base)
        shares = precision_recall(few.features, base.features, *weights)
        several = len(np.unique(base.units)) > 1  # patients, whose distance doubles are told by
        doubles = share(alike(few, base), weights[0]) if several else unknown(len(few))
        return {"kid_ratio": self.distance(images), **shares, "alike": doubles}

    # Can what was asked for be seen?

    def _conditions(self) -> Iterator[Row]:
        """AUC of probes: real to synthetic (agreement), and synthetic to real, beside real to real."""
        of_synthetic = Probe(self.synthetic.layout, self.synthetic.present)
        reached = self._aucs(self.probe, self.held_out)
        found = {
            "agreement": self._aucs(self.probe, self.synthetic),
            "synthetic_only": self._aucs(of_synthetic, self.held_out),
        }
        for measure, values in found.items():
            yield Row(measure, mean(values), mean(reached))
            for name, value, real in zip(self.training.store.task.classes, values, reached, strict=True):
                yield Row(measure, value, real, label=name)

    def _conditions_by_group(self, attribute: Attribute) -> Iterator[Row]:
        codes = [group_codes(images, attribute) for images in self.all[:2]]
        for number, name in enumerate(attribute.group_names):
            made, real = (
                mean(self._aucs(self.probe, images.only(code == number)))
                for images, code in zip(self.all[:2], codes, strict=True)
            )
            yield Row("agreement", made, real, attribute=attribute.name, group=name)

    def _property(self, attribute: Attribute) -> Iterator[Row]:
        """AUC of a probe of real images for the groups of an attribute."""
        count = len(attribute.group_names)
        targets = [one_hot(group_codes(images, attribute), count) for images in self.all]
        probe = Probe(self.training.layout, targets[2])
        made, real = (
            aucs(target, probe.probabilities(images.layout), self.weights(images), _one_stratum(images))
            for images, target in zip(self.all[:2], targets[:2], strict=True)
        )
        yield Row("property", mean(made), mean(real), attribute=attribute.name)
        for name, of_made, of_real in zip(attribute.group_names, made, real, strict=True):
            yield Row("property", of_made, of_real, attribute=attribute.name, group=name)

    def _aucs(self, probe: Probe, images: SeenImages) -> list[Estimated]:
        """AUC of the conditions, among images of the same groups: real conditions may go with them."""
        scores = probe.probabilities(images.layout)
        return aucs(images.present, scores, self.weights(images), strata(images, self.attributes))


def group_codes(images: SeenImages, attribute: Attribute) -> IntArray:
    """Return the number of the group of each image, -1 where it is not known."""
    groups = attribute.group_of(images.table[attribute_column(attribute.name)])
    return np.asarray(groups.cat.codes, np.int64)


def strata(images: SeenImages, attributes: Sequence[Attribute]) -> IntArray:
    """Return the number of the combination of groups of each image; what is unknown is a group, too."""
    numbers: IntArray = _one_stratum(images)
    for attribute in attributes:
        numbers *= len(attribute.group_names) + 1
        numbers += group_codes(images, attribute) + 1
    return numbers


def _one_stratum(images: SeenImages) -> IntArray:
    return np.zeros(len(images), np.int64)


def compared_attributes(synthetic: SeenImages, training: SeenImages) -> tuple[Attribute, ...]:
    """Return the attributes that the synthetic images were asked to show, the hospital among them."""
    hospitals = tuple(sorted(set(training.table["domain"])))
    known = [*training.store.task.attributes, Attribute("domain", groups=hospitals)]
    return tuple(a for a in known if (group_codes(synthetic, a) >= 0).any())


def drawn(images: SeenImages, count: int, seed: int) -> SeenImages:
    """Return at most so many of the images, drawn without replacement, in their order."""
    if len(images) <= count:
        return images
    random = numpy_generator(seed, "quality", "drawn", len(images))
    return images.only(np.sort(random.choice(len(images), count, replace=False)))
