"""How a stock Keras model becomes an ensemble, in place and on a copy."""
