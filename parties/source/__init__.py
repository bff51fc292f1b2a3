"""Reading a company's own tables."""
