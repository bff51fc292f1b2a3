"""Writes the demo's folder: a table of order lines for each shop, the room file, and what was planted.

    shops/sportswear.csv  shops/casualwear.csv  shops/bags.csv   each read by that shop's own node only
    room.toml                                                    the terms, as any user would write them
    planted.json                                                 the probabilities behind the made-up data

The same seed writes the same bytes.
"""

import json
from pathlib import Path

import numpy as np
import pyarrow.csv

from cleanroom.demo.campaign import ADVERTISER, SELLER, campaign_body, make_campaign, with_ads, with_bottles
from cleanroom.demo.customers import make_customers
from cleanroom.demo.orders import order_lines
from cleanroom.demo.planted import SHOPS, planted_body
from cleanroom.demo.room_terms import room_toml

SEED = 2024


def write_shops(folder: Path, seed: int = SEED) -> Path:
    """Write everything into `folder`, which may exist; returns the room file's path."""
    (folder / "shops").mkdir(parents=True, exist_ok=True)
    random = np.random.Generator(np.random.PCG64(seed))
    customers = make_customers(random)
    later = np.random.Generator(np.random.PCG64([seed, 1]))
    campaign = make_campaign(later, customers)
    for shop in SHOPS:
        table, person = order_lines(random, customers, shop)
        if shop == ADVERTISER:
            table = with_ads(table, campaign, person)
        if shop == SELLER:
            table = with_bottles(later, table, campaign, customers)
        pyarrow.csv.write_csv(table, folder / "shops" / f"{shop}.csv")
    (folder / "planted.json").write_text(
        json.dumps({**planted_body(seed), "campaign": campaign_body()}, indent=2) + "\n", encoding="utf-8"
    )
    room_file = folder / "room.toml"
    room_file.write_text(room_toml(), encoding="utf-8")
    return room_file
