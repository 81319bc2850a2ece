"""The REST of the paper exchange under requests that schemathesis makes of the SDK's own declarations."""

import os
from typing import Any

from tests.abuse.openapi import document
from tests.abuse.rest import Attack
from tests.integration.paper_client import Paper, run, token
from tests.integration.test_paper_rest import arguments, settled
from tests.unit.simulator.paper_world import make_world

from lighter_hedge.simulator.edge.rest.paths import Rest
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.venue import Venue

EXAMPLES = int(os.environ.get("ABUSE_EXAMPLES", "2"))
"""Of each path, requests that fit its schema, and as many that do not."""


def test_the_document_has_every_route_of_the_exchange() -> None:
    routes = Rest(Venue(make_world().exchange, PaperSettings())).routes()
    documented = {(verb, path) for path, verbs in document({})["paths"].items() for verb in verbs}
    assert {(one.method.lower(), one.path) for one in routes} == documented


def test_whatever_is_asked_the_answer_is_json_with_a_code_and_of_the_declared_shape(paper: Paper) -> None:
    good: dict[str, Any] = {}

    async def prepare() -> None:
        async with paper.clients(4) as clients:
            good.update(arguments(paper, token(clients[0]), await settled(paper, clients)))

    run(prepare)
    attack = Attack(paper.url, good)
    for operation in attack.operations:
        attack.operation(operation, EXAMPLES)
    assert len(attack.answers) == len(attack.operations) == len(document({})["paths"])
    assert sum(200 in codes for codes in attack.answers.values()) >= len(attack.operations) // 3
    assert paper.said() == ""
