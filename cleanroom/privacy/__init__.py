"""What privacy costs and where noise comes from."""
