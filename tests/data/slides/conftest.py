import numpy as np
import openslide
import pytest
import tifffile

TISSUE, GLASS = (200, 90, 160), (245, 244, 246)


@pytest.fixture(scope="session")
def draw_scan():
    """Draw smooth random tissue on glass: uint8 (height, width, 3)."""

    def draw(width, height, seed=0):
        generator = np.random.default_rng(seed)
        noise = generator.normal(0, 12, (height, width, 3)) + np.linspace(-20, 20, width)[:, None]
        scan = np.clip(np.array(TISSUE) + noise, 0, 255)
        scan[: height // 4] = GLASS
        return scan.astype(np.uint8)

    return draw


@pytest.fixture(scope="session")
def write_slide():
    """Write levels, each uint8 (h, w, 3), as a tiled TIFF that OpenSlide reads."""

    def write(path, levels, *, mpp=0.5, tile=64, compression="jpeg", colours="ycbcr"):
        options = {"outcolorspace": colours} if compression == "jpeg" else None
        with tifffile.TiffWriter(path) as file:
            for number, level in enumerate(levels):
                pixel = mpp and mpp * levels[0].shape[1] / level.shape[1]
                file.write(
                    level,
                    tile=(tile, tile),
                    compression=compression,
                    photometric="rgb",
                    compressionargs=options,
                    subfiletype=1 if number else 0,
                    resolution=(1e4 / pixel, 1e4 / pixel) if mpp else None,
                    resolutionunit="CENTIMETER" if mpp else None,
                    metadata=None,
                )
        return path

    return write


@pytest.fixture(scope="session")
def read_alone():
    """Read one region with OpenSlide alone, on white."""

    def read(path, x, y, level, size):
        with openslide.OpenSlide(path) as slide:
            region = np.asarray(slide.read_region((x, y), level, (size, size)), np.float64)
        opacity = region[..., 3:] / 255
        return np.rint(region[..., :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)

    return read
