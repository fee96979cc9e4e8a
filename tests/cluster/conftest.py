"""Fixtures over a real control plane; without its programs the tests are skipped with the command that builds them.

When a session ends, the audit log of each control plane is read: whatever the tests did, aksnav has only read.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster import access, programs, sample
from tests.cluster.bundle import Bundle
from tests.cluster.control_plane import ControlPlane

NAMES = (f"test-{number}" for number in itertools.count(1))
# Asking what oneself may do changes nothing (authorization.k8s.io/v1); the doctor does.
ALLOWED = {"get", "list", "watch"}
REVIEW = ("create", "selfsubjectaccessreviews")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that share a control plane in one process where several run tests (pytest-xdist)."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("control plane"))


@contextmanager
def watched_control_plane() -> Iterator[ControlPlane]:
    """Run a control plane, and see at its end that aksnav has asked for nothing but reading."""
    absent = programs.missing()
    if absent:
        reason = f"{', '.join(absent)} not in {programs.folder()}: build them with {programs.BUILD_COMMAND}"
        if os.environ.get("AKSNAV_REQUIRE_CLUSTER"):  # where they were built, their absence is a failure
            pytest.fail(reason)
        pytest.skip(reason)
    with ControlPlane() as plane:
        yield plane
        asked = access.asked_by_the_program(plane.layout.audit_log)
        written = {(verb, resource) for verb, resource in asked if verb not in ALLOWED} - {REVIEW}
        assert not written, f"aksnav asked the API server for more than reading: {sorted(written)}"


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """Give the one control plane of the session; it starts in some 5 seconds."""
    with watched_control_plane() as plane:
        yield plane


@pytest.fixture(scope="session")
def sample_cluster() -> Iterator[ControlPlane]:
    """Give a control plane of its own with the sample cluster on it; whoever changes it puts it back."""
    with watched_control_plane() as plane:
        sample.load(plane)
        yield plane


@pytest.fixture(scope="session")
def exported(sample_cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Give the sample cluster as kubectl and az print it; whoever changes it takes a copy."""
    folder = tmp_path_factory.mktemp("sample") / "bundle"
    sample.export_capture(sample_cluster, folder)
    return Bundle(folder)


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """Give a fresh namespace, which is deleted afterwards."""
    name = next(NAMES)
    control_plane.create_namespace(name)
    yield name
    control_plane.delete("namespace", name, wait=False)
