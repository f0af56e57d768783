"""kohl: makeup that protects a photo from face recognition."""

__version__ = "0.1.0"
