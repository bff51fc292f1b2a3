"""Tables and reports for people who read answers."""
