"""The instrument: ways to search, measured on questions whose answers are known."""
