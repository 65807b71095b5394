"""The cache keeps what was used last, and never more bytes than it may."""

from app.lru import BytesCache


def test_keeps_and_finds():
    cache = BytesCache[str](10)
    cache.put("a", "A", 4)
    assert cache.get("a") == "A"
    assert cache.get("b") is None
    assert (len(cache), cache.bytes) == (1, 4)


def test_the_one_used_longest_ago_goes_first():
    cache = BytesCache[str](10)
    for key in "abc":
        cache.put(key, key.upper(), 3)
    assert cache.get("a") == "A"
    cache.put("d", "D", 3)
    assert cache.get("b") is None
    assert [cache.get(key) for key in "acd"] == ["A", "C", "D"]


def test_one_large_value_drives_out_several():
    cache = BytesCache[str](10)
    for key in "abc":
        cache.put(key, key, 3)
    cache.put("d", "D", 9)
    assert (len(cache), cache.bytes) == (1, 9)


def test_what_is_larger_than_the_cache_is_not_kept_and_drives_nothing_out():
    cache = BytesCache[str](10)
    cache.put("a", "A", 10)
    cache.put("b", "B", 11)
    assert cache.get("b") is None
    assert cache.get("a") == "A"


def test_the_same_key_again_replaces_and_is_counted_once():
    cache = BytesCache[str](10)
    cache.put("a", "old", 6)
    cache.put("a", "new", 5)
    assert (cache.get("a"), len(cache), cache.bytes) == ("new", 1, 5)
