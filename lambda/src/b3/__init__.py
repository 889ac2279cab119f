"""What site and lake both need to know of the exchange: how Brazilians write, and which day may be run."""
