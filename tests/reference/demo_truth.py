"""The demo's questions answered exactly from its tables by pandas, and the answer that stated noise makes of it.

Only tests may know these numbers; the product never computes them.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from cleanroom.demo.planted import PREFERENCES, SHOPS
from cleanroom.demo.questions import DemoQuestion
from cleanroom.privacy.accountant import Accountant, accountant

SPEND_CLAMP = 400
ZCDP = accountant("zcdp")
OTHER = "other"


def people(folder: Path) -> dict[str, pd.DataFrame]:
    """One row a person for each shop: index the address in lower case; columns category, colour, price_band, spend."""
    return {shop: _reduced(folder / "shops" / f"{shop}.csv") for shop in SHOPS}


def _reduced(path: Path) -> pd.DataFrame:
    lines = pd.read_csv(path, dtype=str)
    lines["email"] = lines["email"].str.lower()
    lines["cents"] = lines["amount"].str.replace(".", "").astype(int)
    grouped = lines.sort_values("order_date").groupby("email")
    euros = grouped["cents"].sum() / 100
    return pd.DataFrame(
        {
            "category": _most_frequent(lines, "category"),
            "colour": grouped["colour"].last(),
            "price_band": _most_frequent(lines, "price_band"),
            # Round half to even, as numpy and the contract do.
            "spend": euros.clip(upper=SPEND_CLAMP).round().astype(int),
        }
    )


def _most_frequent(lines: pd.DataFrame, column: str) -> pd.Series:
    """The demo's tables have no ties."""
    counts = lines.groupby(["email", column]).size().reset_index(name="lines").sort_values("lines")
    return counts.drop_duplicates("email", keep="last").set_index("email")[column]


def cell_names(question: DemoQuestion) -> list[tuple[str | None, str | None]]:
    """Every declared value and `other`, the asker's outermost."""
    bys: list[str | None] = [None]
    ofs: list[str | None] = [None]
    if question.by:
        bys = [*PREFERENCES[question.asker].category.values, OTHER]
    if question.quantity == "histogram":
        ofs = [*getattr(PREFERENCES[question.owner], question.column).values, OTHER]
    return [(by, of) for by in bys for of in ofs]


def truth(tables: dict[str, pd.DataFrame], question: DemoQuestion) -> list[int]:
    """The exact cells, in the order of `cell_names`."""
    shared = tables[question.asker].merge(
        tables[question.owner], left_index=True, right_index=True, suffixes=("_asker", "_owner")
    )
    cells = []
    for by, of in cell_names(question):
        kept = shared if by is None else shared[shared[f"{question.by}_asker"] == by]
        kept = kept if of is None else kept[kept[f"{question.column}_owner"] == of]
        cells.append(int(kept["spend_owner"].sum()) if question.quantity == "sum" else len(kept))
    return cells


def scale_of(question: DemoQuestion, of: Accountant = ZCDP) -> Fraction:
    """The noise scale that the question's epsilon buys, in people or euros."""
    sensitivity = SPEND_CLAMP if question.quantity == "sum" else 1
    return of.scale_for_units(of.units_for_epsilon(Fraction(question.epsilon)), sensitivity)


def noisy_answer(
    question: DemoQuestion, exact: Sequence[int], draw: Callable[[int, Fraction], list[int]], of: Accountant = ZCDP
) -> dict[str, Any]:
    """The answer's JSON when the noise is `draw(cells, scale)`."""
    scale = scale_of(question, of)
    half_width = of.noise_interval(scale).half_width
    noise = draw(len(exact), scale)
    values = [cell + drawn for cell, drawn in zip(exact, noise, strict=True)]
    pure = of.name == "pure"
    charge = {
        "party": question.owner,
        "consumer": question.asker,
        "rho": None if pure else "0.01",
        "epsilon": 1.0,
        "delta": float(of.delta),
    }
    return {
        "question": {
            "asker": question.asker,
            "owner": question.owner,
            "by": question.by or None,
            "quantity": question.quantity,
            "column": question.column or None,
            "epsilon": float(question.epsilon),
            "delta": float(of.delta),
            **({"sigma": None, "laplace_scale": float(scale)} if pure else {"sigma": float(scale)}),
            "unit": "euros" if question.quantity == "sum" else "people",
            "analyst": "lena",
        },
        "interval": 0.95,
        "cells": [
            {"by": by, "of": of, "value": value, "low": value - half_width, "high": value + half_width}
            for (by, of), value in zip(cell_names(question), values, strict=True)
        ],
        "spent": [charge],
        "total": [charge],
        "sizes": {},
        "seconds": {},
    }
