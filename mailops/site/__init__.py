"""The frame around all pages: admin site, navigation, dashboard, pages of users."""
