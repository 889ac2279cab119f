"""Stage 2: sends every ticker that the site lists to the queue of its kind."""
