"""Statistical audits of what is promised: small in the ordinary tests, large in `scripts/audit-privacy`."""
