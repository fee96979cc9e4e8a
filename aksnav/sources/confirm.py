"""One question to the living network, asked of whoever can answer it: Azure, or this machine."""

import time
from collections.abc import Callable

from aksnav.model.confirmation import ACTIONS, Question, Reply
from aksnav.sources.azure.transport import Connection


def ask(
    question: Question,
    *,
    azure: bool = True,
    connection: Connection | None = None,
    now: Callable[[], float] = time.time,
) -> Reply:
    """Return the answer; whatever stands in its way is the reply's error, in one line.

    Args:
        question: what is asked.
        azure: Azure may be asked in this session.
        connection: how Azure Resource Manager is reached; as the environment says when left out.
        now: seconds since the epoch.
    """
    if question.way not in ACTIONS:
        from aksnav.sources.here import ask_here

        return ask_here(question)
    if not azure:
        return Reply(question=question, error="Azure is not asked in this session (--no-azure)")
    from aksnav.sources.azure.confirm import ask_azure, confirming

    arm = confirming(connection)
    try:
        return ask_azure(question, arm, now)
    finally:
        arm.close()
