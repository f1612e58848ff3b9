"""Fields get the queue's own words. The columns keep their names: no SQL runs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_confirming")]

    operations = [
        migrations.AlterField("order", "rung_at", models.DateTimeField(db_column="rung_at", null=True)),
        migrations.RenameField("order", "rung_at", "queued_at"),
        migrations.AlterField("order", "held_for", models.CharField(blank=True, db_column="held_for", max_length=10)),
        migrations.RenameField("order", "held_for", "waiting_for"),
        migrations.AlterField("asking", "rung_at", models.DateTimeField(db_column="rung_at", null=True)),
        migrations.RenameField("asking", "rung_at", "queued_at"),
    ]
