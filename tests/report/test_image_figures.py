import io

import numpy as np
import pytest

from medaug.report.image_figures import image_grid


@pytest.mark.parametrize("channels", [1, 3])
def test_grid_shows_pixels_and_captions_as_they_are(channels):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, channels), dtype=np.uint8)
    figure = image_grid(images, ["_a", "$b", "c", "d", "e"])
    assert len(figure.axes) == 6
    shown = np.stack([axes.images[0].get_array() for axes in figure.axes[:5]])
    assert (shown.reshape(images.shape) == images).all()
    figure.savefig(io.BytesIO(), format="png")
    assert [axes.get_title().strip() for axes in figure.axes[:3]] == ["_a", r"\$b", "c"]


def test_captions_must_match():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        image_grid(np.zeros((2, 4, 4, 1), np.uint8), ["a"])
