"""Following a log, holding all of it, and cosigning its heads: for a party's node and for an auditor's daemon."""
