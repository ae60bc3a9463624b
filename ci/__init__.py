"""The house: one command that sets the project up, runs it, tests it and checks it."""
