from store.making import event


def test_it(store):
    assert store.events.append([event(1), event(2), event(1)]) == (2, 1, 0)
    assert [e.position for e in store.events.read()] == [1, 2]
