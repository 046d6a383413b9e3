"""A living company with known truth."""
