"""The frame around all pages: menu, dashboard, users and their roles."""
