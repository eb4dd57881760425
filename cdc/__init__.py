"""What changed in a database, and how we read it."""
