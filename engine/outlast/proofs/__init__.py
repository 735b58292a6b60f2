"""What can be shown of a plan.

second_opinion    whole stories on an independent interpreter, compared state for state
"""
