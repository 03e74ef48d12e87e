"""What is measured on a model, from one pass over a data set."""
