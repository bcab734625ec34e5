"""Records and figures to files; a file a figure, the rest is what they share.

The page's downloads and the command line are both made here, so that they agree.
"""
