"""Language models with members write text together."""
