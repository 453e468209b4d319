"""The verbs, what they print, and their exit codes."""
