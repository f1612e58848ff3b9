
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('history', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Telling',
            fields=[
                ('id', models.SmallIntegerField(primary_key=True, serialize=False)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Trace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('table_name', models.CharField(max_length=63)),
                ('row_key', models.CharField(blank=True, max_length=60)),
                ('what', models.CharField(max_length=10)),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('database_user', models.CharField(blank=True, max_length=63)),
                ('origin', models.CharField(blank=True, max_length=45)),
                ('xact', models.BigIntegerField(null=True)),
                ('told', models.BigIntegerField(null=True)),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('told', None)), fields=['id'], name='trace_not_told')],
            },
        ),
    ]
