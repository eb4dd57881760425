"""Where change records go."""
