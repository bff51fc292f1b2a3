"""Messages to values and back, every bound checked here."""
