"""Plots of solutions: named axes and legends, the user's axes, and no figure that was not asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")  # before pyplot: tests open no window

import matplotlib.pyplot as plt

import lagrange as lg
from lagrange.report.content import Iteration, MultiplierRow, Multipliers
from lagrange.report.palette import ROLES, themed
from lagrange.report.plots import draw_convergence, draw_multipliers
from problems import tin_can


@pytest.fixture(scope="module")
def can() -> lg.Solution:
    problem = lg.Problem(
        minimize=tin_can.area,
        subject_to={"volume": lg.equals(tin_can.volume, lambda p: p["volume"])},
        bounds={"radius": (0, None), "height": (0, None)},
        describe={"objective": "metal [cm^2]", "radius": "[cm]", "height": "[cm]", "volume": "[cm^3]"},
    )
    return problem.solve(tin_can.x0, tin_can.p)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    plt.close("all")
    yield
    plt.close("all")


def legend_of(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


PLOTS = ("geometry", "multipliers", "tornado", "value", "elasticities", "convergence")


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_draws_on_the_axes_it_is_given(can: lg.Solution, name: str) -> None:
    figure, axes = plt.subplots(1, 2)
    plt.sca(axes[0])
    assert getattr(can, f"plot_{name}")(ax=axes[1]) is axes[1]
    assert plt.gca() is axes[0] and plt.get_fignums() == [figure.number]
    assert axes[1].has_data() and not axes[0].has_data()


@pytest.mark.parametrize("name", PLOTS)
def test_without_axes_it_makes_one_figure_and_changes_no_setting(can: lg.Solution, name: str) -> None:
    before = dict(matplotlib.rcParams)
    ax = getattr(can, f"plot_{name}")()
    assert plt.get_fignums() == [ax.figure.number]
    assert dict(matplotlib.rcParams) == before
    ax.figure.canvas.draw()


def test_axes_have_names_and_units(can: lg.Solution) -> None:
    plane = can.plot_geometry()
    assert (plane.get_xlabel(), plane.get_ylabel()) == ("height [cm]", "radius [cm]")
    assert {"objective cm²", "inequalities met", "volume", "∇ objective", "solution"} <= set(legend_of(plane))
    value = can.plot_value()
    assert (value.get_xlabel(), value.get_ylabel()) == ("volume [cm³]", "objective [cm²]")
    assert {"same constraints active", "re-solved", "tangent", "volume = 330 cm³"} == set(legend_of(value))
    tornado = can.plot_tornado()
    assert tornado.get_xlabel() == "objective [cm²]" and tick_names(tornado, "y") == ["volume [cm³]"]
    assert legend_of(tornado) == ["parameter −10 %", "parameter +10 %"]
    heat = can.plot_elasticities()
    assert tick_names(heat, "y") == ["objective", "height", "radius", "price of volume"]
    assert tick_names(heat, "x") == ["volume"] and "+0.67" in [text.get_text() for text in heat.texts]
    assert legend_of(can.plot_convergence()) == ["infeasibility", "stationarity"]
    assert tick_names(can.plot_multipliers(), "y") == ["volume"]


def tick_names(ax: Any, which: str) -> list[str]:
    return [text.get_text() for text in getattr(ax, f"get_{which}ticklabels")()]


def test_the_arrows_of_the_geometry_add_up_to_zero() -> None:
    from lagrange.report.geometry import geometry

    problem = lg.Problem(
        maximize=lambda x: x[0] * x[1],
        subject_to={
            "budget": lg.at_most(lambda x: 2 * x[0] + x[1], 10.0),
            "ball": lg.at_most(lambda x: x @ x, 26.0),
        },
        bounds=(0.0, None),
    )
    plane = geometry(problem.solve([1.0, 1.0]))
    assert plane is not None
    assert [force.name for force in plane.forces] == [
        "−∇ objective", "multiplier · ∇ budget", "multiplier · ∇ ball",
    ]  # fmt: skip
    assert np.abs(np.sum([force.vector for force in plane.forces], axis=0)).max() < 1e-8
    assert plane.feasible is not None and 0 < plane.feasible.sum() < plane.feasible.size


def test_names_are_no_mathematics_and_all_in_the_legend() -> None:
    problem = lg.Problem(
        minimize=lambda x, p: (x["$a_b$"] - p["_hid$den"]) ** 2 + x["$\\frac{$"] ** 2,
        subject_to={"_limit": lg.at_most(lambda x: x["$a_b$"] + x["$\\frac{$"], 1.0)},
    )
    solution = problem.solve({"$a_b$": 0.0, "$\\frac{$": 0.0}, {"_hid$den": 2.0})
    for name in set(PLOTS) - {"value"}:  # which takes long, and names nothing that the others do not
        getattr(solution, f"plot_{name}")().figure.canvas.draw()
    assert any(text.endswith("_limit") for text in legend_of(solution.plot_geometry()))


def test_what_cannot_be_drawn_says_why(can: lg.Solution) -> None:
    alone = lg.Problem(minimize=lambda x: x @ x).solve([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"the plane of two variables .* has 3"):
        alone.plot_geometry()
    for plot in (alone.plot_tornado, alone.plot_value, alone.plot_elasticities):
        with pytest.raises(ValueError, match="no parameters"):
            plot()
    with pytest.raises(ValueError, match="no constraint is active"):
        alone.plot_multipliers()
    with pytest.raises(ValueError, match="one of volume; got 'size'"):
        can.plot_value("size")
    with pytest.raises(ValueError, match="no history"):
        can.problem.examine(can.x, can.p).plot_convergence()


def test_intervals_of_multipliers_without_limit_are_cut() -> None:
    rows = (MultiplierRow("one", 0.0, np.inf, 1.0, 2.0), MultiplierRow("two", -np.inf, 3.0, 1.0, -1.0))
    ax = draw_multipliers(Multipliers(1, "", rows), plt.figure().subplots())
    assert legend_of(ax) == ["all possible values"]
    assert np.isfinite(ax.get_xlim()).all()


def test_residuals_of_zero_and_a_single_iteration_are_drawn() -> None:
    ax = draw_convergence([Iteration(1, "active set", 1.0, 0.0, 1e-9, 1.0)], plt.figure().subplots())
    assert ax.get_ylim()[0] > 0.0


def test_every_colour_of_a_drawing_follows_the_page() -> None:
    for role in ROLES:
        assert themed(f"fill: {role.color.upper()}") == f"fill: var(--{role.variable}, {role.color})"
