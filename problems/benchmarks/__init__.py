"""Scripts run by hand: reference tables for the collections, and comparisons with other solvers."""
