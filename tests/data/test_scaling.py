"""Mean and SD of each channel, as numpy has them, whatever the number of samples that are looked at together."""

import numpy as np
import pytest

from softmerge_core.data import scaling
from softmerge_core.data.scaling import channel_scale


@pytest.mark.parametrize("shape", [(50, 3, 8, 8), (200, 5), (40, 2, 30)])
@pytest.mark.parametrize("together", [1, 1000, 1 << 20])
def test_it_is_numpys_in_blocks_of_any_size(
    shape: tuple[int, ...], together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scaling, "BLOCK", together)
    inputs = np.random.default_rng(0).normal(100, 30, shape).astype(np.float32)
    axes = (0, *range(2, len(shape)))
    mean, sd = channel_scale(inputs)
    assert np.allclose(mean, inputs.mean(axes, dtype=np.float64), rtol=1e-6)
    assert np.allclose(sd, inputs.std(axes, dtype=np.float64), rtol=1e-5)


def test_a_constant_column_is_divided_by_one() -> None:
    rows = np.stack([np.full(9, 0.1), np.arange(9), np.zeros(9)], axis=1).astype(np.float32)
    mean, sd = channel_scale(rows)
    assert sd.tolist()[::2] == [1, 1]
    assert np.allclose(((rows - mean) / sd)[:, ::2], 0, atol=1e-7)


def test_images_of_bytes_do_not_wrap_around() -> None:
    images = np.full((4, 1, 2, 2), 255, np.uint8)
    images[0] = 0
    mean, sd = channel_scale(images)
    assert mean.tolist() == [191.25]
    assert sd[0] == pytest.approx(images.std(), rel=1e-6)
