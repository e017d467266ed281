"""What works on the repository and beside the product: checks, demo, builds, provisioning. Treats firmware files as data."""
