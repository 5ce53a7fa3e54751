"""Outside a world, the driver's look-up of names is the driver's own."""

from cassandra import cluster


def test_names_resolve_as_the_operating_system_says() -> None:
    found = cluster._resolve_contact_points_to_string_map([("127.0.0.1", 9042)])

    assert dict(found) == {"127.0.0.1:9042": [("127.0.0.1", 9042)]}
