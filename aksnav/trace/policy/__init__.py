"""Network policy, read the way the engine reads it."""

from aksnav.trace.policy.compiled import engine_of as engine
from aksnav.trace.policy.engines import Engine, EngineReading
from aksnav.trace.policy.judge import judge
from aksnav.trace.policy.readings import allows

__all__ = ["Engine", "EngineReading", "allows", "engine", "judge"]
