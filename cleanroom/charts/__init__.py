"""Charts of findings, drawn by matplotlib: the optional extra `charts`, which only an analyst's program loads."""
