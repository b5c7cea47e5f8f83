"""People of customers who sign in to the portal."""

from django.contrib.auth.models import User

from accounts.models import Customer, PortalUser

PASSWORD = "correct horse battery"


def portal_person(customer: Customer, *, name: str | None = None) -> User:
    """A sign-in for this customer, named after it unless told otherwise."""
    user = User.objects.create_user(name or f"{customer.code}@portal.example", password=PASSWORD)
    PortalUser.objects.create(user=user, customer=customer)
    return user
