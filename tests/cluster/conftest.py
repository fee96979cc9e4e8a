"""Fixtures over a real control plane; without its programs the tests are skipped with the command that builds them."""

import itertools
from collections.abc import Iterator

import pytest

from tests.cluster import programs
from tests.cluster.control_plane import ControlPlane

NAMES = (f"test-{number}" for number in itertools.count(1))


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """Give the one control plane of the session; it starts in some 5 seconds."""
    absent = programs.missing()
    if absent:
        pytest.skip(f"{', '.join(absent)} not in {programs.folder()}: build them with {programs.BUILD_COMMAND}")
    with ControlPlane() as plane:
        yield plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """Give a fresh namespace, which is deleted afterwards."""
    name = next(NAMES)
    control_plane.create_namespace(name)
    yield name
    control_plane.delete("namespace", name, wait=False)
