"""What is agreed and what is asked: contract, plan, gate."""
