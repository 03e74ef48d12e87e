"""Real data to show and to measure with."""
