from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0008_owned"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="wanted_at",
            field=models.DateTimeField(null=True),
        ),
    ]
