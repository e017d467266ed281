"""Makes one module out of many that do the same and cost less heap: `bundle.py` puts the steps in their order, each other room is one of them.

Rule: sources are data here and are not run; what they mean stays what it is.
"""
