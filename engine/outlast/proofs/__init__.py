"""What can be shown of a plan.

statics           questions about guards that trying out leaves open, put to a solver
promela           a composition as a model for Spin
timed             properties, proved or refuted for every order of events and every moment
recording         the same moves with all that they did, for those who follow
telling           a run in which chosen things come about, in the names instances have there
generate          tables of cases that go everywhere a system can go
comparison        whether two specifications can be told apart
second_opinion    whole stories on an independent interpreter, compared state for state
"""
