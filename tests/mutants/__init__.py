"""Broken copies of the product, each of which the ordinary suite must notice; `scripts/mutants` runs them."""
