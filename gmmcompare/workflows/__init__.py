"""From a card to a result: load, compare, select, sensitivity."""
