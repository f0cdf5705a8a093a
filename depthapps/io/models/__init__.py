"""Write models: one module a format, `write` chooses among them by suffix; `viewer` makes a page that shows a model.

A new format is one module with a function from arrays to bytes, and one line in `write`.
"""
