"""The smallest chip that keeps the accuracy: what can be chosen, tried, and what came out."""
