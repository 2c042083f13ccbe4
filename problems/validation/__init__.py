"""The story problems against answers that are not this package's: `python -m problems.validation` writes the page."""
