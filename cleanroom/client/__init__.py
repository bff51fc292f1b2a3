"""The analyst's own program: asks at the door of the company's node, checks receipts, and shows what came back."""
