from itertools import islice

from load.account.ledger import Kind
from load.plan import Act, Step, crowd, plan, rates

PEOPLE = crowd(100)


def steps(seed: int, count: int = 5000) -> list[Step]:
    return list(islice(plan(seed, PEOPLE, rates(PEOPLE.clients)), count))


def test_the_same_seed_gives_the_same_plan_and_another_one_another() -> None:
    assert steps(1) == steps(1)
    assert steps(1) != steps(2)


def test_every_act_happens_at_its_rate_and_in_order() -> None:
    made = steps(3)
    assert [step.at for step in made] == sorted(step.at for step in made)
    for act, rate in rates(PEOPLE.clients).items():
        happened = sum(step.act is act for step in made) / made[-1].at
        assert 0.5 * rate < happened < 1.5 * rate, act


def test_what_reaches_everyone_is_rarer_in_a_larger_crowd() -> None:
    few, many = rates(100), rates(2000)
    assert few[Act.SEND_TO_EVERYONE] > 2 * many[Act.SEND_TO_EVERYONE]
    assert few[Act.SEND] == many[Act.SEND]


def test_every_kind_of_recipient_is_written_to_and_a_list_repeats_some() -> None:
    made = steps(4)
    written = {target.kind for step in made for target in step.targets}
    assert written == set(Kind)
    lists = [step.targets for step in made if step.act is Act.SEND_LIST]
    assert any(len(set(targets)) < len(targets) for targets in lists)
    assert any(step.excluded for step in made if step.act is Act.SEND_TO_EVERYONE)
    assert not any(step.excluded for step in made if step.act is not Act.SEND_TO_EVERYONE)
