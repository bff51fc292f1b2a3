"""The only door to the compiled kernel and to key bytes; public and secret halves live in separate files."""
