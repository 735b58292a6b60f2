"""Other people's libraries, driven by a plan.

transitions    a live machine of the library `transitions` on the caller's own object
scxml          documents in the W3C's language of state machines, in and out

Nothing is imported here, so that only those who embed pay for what they embed.
"""
