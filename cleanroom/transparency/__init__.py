"""The log in the public transparency ecosystem's formats: trees, notes, tiles, witnesses, the auditor's verifier."""
