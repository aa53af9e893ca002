"""The version, where everything below the package's public face can read it."""

__version__ = "0.2.0"
