"""Settings are checked where they enter, and the message names the field, the value and what is allowed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from lagrange.model.settings import Settings


def test_the_defaults_are_those_of_the_design() -> None:
    assert Settings() == Settings(tol=1e-8, max_iterations=300, time_limit=None, method="newton-kkt", verbose=0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tol", 0.0),
        ("tol", -1e-8),
        ("tol", 9e-15),
        ("tol", 1.5),
        ("tol", math.nan),
        ("tol", math.inf),
        ("tol", "1e-8"),
        ("tol", None),
        ("tol", True),
        ("max_iterations", -1),
        ("max_iterations", 2.5),
        ("max_iterations", math.nan),
        ("max_iterations", math.inf),
        ("max_iterations", "ten"),
        ("max_iterations", None),
        ("max_iterations", True),
        ("time_limit", 0.0),
        ("time_limit", -3),
        ("time_limit", math.nan),
        ("time_limit", "soon"),
        ("method", "simplex"),
        ("method", None),
        ("verbose", -1),
        ("verbose", 0.5),
        ("verbose", "yes"),
    ],
)
def test_a_wrong_value_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValueError) as raised:
        Settings(**{field: value})
    assert str(raised.value).startswith(f"{field} must be ")
    assert str(raised.value).endswith(f"got {value!r}")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tol", 1e-14),
        ("tol", 1),
        ("tol", np.float64(1e-6)),
        ("tol", np.float32(1e-6)),
        ("max_iterations", 0),
        ("max_iterations", np.int64(5)),
        ("max_iterations", 1e3),
        ("time_limit", 1e-3),
        ("time_limit", np.int64(5)),
        ("time_limit", math.inf),
        ("verbose", 10),
    ],
)
def test_a_value_at_the_edge_or_of_a_numpy_type_is_accepted(field: str, value: Any) -> None:
    assert getattr(Settings(**{field: value}), field) == value


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings().tol = 1.0  # type: ignore[misc]
