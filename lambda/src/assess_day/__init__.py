"""Look and Assess: whether a day is settled and complete, and the final assessment."""
