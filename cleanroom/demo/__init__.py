"""Three made-up shops whose customers' preferences are planted, so that an answer can be held to the truth."""
