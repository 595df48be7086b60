"""The commands of `monet`, one a module: its arguments, and what it does with them.

No command imports TensorFlow before its arguments are known to be right, so that a mistake is answered at once.
"""
