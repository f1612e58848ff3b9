"""The admin site, and all of the project that knows the apps: navigation, dashboard, users."""
