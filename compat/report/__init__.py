"""Words for people and records for programs: every report is a function of a run's records."""
