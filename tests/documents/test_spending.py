"""Budgets, of all together, of everyone and of one, and who may see what was spent."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from documents import spending
from documents.indexing import index
from documents.models import Budget, Usage, User
from documents.rag.types import Call
from documents.rag.types import Usage as Tokens
from documents.threads import in_thread
from documents.wiring import open_system
from tests.documents.conftest import Give
from tests.openai_server import OpenAIServer

pytestmark = pytest.mark.django_db


def spend(user: User, cost: float, day: date | None = None, model: str = "gpt") -> None:
    spending.keep(user.pk, [Call("chat", model, "host", (), usage=Tokens(1000, 100, cost))], message=1)
    if day:
        Usage.objects.filter(cost=cost).update(day=day)


def left(user: User) -> float | None:
    allowance, _ = spending.allowance(user)
    return round(allowance.left, 4) if allowance else None


def told(user: User) -> str:
    return spending.allowance(user)[1]


def test_without_a_budget_nothing_is_limited(owner: User) -> None:
    spend(owner, 100.0)
    assert (left(owner), told(owner)) == (None, "")


def test_one_is_warned_from_80_percent_on_and_stopped_at_100(owner: User) -> None:
    Budget.objects.create(scope="each", amount=5.0)
    spend(owner, 3.9)
    assert (left(owner), told(owner)) == (1.1, "")
    spend(owner, 0.2)
    assert told(owner) == "Your budget of 5 USD a month is spent to 82 %."
    spend(owner, 1.0)
    assert left(owner) == -0.1
    assert told(owner).startswith("Your budget of 5 USD a month is spent. Models answer again on 1 ")
    assert told(owner).endswith("an administrator can raise it.")


def test_what_another_spends_is_theirs_but_for_the_teams_budget(owner: User, teammate: User) -> None:
    Budget.objects.create(scope="each", amount=5.0)
    spend(teammate, 9.0)
    assert left(owner) == 5.0
    Budget.objects.create(scope="team", amount=8.0)
    assert left(owner) == -1.0
    assert told(owner).startswith("The team's budget of 8 USD a month is spent.")


def test_ones_own_budget_stands_for_everyones(owner: User, teammate: User) -> None:
    Budget.objects.create(scope="each", amount=5.0)
    Budget.objects.create(scope="one", user=owner, amount=50.0)
    spend(owner, 9.0)
    assert (left(owner), left(teammate)) == (41.0, 5.0)


def test_a_new_month_and_a_new_day_begin_anew(owner: User) -> None:
    Budget.objects.create(scope="each", amount=5.0)
    Budget.objects.create(scope="each", amount=1.0, period="day")
    first = timezone.localdate().replace(day=1)
    spend(owner, 4.0, first - timedelta(days=1))
    assert left(owner) == 1.0
    spend(owner, 1.5)
    assert told(owner).startswith("Your budget of 1 USD a day is spent. Models answer again tomorrow;")


def test_nothing_is_kept_of_a_call_that_read_and_wrote_nothing(owner: User) -> None:
    spending.keep(owner.pk, [Call("chat", "gpt", "host", (), error="Gone.")])
    assert not Usage.objects.exists()


def test_everyone_sees_their_own_usage_and_an_administrator_everybodys(
    client: Client, owner: User, teammate: User, admin_client: Client
) -> None:
    spend(owner, 0.25, model="gpt-own")
    spend(teammate, 0.0042, model="gpt-other")
    client.force_login(teammate)
    page = client.get(reverse("usage")).text
    assert "0.0042 USD" in page
    assert "gpt-own" not in page
    assert owner.email not in page
    assert "Add budget" not in page
    everybodys = admin_client.get(reverse("usage")).text
    assert "gpt-own" in everybodys
    assert teammate.email in everybodys
    assert "gpt-own" not in admin_client.get(reverse("usage"), {"of": "me"}).text


def test_usage_stays_when_its_user_goes(admin_client: Client, teammate: User) -> None:
    spend(teammate, 0.5)
    teammate.delete()
    assert "people who are gone" in admin_client.get(reverse("usage")).text


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_is_embedded_counts_documents_as_nobodys_and_searches_as_their_users(
    settings: Settings, model: OpenAIServer, give: Give, owner: User, async_client: AsyncClient
) -> None:
    settings.EMBEDDING_PRICE = 1000.0
    async with open_system():
        for name in ("leave.md", "trains.md"):
            await index((await in_thread(give, name, f"# {name}\n\nSix words, and no more.")).version.pk)
        await async_client.aforce_login(owner)
        for query in ("leave", "trains or leave"):
            assert (await async_client.get(reverse("search"), {"q": query})).status_code == 200
    documents, searches = [usage async for usage in Usage.objects.order_by("pk")]
    assert (documents.user_id, documents.kind, documents.host) == (None, "embedding", urlsplit(model.url).netloc)
    assert (searches.user_id, searches.prompt_tokens, searches.cost) == (owner.pk, 4, 4 / 1000)


def test_an_administrator_sets_and_removes_budgets(admin_client: Client, owner: User) -> None:
    add = reverse("budget-add")
    page = admin_client.post(add, {"scope": "one", "email": owner.email, "amount": "2.5", "period": "day"}, follow=True)
    assert "2.5 USD a day" in page.text
    admin_client.post(add, {"scope": "one", "email": owner.email, "amount": "7", "period": "day"})
    budget = Budget.objects.get()
    assert budget.amount == 7
    assert budget.user == owner
    admin_client.post(reverse("budget-remove", args=[budget.pk]))
    assert not Budget.objects.exists()


def test_a_second_budget_for_the_same_takes_the_firsts_place(admin_client: Client) -> None:
    for amount in ("5", "6"):
        page = admin_client.post(
            reverse("budget-add"), {"scope": "team", "amount": amount, "period": "month"}, follow=True
        )
    assert [budget.amount for budget in Budget.objects.all()] == [6.0]
    assert "The budget is 6 USD a month." in page.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"scope": "one", "email": "no@example.com"}, "Nobody here has the e-mail no@example.com."),
        ({"scope": "one"}, "Say whose budget it is."),
        ({"scope": "team", "amount": "-1"}, "An amount is not less than 0."),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(admin_client: Client, fields: dict[str, str], sentence: str) -> None:
    refused = admin_client.post(reverse("budget-add"), {"amount": "1", "period": "month"} | fields)
    assert refused.status_code == 400
    assert sentence in refused.text


def test_nobody_else_sets_a_budget(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.post(reverse("budget-add"), {"scope": "team", "amount": "1", "period": "month"}).status_code == 403
