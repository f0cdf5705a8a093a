"""Write 3D models, with one module per format; `write` chooses the format by suffix, `viewer` makes a web page.

The web page shows the model in 3D. A new format needs one module, with a function from arrays to bytes, and one line in
`write`.
"""
