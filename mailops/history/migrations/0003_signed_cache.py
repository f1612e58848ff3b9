"""The cache's table becomes one of the tables that every installation has after `migrate`.

Older rows are pickles, which nobody reads any more.
"""

from typing import Any

from django.core.management import call_command
from django.db import migrations


def make_table(apps: Any, schema_editor: Any) -> None:
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("history", "0002_confirming")]

    operations = [
        migrations.RunPython(make_table, migrations.RunPython.noop, elidable=False),
        migrations.RunSQL("DELETE FROM mailops_cache", migrations.RunSQL.noop),
    ]
