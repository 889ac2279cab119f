"""The steps Look and Assess: Look decides whether a day is settled and complete, Assess judges its data."""
