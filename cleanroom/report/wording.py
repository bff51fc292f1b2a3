"""The words of a sentence that a program cannot know: what it means to have a value of a column."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """Two verb phrases, for example `prefer {of} bags`.

    `member` says what the customers of one group do, with the places {by}, {by_column} and {asker}; `preference` what
    those in one cell do, with the places {of}, {column} and {owner}. Both fit every answer as they stand here.
    """

    member: str = "have {by_column} {by} at {asker}"
    preference: str = "have {column} {of} at {owner}"
