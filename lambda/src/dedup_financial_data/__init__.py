"""Stage 6: leaves a day's partition as one object with one row a ticker, once the day is complete."""
