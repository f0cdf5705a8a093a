"""Model files, one module a format, and the page that shows a model."""
