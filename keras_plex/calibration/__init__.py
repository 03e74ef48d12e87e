"""What is fitted on held-out data after training."""
