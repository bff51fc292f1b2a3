"""The `cleanroom` command line."""
