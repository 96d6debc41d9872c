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
    built = classifier.network_name, classifier.optimizer_name, classifier.schedule
    assert built == (
        "bit_152x2",
        "adam",
        "cosine",
    )
    assert (classifier.learning_rate, classifier.weight_decay) == (1e-5, 1e-5)
    assert (classifier.iterations, classifier.batch_size) == (50_000, 64)


def test_histopathology_row_is_table_e1() -> None:
    paper = preset("histopathology", "paper")
    assert paper.upsampler is None
    assert paper.image_size == paper.diffusion.image_size == 96
    assert paper.diffusion.channels == (128, 128, 256, 384, 512)
    assert (paper.diffusion.residual_blocks, paper.diffusion.head_channels) == (2, 64)
    assert (paper.diffusion.learning_rate, paper.diffusion.batch_size) == (1e-4, 64)
    classifier = paper.classifier
    built = classifier.network_name, classifier.optimizer_name, classifier.schedule
    assert built == (
        "resnet152",
        "adam",
        "constant",
    )
    assert (classifier.learning_rate, classifier.weight_decay, classifier.dropout) == (1e-4, 0, 0)
    assert (classifier.iterations, classifier.batch_size) == (200_000, 32)


def test_dermatology_row_is_table_e1() -> None:
    paper = preset("dermatology", "paper")
    assert paper.upsampler is not None
    assert (paper.diffusion.image_size, paper.image_size) == (64, 256)
    assert paper.diffusion.channels == (192, 384, 576, 768)
    assert paper.upsampler.channels == (128, 128, 256, 256, 512, 512)
    assert (paper.diffusion.residual_blocks, paper.upsampler.residual_blocks) == (3, 2)
    assert (paper.diffusion.learning_rate, paper.upsampler.learning_rate) == (1.5e-4, 1e-4)
    assert (paper.diffusion.batch_size, paper.upsampler.batch_size) == (128, 32)
    classifier = paper.classifier
    built = classifier.network_name, classifier.optimizer_name, classifier.schedule
    assert built == (
        "bit_101x3",
        "sgd",
        "cosine",
    )
    assert (classifier.learning_rate, classifier.weight_decay) == (0.01, 1e-4)
    assert (classifier.iterations, classifier.batch_size) == (10_000, 96)


@pytest.mark.parametrize("modality", ["histopathology", "radiology", "dermatology"])
@pytest.mark.parametrize("name", ["demo", "single_gpu", "paper"])
def test_every_network_halves_evenly_and_a_cascade_enlarges(modality, name) -> None:
    models = preset(modality, name)
    rows = [row for row in (models.diffusion, models.upsampler) if row is not None]
    assert [row.image_size for row in rows] == sorted({row.image_size for row in rows})
    for row in rows:
        assert row.image_size % 2 ** (len(row.channels) - 1) == 0
        assert row.iterations % row.iterations_per_epoch == 0


def test_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no preset 'singlegpu' for 'radiology'; did you mean 'single_gpu'"):
        preset("radiology", "singlegpu")
    with pytest.raises(ValueError, match=r"no preset 'huge'.*radiology demo"):
        preset("radiology", "huge")  # type: ignore[arg-type]


def test_the_paper_predicts_noise_at_uniform_times_and_no_generator_keeps_its_first_weights() -> None:
    for modality in ("histopathology", "radiology", "dermatology"):
        row = preset(modality, "paper").diffusion  # type: ignore[arg-type]
        assert (row.prediction, row.times, row.loss_weight) == ("epsilon", "uniform", "none")
        assert (row.patch, row.dropout, row.mirrors, row.schedule) == (1, 0.0, (), "constant")
        for name in ("demo", "single_gpu", "paper"):
            assert preset(modality, name).diffusion.ema_width <= 0.1  # type: ignore[arg-type]
