"""What everything rests on: errors, files, bundled data, and where work runs."""
