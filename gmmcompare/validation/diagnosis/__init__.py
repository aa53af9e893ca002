"""From a failed test to the mistake."""
