"""Stage 2: sends each ticker of the site's listings to the queue of its kind."""
