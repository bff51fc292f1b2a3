"""A party's node: the only code that touches raw data and private keys."""
