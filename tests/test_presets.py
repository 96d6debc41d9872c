import pytest

from medaug.presets import preset


def test_paper_row_is_table_e1() -> None:
    paper = preset("radiology", "paper")
    assert paper.diffusion.channels == (192, 384, 576, 768)
    assert paper.upsampler is not None
    assert paper.upsampler.channels == (128, 128, 256, 256, 512, 512)
    assert (paper.diffusion.image_size, paper.image_size) == (64, 224)
    assert (paper.diffusion.learning_rate, paper.upsampler.learning_rate) == (1.5e-5, 1e-4)
    assert (paper.diffusion.batch_size, paper.upsampler.batch_size) == (128, 32)
    assert (paper.diffusion.residual_blocks, paper.upsampler.residual_blocks) == (3, 2)
    classifier = paper.classifier
    assert (classifier.network, classifier.optimizer, classifier.schedule) == ("bit_152x2", "adam", "cosine")
    assert (classifier.learning_rate, classifier.weight_decay) == (1e-5, 1e-5)
    assert (classifier.iterations, classifier.batch_size) == (50_000, 64)


@pytest.mark.parametrize("name", ["demo", "single_gpu", "paper"])
def test_every_cascade_enlarges_and_halves_evenly(name) -> None:
    models = preset("radiology", name)
    assert models.upsampler is not None
    assert models.upsampler.image_size > models.diffusion.image_size
    for row in (models.diffusion, models.upsampler):
        assert row.image_size % 2 ** (len(row.channels) - 1) == 0
        assert row.iterations % row.iterations_per_epoch == 0


def test_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no preset 'huge'.*radiology demo"):
        preset("radiology", "huge")  # type: ignore[arg-type]
