"""Look and Assess: whether a day is settled and whole, and what it lacks in the end."""
