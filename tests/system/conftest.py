"""One box with one desk for all tests of a file: each leaves it as it was."""
import pytest
from box import Box, InstalledDesk, why_not

AGENT, CUSTOMER = "127.0.0.3", "127.0.0.2"


@pytest.fixture(scope="session", autouse=True)
def possible():
    reason = why_not()
    if reason:
        pytest.skip(f"no box: {reason}", allow_module_level=False)


@pytest.fixture(scope="module")
def box(possible):
    with Box() as box:
        yield box


@pytest.fixture(scope="module")
def desk(box):
    with box.network(), InstalledDesk(box) as desk:
        yield desk


@pytest.fixture(scope="module")
def agent(desk):
    return desk.member(AGENT, "agnes@example.org", "Agnes Planted-Name", "agent")


@pytest.fixture(scope="module")
def customer(desk):
    return desk.member(CUSTOMER, "carl@example.org", "Carl")
