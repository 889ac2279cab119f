"""The step ``look`` decides whether a day is settled and complete; ``assess`` judges the day's data."""
