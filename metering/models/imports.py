"""How far each file import has come."""

from django.db import models


class ImportRun(models.Model):
    """How far a file import has come, so that it resumes after a crash and counts nothing twice."""

    path_name = models.CharField(max_length=300)
    file_sha256 = models.CharField(max_length=64)
    mapping_hash = models.CharField(max_length=64)
    rows_done = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["file_sha256", "mapping_hash"], name="metering_import_file")]

    def __str__(self) -> str:
        return self.path_name
