"""How a task adapts to examples that it chooses."""
