"""Django imports this module by its name. It registers the pages of users and roles."""

# without this import the stock pages are back, which ask no second person (mailops.E030)
from mailops.site import users  # noqa: F401
