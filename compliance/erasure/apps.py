"""Who was forgotten, on whose word, and what the law keeps."""

from django.apps import AppConfig


class ErasureConfig(AppConfig):
    name = "compliance.erasure"
    label = "erasure"
