"""Who may come in: sign-in, lockout, second factor, sessions, reauthentication, roles."""
