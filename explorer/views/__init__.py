"""What a reader looks at, made from captures: plain functions, records in and out.

The page, the command line and the notebook all call these, so that a saved figure cannot
drift from the screen.
"""
