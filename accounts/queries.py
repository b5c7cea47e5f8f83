"""Look-ups that other rooms make many of."""

from collections.abc import Collection, Sequence

from django.db import connection


def find_aliases(external: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Give the code of every customer who has one of these ids in another system, each as (system, id)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT named.system, named.external_id, customer.code
            FROM unnest(%s::text[], %s::text[]) AS asked (system, external_id)
            JOIN accounts_externalid AS named
              ON named.system = asked.system AND named.external_id = asked.external_id
            JOIN accounts_customer AS customer ON customer.id = named.customer_id
            """,
            [[system for system, _ in external], [external_id for _, external_id in external]],
        )
        return {(system, external_id): code for system, external_id, code in cursor.fetchall()}


def find_holders(external: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """Give the codes of all customers who ever had one of these ids in another system, each as (system, id)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT named.system, named.external_id, array_agg(DISTINCT customer.code::text)
            FROM unnest(%s::text[], %s::text[]) AS asked (system, external_id)
            JOIN accounts_historicalexternalid AS named
              ON named.system = asked.system AND named.external_id = asked.external_id
            JOIN accounts_customer AS customer ON customer.id = named.customer_id
            GROUP BY named.system, named.external_id
            """,
            [[system for system, _ in external], [external_id for _, external_id in external]],
        )
        return {(system, external_id): codes for system, external_id, codes in cursor.fetchall()}


def find_customer_ids(codes: Sequence[str]) -> dict[str, int]:
    """Give the id of every customer that one of these codes names, in one statement however many they are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, id FROM accounts_customer WHERE code = ANY(%s)", [list(codes)])
        return dict(cursor.fetchall())


def find_personal_keys(customer_ids: Sequence[int]) -> dict[int, int]:
    """Give the number of the key of each of these customers who has one, whether or not it was destroyed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, personal_key_id FROM accounts_customer WHERE id = ANY(%s) AND personal_key_id IS NOT NULL",
            [list(customer_ids)],
        )
        return dict(cursor.fetchall())
