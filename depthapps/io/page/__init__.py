"""Write the page: a photo with its depth, or a model, as one HTML file that a browser shows from disk.

The page's own code stands in `assets/`: one file a concern, joined in the order of `write.SCRIPTS` when a page is made.
"""
