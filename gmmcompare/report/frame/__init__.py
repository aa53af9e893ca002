"""What all pages share: templates, axes, words, provenance."""
