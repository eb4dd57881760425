"""Real servers for the demo and the tests, without asking the user to install any."""
