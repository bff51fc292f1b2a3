"""The demo's room file: the terms that three shops agree on, written as a person would write them."""

import json

from cleanroom.demo.campaign import ADVERTISER, EXPOSURES, GROUPS, SELLER, WEEKS
from cleanroom.demo.planted import BANDS, PREFERENCES

# Places for people beside the dummies that hide the size of an overlap: 392 of them at these overlap terms.
CAPACITIES = {"sportswear": 6000, "casualwear": 4000, "bags": 3500}

_HEAD = """\
# Three shops that share customers and no raw data. Every path is relative to this file.
format = 1
room = "demo"
purpose = "What do customers of one shop prefer at the other two?"

[match]
profile = "email-plain-v1"        # capitals and blanks around an address do not matter
"""

_SHOP = """
[parties.{shop}]
source = "shops/{shop}.csv"       # private: read by this shop's own node only
key = ["email"]
capacity = {capacity}
budget = {{ epsilon = "8" }}
overlap = {{ epsilon = "2", delta = "1e-9", matches = 6 }}

[parties.{shop}.columns.category]
role = "dimension"
from = "category"
reduce = "most_frequent"
values = {categories}

[parties.{shop}.columns.colour]
role = "dimension"
from = "colour"
reduce = "last"                   # of the piece bought last
order_by = "order_date"
date_format = "%Y-%m-%d"
values = {colours}

[parties.{shop}.columns.price_band]
role = "dimension"
from = "price_band"
reduce = "most_frequent"
values = {bands}

[parties.{shop}.columns.spend]
role = "measure"
from = "amount"
reduce = "sum"
unit = "euros"
decimals = 2
low = "0"
high = "400"                      # a customer who spent more counts as 400
step = "1"
"""

_ADS = """
[parties.{shop}.columns.ads]
role = "dimension"
from = "ads"                      # drawn by lot: who was shown the campaign, and who was held back
reduce = "most_frequent"
values = {groups}

[parties.{shop}.columns.saw]
role = "dimension"
from = "saw"                      # which ad in which week; empty for who was held back
reduce = "most_frequent"
values = {exposures}
"""

_BOTTLE = """
[parties.{shop}.columns.bottle]
role = "dimension"
reduce = "any"                    # whether somebody has bought at least one
where = {{ item = ["bottle"] }}
values = ["yes", "no"]
"""

_WEEK = """
[parties.{shop}.columns.bottles_{week}]
role = "measure"
from = "amount"
reduce = "sum"
where = {{ week = ["{week}"] }}
unit = "euros"
decimals = 2
low = "0"
high = "30"                       # one bottle
step = "1"
"""


def room_toml() -> str:
    """The room file's text."""
    shops = (
        _SHOP.format(
            shop=shop,
            capacity=CAPACITIES[shop],
            categories=_list(planted.category.values),
            colours=_list(planted.colour.values),
            bands=_list(BANDS),
        )
        for shop, planted in PREFERENCES.items()
    )
    ads = _ADS.format(shop=ADVERTISER, groups=_list(GROUPS), exposures=_list(EXPOSURES))
    weeks = (_WEEK.format(shop=SELLER, week=week) for week in WEEKS)
    return "".join((_HEAD, *shops, ads, _BOTTLE.format(shop=SELLER), *weeks))


def _list(values: tuple[str, ...]) -> str:
    """TOML and JSON write a list of plain texts the same way."""
    return json.dumps(list(values), ensure_ascii=False)
