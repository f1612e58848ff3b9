"""For auditors: control report, role periods, retention, audited tables."""
