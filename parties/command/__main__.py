"""`python -m parties.command` is `cleanroom`, for processes that this one starts."""

from parties.command.main import main

main()
