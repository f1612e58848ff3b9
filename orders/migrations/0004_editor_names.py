from django.conf import settings
from django.db import migrations, models


def name_editors(apps, schema_editor):
    """Until now an editor was known by the user alone."""
    user = apps.get_model("auth", "User").objects.filter(pk=models.OuterRef("user_id"))
    apps.get_model("orders", "Editor").objects.exclude(user=None).update(
        name=models.Subquery(user.values("username")[:1])
    )


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("orders", "0003_drafting"),
    ]

    operations = [
        migrations.AddField("editor", "name", models.CharField(default="", editable=False, max_length=150)),
        migrations.AlterField(
            "editor",
            "user",
            models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(name_editors, migrations.RunPython.noop),
    ]
