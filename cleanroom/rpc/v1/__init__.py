"""Generated gRPC code; never edited by hand."""
