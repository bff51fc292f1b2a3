"""Named identifier profiles: which spellings count as one person."""
