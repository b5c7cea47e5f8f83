# One image for web and worker; compose.yaml says which a container is.
FROM debian:trixie-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        python3 python3-venv ca-certificates libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /srv/billing-ops --shell /usr/sbin/nologin billing

WORKDIR /srv/billing-ops
COPY requirements.txt .
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=billing_ops.settings
COPY . .

USER billing
EXPOSE 8000
CMD ["gunicorn", "-c", "python:billing_ops.web_server", "--bind", "0.0.0.0:8000", "billing_ops.wsgi"]
