"""How often intervals of a level must hold at the least, over so many draws."""

import math


def least_held(draws: int, level: float = 0.95) -> float:
    """Five standard errors below the level, as a share of the draws: an honest program falls there by 1e-5 or less."""
    return level - 5 * math.sqrt(level * (1 - level) / draws)
