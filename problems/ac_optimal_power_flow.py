"""AC optimal power flow: what does electricity cost at each of five places in a grid?

Five power stations serve three cities over six lines of alternating current. The stations offer their power
at fixed prices; the operator chooses powers and voltages so that all demand is met, no line is overloaded,
and the money spent is least:

    minimize    sum price_i power_i                                                 [$/h]
    subject to  power made at a place - power sent into its lines = demand          [MW]
                reactive power made there - sent into its lines = reactive demand   [Mvar]
                apparent power at both ends of a line <= its limit                  [MVA]
                0 <= power <= capacity,  |reactive power| <= its limit              [MW, Mvar]
                207 <= voltage <= 253                                               [kV]

The shadow price of a demand is the price of electricity at its place, the locational marginal price
[$/MWh]. All places would pay the same, but for losses and for the line from D to E, which is full: E pays
the cheap Brighton's price, while D pays more than any running station asks. The stations at one place
share one reactive power, which costs nothing; angles are measured from the voltage at D [degrees].
Source: F. Li and R. Bo, "Small test systems for power system economic studies", IEEE Power and Energy
Society General Meeting (2010), as in MATPOWER's case5, after the five-bus example of the market operator
PJM. Known answer: 17551.89 $/h (published with the IEEE Power Grid Library's case5_pjm); the digits below
are those of PYPOWER 5.1, whose solver is another one, with all tolerances at 1e-9 and less.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np

import lagrange as lg

BASE, NOMINAL_VOLTAGE = 100.0, 230.0  # MVA, kV: the units of the lines' data, "per unit"
PLACES = ("A", "B", "C", "D", "E")
REFERENCE = "D"  # its angle is zero
STATION_AT = {"Alta": "A", "Park City": "A", "Solitude": "C", "Sundance": "D", "Brighton": "E"}
CAPACITY = {"Alta": 40.0, "Park City": 170.0, "Solitude": 520.0, "Sundance": 200.0, "Brighton": 600.0}  # MW
REACTIVE_LIMIT = {"A": 157.5, "C": 390.0, "D": 150.0, "E": 450.0}  # Mvar, both ways
LOWEST_VOLTAGE, HIGHEST_VOLTAGE = 0.9 * NOMINAL_VOLTAGE, 1.1 * NOMINAL_VOLTAGE
LINES = {  # between two places: resistance, reactance, susceptance of the whole line against ground
    "AB": (0.00281, 0.0281, 0.00712),
    "AD": (0.00304, 0.0304, 0.00658),
    "AE": (0.00064, 0.0064, 0.03126),
    "BC": (0.00108, 0.0108, 0.01852),
    "CD": (0.00297, 0.0297, 0.00674),
    "DE": (0.00297, 0.0297, 0.00674),
}


def admittance_of(line: str) -> tuple[complex, complex]:
    """Admittance of a line, and of its half against ground, which is at each of its ends."""
    resistance, reactance, susceptance = LINES[line]
    return 1 / (resistance + 1j * reactance), 1j * susceptance / 2


def admittance_matrix() -> np.ndarray:
    """The matrix that takes the voltages of all places to the currents that leave them through their lines."""
    matrix = np.zeros((len(PLACES), len(PLACES)), dtype=complex)
    for line in LINES:
        series, ground = admittance_of(line)
        for here, there in permutations(line):
            matrix[PLACES.index(here), PLACES.index(here)] += series + ground
            matrix[PLACES.index(here), PLACES.index(there)] -= series
    return matrix


ADMITTANCE = admittance_matrix()


def voltages(x: dict[str, Any]) -> Any:
    """Complex voltages of all places, in units of the nominal one."""
    size = np.array([x["voltage"][place] for place in PLACES]) / NOMINAL_VOLTAGE
    angle = np.array([x["angle"].get(place, 0.0) for place in PLACES])
    return size * np.exp(1j * np.deg2rad(angle))


def sent(x: dict[str, Any], at: int) -> Any:
    """What a place sends into its lines: power as the real, reactive power as the imaginary part [MVA]."""
    voltage = voltages(x)
    return BASE * voltage[at] * np.conj(ADMITTANCE[at] @ voltage)


def left_of_power(place: str) -> Callable[[dict[str, Any]], Any]:
    """The function that gives what is left for a place's demand [MW]."""
    at, stations = PLACES.index(place), [station for station, where in STATION_AT.items() if where == place]
    return lambda x: sum(x["power"][station] for station in stations) - np.real(sent(x, at))


def left_of_reactive_power(place: str) -> Callable[[dict[str, Any]], Any]:
    """The function that gives what is left for a place's reactive demand [Mvar]."""
    at = PLACES.index(place)
    return lambda x: x["reactive power"].get(place, 0.0) - np.imag(sent(x, at))


def apparent_power(line: str, here: str) -> Callable[[dict[str, Any]], Any]:
    """The function that gives the load of a line at one end [MVA]."""
    at, far = PLACES.index(here), PLACES.index(line.replace(here, ""))
    series, ground = admittance_of(line)

    def load(x: dict[str, Any]) -> Any:
        voltage = voltages(x)
        current = (series + ground) * voltage[at] - series * voltage[far]
        return BASE * np.abs(voltage[at] * current)

    return load


def given(kind: str, name: str) -> Callable[[dict[str, Any]], Any]:
    """The function that looks up one parameter."""
    return lambda p: p[kind][name]


p = {
    "price": {"Alta": 14.0, "Park City": 15.0, "Solitude": 30.0, "Sundance": 40.0, "Brighton": 10.0},  # $/MWh
    "demand": {"A": 0.0, "B": 300.0, "C": 300.0, "D": 400.0, "E": 0.0},  # MW
    "reactive demand": {"A": 0.0, "B": 98.61, "C": 98.61, "D": 131.47, "E": 0.0},  # Mvar
    "limit": {"AB": 400.0, "DE": 240.0},  # MVA; the other lines have none
}
problem = lg.Problem(
    minimize=lambda x, p: sum(p["price"][station] * x["power"][station] for station in STATION_AT),
    subject_to={
        **{f"power at {at}": lg.equals(left_of_power(at), given("demand", at)) for at in PLACES},
        **{
            f"reactive power at {at}": lg.equals(left_of_reactive_power(at), given("reactive demand", at))
            for at in PLACES
        },
        **{
            f"line {line} at {end}": lg.at_most(apparent_power(line, end), given("limit", line))
            for line in p["limit"]
            for end in line
        },
    },
    bounds={
        "power": (dict.fromkeys(CAPACITY, 0.0), CAPACITY),
        "reactive power": ({at: -largest for at, largest in REACTIVE_LIMIT.items()}, REACTIVE_LIMIT),
        "voltage": (dict.fromkeys(PLACES, LOWEST_VOLTAGE), dict.fromkeys(PLACES, HIGHEST_VOLTAGE)),
    },
    describe={
        "objective": "cost of the power [$/h]",
        "power": "[MW]",
        "reactive power": "[Mvar]",
        "voltage": "[kV]",
        "angle": "of the voltage, measured from that at D [degrees]",
        **{f"power at {at}": "for the demand [MW]" for at in PLACES},
        **{f"reactive power at {at}": "for the reactive demand [Mvar]" for at in PLACES},
        **{f"line {line} at {end}": "apparent power [MVA]" for line in p["limit"] for end in line},
        "price": "asked by the station [$/MWh]",
        "demand": "[MW]",
        "reactive demand": "[Mvar]",
        "limit": "of the line [MVA]",
    },
)
x0 = {
    "power": {station: capacity / 2 for station, capacity in CAPACITY.items()},
    "reactive power": dict.fromkeys(REACTIVE_LIMIT, 0.0),
    "voltage": dict.fromkeys(PLACES, NOMINAL_VOLTAGE),
    "angle": {at: 0.0 for at in PLACES if at != REFERENCE},
}

# PYPOWER's answer for this p.
NODAL_PRICE = {"A": 16.9350819006, "B": 26.5499073140, "C": 30.0, "D": 39.7120882081, "E": 10.0}  # $/MWh
REACTIVE_PRICE = {"A": 0.3570413936, "B": 0.3673848214, "C": 0.1051123595, "D": 0.0, "E": 0.0}  # $/Mvarh

known_objective = 17551.8909208268  # $/h
known_x = {
    "power": {
        "Alta": 40.0,
        "Park City": 170.0,
        "Solitude": 324.4984980413,
        "Sundance": 0.0,
        "Brighton": 470.6935979587,
    },
    "reactive power": {"A": 157.5, "C": 390.0, "D": -10.8022954772, "E": -165.0394064933},
    "voltage": {"A": 247.8520593885, "B": 249.3348900691, "C": 253.0, "D": 244.7515686295, "E": 245.8862520720},
    "angle": {"A": 2.8037822763, "B": -0.7346442638, "C": -0.5597254879, "E": 3.5903477523},
}
known_multipliers = {
    **{f"power at {at}": -price for at, price in NODAL_PRICE.items()},
    **{f"reactive power at {at}": -price for at, price in REACTIVE_PRICE.items()},
    **{"line AB at A": 0.0, "line AB at B": 0.0, "line DE at D": 0.0, "line DE at E": 61.3109095451},
}
# What a station earns above its own price at its limit, what another Mvar is worth, and another kV at C.
known_bound_multipliers = {
    "power": {station: NODAL_PRICE[at] - p["price"][station] for station, at in STATION_AT.items()},
    "reactive power": {at: REACTIVE_PRICE[at] for at in REACTIVE_LIMIT},
    "voltage": {"A": 0.0, "B": 0.0, "C": 156.9021345198 / NOMINAL_VOLTAGE, "D": 0.0, "E": 0.0},
    "angle": {"A": 0.0, "B": 0.0, "C": 0.0, "E": 0.0},
}
