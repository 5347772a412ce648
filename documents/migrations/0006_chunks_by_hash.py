from django.contrib.postgres.indexes import HashIndex
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("documents", "0005_containers")]

    operations = [migrations.AddIndex("chunk", HashIndex(fields=["hash"], name="chunks_of_a_text"))]
