"""The coordinator: matches masked tags, relays sealed bytes, keeps the log. It holds no party's key."""
