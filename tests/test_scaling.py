"""Scaling: one shift and one scale, learned from the training rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sweep.datasets import Scaling, fit_scaling
from sweep.datasets import scaling as module
from sweep.errors import DataError

RNG = np.random.default_rng(0)


def test_none_changes_values_not_at_all():
    """ "none" gives the same values as float32."""
    x = RNG.integers(0, 256, (5, 4, 4), dtype=np.uint8)
    scaled = fit_scaling(x, "none").apply(x)
    assert scaled.dtype == np.float32
    assert (scaled == x).all()


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.array([[3, 7]], dtype=np.uint8), 255.0),
        (np.array([[3, 7]], dtype=np.uint16), 65535.0),
        (np.array([[-8.0, 4.0]]), 8.0),
        (np.array([[-128, 5]], dtype=np.int8), 128.0),
        (np.zeros((2, 2)), 1.0),
    ],
)
def test_unit_divides_by_the_range(values, scale):
    """ "unit" divides uint8 by 255, uint16 by 65535, others by the largest absolute value."""
    assert fit_scaling(values, "unit") == Scaling(0.0, scale)


def test_unit_brings_white_to_one():
    """255 becomes exactly 1."""
    x = np.array([[0, 255]], dtype=np.uint8)
    assert fit_scaling(x, "unit").apply(x).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_standardize_is_mean_and_deviation_of_all_pixels(dtype):
    """ "standardize" subtracts NumPy's mean and divides by NumPy's deviation."""
    x = (RNG.random((50, 6, 5, 3)) * 100).astype(dtype)
    scaling = fit_scaling(x, "standardize")
    assert scaling.shift == pytest.approx(x.mean(dtype=np.float64), rel=1e-12)
    assert scaling.scale == pytest.approx(x.std(dtype=np.float64), rel=1e-12)


def test_chunks_do_not_change_the_answer(monkeypatch):
    """Rows taken a few at a time give what all rows at once give."""
    x = RNG.integers(0, 256, (101, 7), dtype=np.uint8)
    whole = fit_scaling(x, "standardize")
    scaled = whole.apply(x)
    monkeypatch.setattr(module, "_CHUNK", 10)
    pieces = fit_scaling(x, "standardize")
    assert (pieces.shift, pieces.scale) == pytest.approx((whole.shift, whole.scale), rel=1e-13)
    assert (whole.apply(x) == scaled).all()


@pytest.mark.parametrize("value", [0.0, 0.1, 7.0])
def test_constant_pixels_become_zero(value):
    """A deviation of 0 divides by 1, also where the mean is not exact in binary."""
    x = np.full((1000, 3), value)
    assert fit_scaling(x, "standardize") == Scaling(value, 1.0)


def test_statistics_come_from_the_rows_given():
    """Rows that are not passed have no influence."""
    train = np.array([[0.0, 2.0]])
    test = np.array([[100.0, 3.0]])
    assert fit_scaling(train, "standardize").apply(test).tolist() == [[99.0, 2.0]]


def test_large_integers_are_shifted_before_they_are_rounded():
    """Neighbours that float32 cannot tell apart stay apart."""
    x = np.array([[2**30, 2**30 + 2]], dtype=np.int64)
    assert fit_scaling(x, "standardize").apply(x).tolist() == [[-1.0, 1.0]]


def test_apply_leaves_its_input_alone():
    """Scaling returns a new array."""
    x = np.ones((2, 2), dtype=np.float32)
    Scaling(1.0, 2.0).apply(x)
    assert (x == 1).all()


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 9))))
def test_standardized_rows_have_mean_zero_and_deviation_one(x):
    """Any uint8 rows come out with mean 0 and deviation 1 (0 where they are constant)."""
    scaled = fit_scaling(x, "standardize").apply(x).astype(np.float64)
    assert scaled.mean() == pytest.approx(0.0, abs=1e-4)
    assert scaled.std() == pytest.approx(float(x.min() != x.max()), abs=1e-4)


def test_unknown_kind_names_the_allowed_ones():
    """A bad kind is answered with the three that there are."""
    with pytest.raises(DataError, match="must be one of none, standardize, unit, got 'zscore'"):
        fit_scaling(np.ones((2, 2)), "zscore")


@pytest.mark.parametrize("kind", ["unit", "standardize"])
def test_no_rows_is_an_error(kind):
    """Nothing can be learned from nothing."""
    with pytest.raises(DataError, match=r"at least one training row, got shape \(0, 4\)"):
        fit_scaling(np.ones((0, 4)), kind)


def test_pixels_beyond_float_squares_are_an_error():
    """Values whose squares overflow are refused, not turned into NaN."""
    with pytest.raises(DataError, match="too large to standardize"):
        fit_scaling(np.array([[1e300, -1e300]]), "standardize")
