"""What the sportswear shop asks in the demo, in the order it asks."""

from dataclasses import dataclass

from cleanroom.report.wording import Wording


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """One question of the shop `asker` about people it shares with `owner`; empty `by` and `column` where not asked.

    `quantity` is count, histogram or sum, `column` the owner's, `by` the asker's; `epsilon` as a person types it.
    """

    title: str
    asker: str
    owner: str
    by: str
    quantity: str
    column: str
    epsilon: str
    wording: Wording


QUESTIONS = (
    DemoQuestion(
        title="How many customers do we share with the bag shop?",
        asker="sportswear",
        owner="bags",
        by="",
        quantity="count",
        column="",
        epsilon="0.25",
        wording=Wording(),
    ),
    DemoQuestion(
        title="Which colour of bag do our customers prefer, sport by sport?",
        asker="sportswear",
        owner="bags",
        by="category",
        quantity="histogram",
        column="colour",
        epsilon="1",
        wording=Wording(member="buy mostly {by} from {asker}", preference="prefer {of} bags"),
    ),
    DemoQuestion(
        title="What may a bag cost?",
        asker="sportswear",
        owner="bags",
        by="",
        quantity="histogram",
        column="price_band",
        epsilon="0.5",
        wording=Wording(preference="mostly buy bags of the {of} price band"),
    ),
    DemoQuestion(
        title="What do they spend at the bag shop?",
        asker="sportswear",
        owner="bags",
        by="category",
        quantity="sum",
        column="spend",
        epsilon="1",
        wording=Wording(member="buy mostly {by} from {asker}"),
    ),
    DemoQuestion(
        title="Which casual wear do our customers buy most?",
        asker="sportswear",
        owner="casualwear",
        by="",
        quantity="histogram",
        column="category",
        epsilon="0.5",
        wording=Wording(preference="mostly buy {of}"),
    ),
)
