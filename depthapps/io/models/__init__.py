"""Write 3D models, with one module per format; `write` chooses the format by suffix.

A new format needs one module, with a function from arrays to bytes, and one line in `write`.
"""
