"""`scripts/bench`: two companies of any size, matched and asked as real processes, and what it took."""
