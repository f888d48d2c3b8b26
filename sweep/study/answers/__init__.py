"""What the ledger answers, as plain frozen dataclasses: for the command line and for a service.

Each answer has one function that makes it and, where ``--format json`` prints it, one function
``plain_...`` that returns its JSON. Nothing here draws. To ask about one study, open it once with
:func:`sweep.study.answers.opening.find_study` and pass it on:

===============  ==================================================================
module           questions
===============  ==================================================================
``studies``      all studies of a ledger; how some of them stand; names, for a shell
``opening``      one study by its name
``plan``         what a run of a study file would do
``status``       how a study stands, and what it ran on
``leaderboard``  its leaders; all its candidates
``best``         which settings to take; the Pareto set
``pivots``       means by parameter values
``comparison``   several studies side by side
``actions``      stop, submit, migrate
===============  ==================================================================

:func:`sweep.study.delete.delete_study` and :mod:`sweep.study.cleanup` return plain answers too.
"""

TOP = 10
"""Candidates of a leaderboard where nobody says how many."""
