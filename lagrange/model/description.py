"""What names mean: a description and a unit for variables, constraints, parameters and the objective."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

VARIABLE, CONSTRAINT, PARAMETER, OBJECTIVE = "variable", "constraint", "parameter", "objective"

# The unit stands in brackets at the end, "radius [cm]"; without a blank before them they are an index: "x[2]".
UNIT_AT_THE_END = re.compile(r"(?P<text>.*?)(?:^|\s+)\[(?P<unit>[^\[\]]*)\]", re.DOTALL)


@dataclass(frozen=True)
class Description:
    """A description and a unit; empty where not given.

    Examples
    --------
    >>> Description.parsed("radius of the can [cm]")
    Description(text='radius of the can', unit='cm')
    >>> Description.parsed("[cm]"), Description.parsed("the same as x[2]")
    (Description(text='', unit='cm'), Description(text='the same as x[2]', unit=''))
    """

    text: str = ""
    unit: str = ""

    @classmethod
    def parsed(cls, line: str) -> Description:
        """From "text [unit]"; either part may be missing."""
        found = UNIT_AT_THE_END.fullmatch(line.strip())
        return cls(line.strip()) if found is None else cls(found["text"].strip(), found["unit"].strip())


@dataclass(frozen=True)
class Descriptions:
    """All descriptions of a problem, by name.

    A description of "price" is one of "price.coal" and "price[2]" too, unless these have their own. Where a variable, a
    constraint and a parameter share a name, "parameter price" describes the parameter alone.

    Examples
    --------
    >>> about = Descriptions.of({"price": "of fuel [$/MBtu]", "price.coal": "of coal", "objective": "cost [$/h]"})
    >>> about.parameter("price.coal"), about.objective.unit
    (Description(text='of coal', unit='$/MBtu'), '$/h')
    """

    entries: Mapping[str, Description] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Mapping[str, str] | None) -> Descriptions:
        """From {name: "text [unit]"}.

        Raises
        ------
        TypeError
            Where it is something else, by name.
        """
        if lines is None:
            return cls()
        if not isinstance(lines, Mapping):
            raise TypeError(
                f"describe must be a dict from names to texts such as 'radius of the can [cm]', got {lines!r}"
            )
        for name, line in lines.items():
            if not (isinstance(name, str) and isinstance(line, str)):
                raise TypeError(f"describe maps names to texts such as 'radius [cm]'; the entry {name!r} is {line!r}")
        return cls({name: Description.parsed(line) for name, line in lines.items()})

    @property
    def objective(self) -> Description:
        """Of the objective."""
        return self.entries.get(OBJECTIVE, Description())

    def variable(self, name: str) -> Description:
        """Of one element of x: "radius", "x[3]"."""
        return self._find(VARIABLE, name)

    def constraint(self, name: str) -> Description:
        """Of one constraint row: "volume", "demand[3]"."""
        return self._find(CONSTRAINT, name)

    def parameter(self, name: str) -> Description:
        """Of one element of p: "volume", "price.coal"."""
        return self._find(PARAMETER, name)

    def check(self, variables: Sequence[str], constraints: Sequence[str], parameters: Sequence[str]) -> None:
        """See that every entry describes something, given the names of all elements.

        Raises
        ------
        ValueError
            With the names that look alike.
        """
        known = {OBJECTIVE}
        for kind, names in ((VARIABLE, variables), (CONSTRAINT, constraints), (PARAMETER, parameters)):
            for name in names:
                for part in _parents(name):
                    known |= {part, f"{kind} {part}"}
        for name in self.entries:
            if name not in known:
                alike = get_close_matches(name, known, n=3) or sorted(known)[:8]
                raise ValueError(f"describe: there is nothing named {name!r}; there is {', '.join(map(repr, alike))}")

    def _find(self, kind: str, name: str) -> Description:
        found = [
            self.entries[key] for part in _parents(name) for key in (f"{kind} {part}", part) if key in self.entries
        ]
        text = next((entry.text for entry in found if entry.text), "")
        return Description(text, next((entry.unit for entry in found if entry.unit), ""))


def _parents(name: str) -> Iterator[str]:
    """The name, then what it is an element of: "price.coal[2]", "price.coal", "price"."""
    yield name
    while (cut := max(name.rfind("."), name.rfind("["))) > 0:
        name = name[:cut]
        yield name
